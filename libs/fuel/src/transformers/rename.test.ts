import { expect, test, vi } from 'vitest';
import { toyDataset } from '../../test/toy.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Rename } from './rename.js';

const stream = () => new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));

test('2.5-21: sources have their new names everywhere', async () => {
  const renamed = new Rename(stream(), { features: 'x' });

  expect(renamed.sources).toEqual(['x', 'targets']);
  expect([...((await renamed.next())?.columns.keys() ?? [])]).toEqual(['x', 'targets']);
  expect(renamed.axisLabels?.get('x')).toEqual(['batch', 'height', 'width']);
});

test('names can be exchanged', () => {
  expect(new Rename(stream(), { features: 'targets', targets: 'features' }).sources).toEqual(['targets', 'features']);
});

test('a name that is not there is refused unless it may be missing, and a double one always', () => {
  expect(() => new Rename(stream(), { pixels: 'x' })).toThrow(/no source pixels/);
  expect(new Rename(stream(), { pixels: 'x' }, { onNonExistent: 'ignore' }).sources).toEqual(['features', 'targets']);
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  expect(new Rename(stream(), { pixels: 'x' }, { onNonExistent: 'warn' }).sources).toEqual(['features', 'targets']);
  expect(warn.mock.calls.map(([words]) => words)).toEqual([
    'Rename: there is no source pixels; the sources of the stream are features, targets',
  ]);
  warn.mockRestore();
  expect(() => new Rename(stream(), { features: 'targets' })).toThrow(/two sources would be named targets/);
});
