import { expect, test } from 'vitest';

import { DatasetSpec } from './dataset-spec.js';
import { ExperimentSpec } from './experiment-spec.js';
import { readValue } from './read-value.js';

test('what has a default can be left out', () => {
  expect(ExperimentSpec.parse({ program: 'mlp', dataset: 'digits' })).toEqual({
    program: 'mlp',
    dataset: 'digits',
    params: {},
    seed: 1,
    checkpoint: { everyBatches: 100, keepLast: 3 },
    retry: { maxFailures: 2, backoffMs: 5_000, maxPreemptions: null },
    resources: { threads: 2, engine: 'onnxruntime' },
    priority: 0,
  });
  expect(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }).source).toEqual({ download: true });
});

test('an unknown key is refused at every level, by its name', () => {
  const spec = { program: 'mlp', dataset: 'digits', sead: 1, retry: { max: 1 }, resources: { engine: 'cuda' } };
  const read = readValue(ExperimentSpec, spec);
  expect(read.ok ? [] : read.faults).toMatchObject([
    { code: 'unknown-key', path: ['retry', 'max'], facts: { key: 'max' } },
    { code: 'unknown-word', path: ['resources', 'engine'], facts: { allowed: ['onnxruntime', 'reference'] } },
    { code: 'unknown-key', path: ['sead'], facts: { key: 'sead', nearest: 'seed' } },
  ]);
});

test('what cannot be stored is refused where it comes in', () => {
  for (const notes of ['a NUL \0', 'half a pair \uD83D', '\uDE00 the other half']) {
    expect(ExperimentSpec.safeParse({ program: 'mlp', dataset: 'digits', notes }).success).toBe(false);
    expect(ExperimentSpec.safeParse({ program: 'mlp', dataset: 'digits', params: { deep: [notes] } }).success).toBe(
      false,
    );
  }
  expect(ExperimentSpec.safeParse({ program: 'mlp', dataset: 'digits', notes: 'a pair \u{1F600}' }).success).toBe(true);
});

test('a dataset cannot be named like an id, nor read outside the folder of raw files', () => {
  const refused = [
    { name: 'ds_1' },
    { name: 'Digits' },
    { name: '' },
    { source: { folder: '/etc' } },
    { source: { folder: 'a/../../b' } },
    { source: { folder: 'a', download: true } },
    { source: { download: false } },
  ];
  const accepted = refused.filter(
    (part) => DatasetSpec.safeParse({ name: 'digits', converter: 'mnist', ...part }).success,
  );
  expect(accepted).toEqual([]);
  expect(DatasetSpec.safeParse({ name: 'digits', converter: 'mnist', source: { folder: 'a/b..c' } }).success).toBe(
    true,
  );
});
