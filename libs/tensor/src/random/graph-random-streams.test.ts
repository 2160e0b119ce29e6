import { randomAt, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { compile, GraphRandomStreams, type CompiledFunction } from '../index.js';
import { present } from '../../test/op-laws.js';

function numbers({ data }: NdArray): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

function uniformAt(stage: string, index: number): number[] {
  const place = randomAt(3, { epoch: 0, index, stage });
  return [place.uint32(), place.uint32()].map((word) => (word >>> 8) / 2 ** 24);
}

async function drawing(streams: GraphRandomStreams): Promise<CompiledFunction> {
  const outputs = [streams.uniform([2]), streams.uniform([2]), streams.normal([4]), streams.binomial([8])];
  return compile({ inputs: [], outputs, updates: streams.updates, engine: 'onnxruntime', threads: 1 });
}

test('each variable draws from a state of its own, anew with each run', async () => {
  const streams = new GraphRandomStreams(3, 'noise');
  const f = await drawing(streams);
  expect([...streams.updates.keys()].map(({ name }) => name)).toEqual(['noise_0', 'noise_1', 'noise_2', 'noise_3']);
  const normals: number[][] = [];
  for (const index of [0, 1, 2]) {
    const [first, second, normal] = (await f.run([])).map(numbers);
    expect([first, second]).toEqual([uniformAt('noise_0', index), uniformAt('noise_1', index)]);
    normals.push(present(normal));
  }
  expect(new Set(normals.flat()).size).toBe(12);
  await f.dispose();
});

test('the same seed and name give the same numbers, and states that were saved go on from there', async () => {
  const [streams, others] = [new GraphRandomStreams(3, 'noise'), new GraphRandomStreams(3, 'noise')];
  const [f, g] = [await drawing(streams), await drawing(others)];
  expect(await f.run([])).toEqual(await g.run([]));
  await f.run([]);
  const states = [...others.updates.keys()];
  for (const [at, state] of [...streams.updates.keys()].entries()) present(states[at]).setValue(await state.getValue());
  expect(await f.run([])).toEqual(await g.run([]));
  for (const one of [f, g]) await one.dispose();
});
