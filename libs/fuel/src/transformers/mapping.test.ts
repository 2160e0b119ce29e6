import { ndarray, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, toyDataset } from '../../test/toy.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Mapping } from './mapping.js';
import { denseIn, type Columns } from '../arrays/column.js';

const stream = () => new DatasetStream(toyDataset(3), new SequentialScheme(3, 3));
const parity = (columns: Columns): NdArray =>
  ndarray(
    'uint8',
    [3],
    Uint8Array.from(Array.from(denseIn(columns, 'targets').data, Number), (x) => x % 2),
  );

test('2.5-05: the function replaces the columns', async () => {
  const mapping = new Mapping(
    stream(),
    (columns) =>
      new Map([
        ['features', parity(columns)],
        ['targets', parity(columns)],
      ]),
  );

  const batch = await mapping.next();

  expect(dense(batch, 'targets').data).toEqual(Uint8Array.of(0, 1, 0));
  expect(await mapping.next()).toBeUndefined();
});

test('the function adds columns to those there are', async () => {
  const mapping = new Mapping(stream(), (columns) => new Map([['parity', parity(columns)]]), {
    addSources: ['parity'],
  });

  expect(mapping.sources).toEqual(['features', 'targets', 'parity']);
  expect([...((await mapping.next())?.columns.keys() ?? [])]).toEqual(['features', 'targets', 'parity']);
});

test('2.5-03, 2.5-04: the function may take its time, and is told the place', async () => {
  const mapping = new Mapping(
    stream(),
    async (_columns, { epoch, index }) =>
      new Map([['place', ndarray('uint8', [2], await Promise.resolve(Uint8Array.of(epoch, index)))]]),
    { addSources: ['place'] },
  );
  await mapping.nextEpoch();

  expect(dense(await mapping.next(), 'place').data).toEqual(Uint8Array.of(1, 0));
});

test('a function that forgets a source, or adds one that is there, is refused', async () => {
  await expect(new Mapping(stream(), () => new Map()).next()).rejects.toThrow(/gave nothing for features/);
  expect(() => new Mapping(stream(), () => new Map(), { addSources: ['targets'] })).toThrow(/targets is a source/);
});
