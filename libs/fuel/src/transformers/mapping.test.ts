import { ndarray, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { toyDataset } from '../../test/toy.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Mapping } from './mapping.js';

const stream = () => new DatasetStream(toyDataset(3), new SequentialScheme(3, 3));
const parity = (arrays: ReadonlyMap<string, NdArray>): NdArray =>
  ndarray(
    'uint8',
    [3],
    Uint8Array.from(Array.from(arrays.get('targets')?.data ?? [], Number), (x) => x % 2),
  );

test('the function replaces the arrays', async () => {
  const mapping = new Mapping(
    stream(),
    (arrays) =>
      new Map([
        ['features', parity(arrays)],
        ['targets', parity(arrays)],
      ]),
  );

  const batch = await mapping.next();

  expect(batch?.arrays.get('targets')?.data).toEqual(Uint8Array.of(0, 1, 0));
  expect(await mapping.next()).toBeUndefined();
});

test('the function adds arrays to those there are', async () => {
  const mapping = new Mapping(stream(), (arrays) => new Map([['parity', parity(arrays)]]), { addSources: ['parity'] });

  expect(mapping.sources).toEqual(['features', 'targets', 'parity']);
  expect([...((await mapping.next())?.arrays.keys() ?? [])]).toEqual(['features', 'targets', 'parity']);
});

test('a function that forgets a source, or adds one that is there, is refused', async () => {
  await expect(new Mapping(stream(), () => new Map()).next()).rejects.toThrow(/no array for features/);
  expect(() => new Mapping(stream(), () => new Map(), { addSources: ['targets'] })).toThrow(/targets is a source/);
});
