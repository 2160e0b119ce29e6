import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { array } from '../../test/op-laws.js';
import { elementsOf, HostValue } from './stored-value.js';

const GONE = 'A value of float32 (2,) is';

test('the memory of a value is given back with its last handle, and not before', async () => {
  const value = new HostValue(array('float32', [2], [1, 2]));
  const { data } = await value.read();
  expect(value.retain()).toBe(value);
  value.release();
  expect([...data]).toEqual([1, 2]);
  value.release();
  expect(data).toHaveLength(0);
});

test('elements in the memory of this process are there at once', () => {
  const own = array('float32', [2], [1, 2]);
  const value = new HostValue(own);
  expect(value.elements()).toBe(own);
  expect(elementsOf(value)).toBe(own);
  expect(elementsOf(own)).toBe(own);
  value.release();
  expect(() => value.elements()).toThrow(`${GONE} read after`);
});

test('no handle is released twice, nor used once it was', async () => {
  const value = new HostValue(array('float32', [2], [1, 2]));
  value.release();
  expect(() => value.release()).toThrow(`${GONE} released after its last handle was released`);
  expect(() => value.retain()).toThrow(`${GONE} retained after`);
  await expect(value.read()).rejects.toThrow(`${GONE} read after`);
  await expect(value.take()).rejects.toThrow(`${GONE} released after`);
});

test('whoever takes the last handle gets the array itself, and others a copy', async () => {
  const own = array('float32', [2], [1, 2]);
  const value = new HostValue(own).retain();
  const copy = await value.take();
  expect(copy).toEqual(own);
  expect(copy.data.buffer).not.toBe(own.data.buffer);
  const taken = await value.take();
  expect(taken).toBe(own);
  expect([...taken.data]).toEqual([1, 2]);
  expect(() => value.release()).toThrow(GONE);
});

test('a copy leaves alone what it was made of, which may be anything that holds elements', async () => {
  const large = Buffer.from([1, 2, 3, 4]);
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
  for (const data of [large.subarray(1, 3), shared]) {
    const before = [...data];
    HostValue.copyOf(ndarray('uint8', [2], data)).release();
    expect([...data]).toEqual(before);
  }
});

test('values without elements and scalars are held like any other', async () => {
  for (const shape of [[0, 3], []]) {
    const value = new HostValue(ndarray('int64', shape));
    expect(await value.retain().take()).toEqual(ndarray('int64', shape));
    value.release();
    expect(() => value.release()).toThrow('after its last handle');
  }
});

test('memory is given back without a turn of the event loop or of the garbage collector', () => {
  const before = process.memoryUsage().rss;
  let most = before;
  for (let at = 0; at < 2_000; at += 1) {
    const value = new HostValue(ndarray('uint8', [1 << 20], new Uint8Array(1 << 20).fill(1)));
    most = Math.max(most, process.memoryUsage.rss());
    value.release();
  }
  // 2 GB went through.
  expect(most - before).toBeLessThan(200e6);
});
