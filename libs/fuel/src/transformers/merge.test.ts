import { assertResumable, RandomStreams, StateMismatch } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { drain, elements, toyDataset } from '../../test/toy.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { ShuffledScheme } from '../schemes/shuffled-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { FilterSources } from './filter-sources.js';
import { Merge } from './merge.js';

const targets = (count: number) =>
  new FilterSources(new DatasetStream(toyDataset(count), new SequentialScheme(count, 2)), ['targets']);
const shuffled = () =>
  new DatasetStream(toyDataset(6), new ShuffledScheme(6, 2, { random: new RandomStreams(1).stream('order') }));

test('2.5-18: streams run side by side under the names given, and the shortest ends the epoch', async () => {
  const merged = new Merge([targets(5), targets(3)], ['long', 'short']);
  const batches = await drain(merged);

  expect(elements(batches, 'long')).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(elements(batches, 'short')).toEqual([[0, 1], [2]]);
  expect([merged.sources, merged.producesExamples, merged.batchesPerEpoch]).toEqual([['long', 'short'], false, 2]);
  expect(await merged.next()).toBeUndefined();
  await merged.nextEpoch();
  expect(elements(await drain(merged), 'long')).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test('streams that do not go together are refused', () => {
  const examples = new DatasetStream(toyDataset(3), new SequentialExampleScheme(3));

  expect(() => new Merge([targets(3), examples], ['a', 'b', 'c'])).toThrow(/some streams give examples/);
  expect(() => new Merge([targets(3), targets(3)], ['a'])).toThrow(
    /have 2 sources \(targets, targets\) but sources has 1/,
  );
  expect(() => new Merge([targets(3), targets(3)], ['a', 'a'])).toThrow(/two sources would be named a/);
  expect(() => new Merge([], [])).toThrow(/no streams/);
});

test('it can be resumed at every batch; a state of which one part is that of another stream changes neither', async () => {
  const build = () => new Merge([targets(6), shuffled()], ['number', 'features', 'targets']);
  await assertResumable(build, { epochs: 3 });

  const other = new Merge([targets(6), targets(6), targets(6)], ['a', 'b', 'c']);
  const half = new Merge([targets(6), targets(5)], ['a', 'b']);
  const merged = new Merge([targets(6), targets(6)], ['a', 'b']);
  const named = new Merge([targets(6), targets(6)], ['b', 'a']);
  await half.next();
  expect(() => merged.restore(other.state())).toThrow(/states of 2 streams, but has 3/);
  expect(() => merged.restore(named.state())).toThrow(
    'Merge: the state was saved with the sources ["b","a"], but this one has ["a","b"]; name them as when it was saved',
  );
  expect(() => merged.restore(half.state())).toThrow(StateMismatch);
  const [first] = await drain(merged);
  expect(elements([first ?? { columns: new Map() }], 'a')).toEqual([[0, 1]]);
});
