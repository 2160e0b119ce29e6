import { expect, test } from 'vitest';
import { toyDataset } from '../../test/toy.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { FilterSources } from './filter-sources.js';

const stream = () => new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));

test('2.5-22: only the sources wanted are kept, in the order of the stream', async () => {
  const filtered = new FilterSources(stream(), ['targets']);

  expect(filtered.sources).toEqual(['targets']);
  expect([...((await filtered.next())?.columns.keys() ?? [])]).toEqual(['targets']);
  expect([...(filtered.axisLabels?.keys() ?? [])]).toEqual(['targets']);
  expect(new FilterSources(stream(), ['targets', 'features']).sources).toEqual(['features', 'targets']);
});

test('a source that is not there, or none at all, is refused', () => {
  expect(() => new FilterSources(stream(), ['pixels'])).toThrow(/no source pixels/);
  expect(() => new FilterSources(stream(), [])).toThrow(/at least one/);
});
