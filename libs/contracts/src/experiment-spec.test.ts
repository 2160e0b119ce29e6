import { expect, test } from 'vitest';

import { DatasetSpec } from './dataset-spec.js';
import { datasetsOf, ExperimentSpec } from './experiment-spec.js';
import { ResolvedExperiment } from './job.js';
import { jsonPointer } from './problem.js';
import { readValue } from './read-value.js';
import { wordsOf } from './words.js';

test('what has a default can be left out', () => {
  expect(ExperimentSpec.parse({ program: 'mlp', dataset: 'digits' })).toEqual({
    program: 'mlp',
    dataset: 'digits',
    params: {},
    seed: 1,
    checkpoint: { everyBatches: 100, keepLast: 3, onAllDamaged: 'stop' },
    retry: { maxFailures: 2, backoffMs: 5_000, maxPreemptions: null, maxLosses: 3 },
    resources: { threads: 2, engine: 'onnxruntime' },
    limits: { wallTimeSeconds: null, memoryBytes: null, stallSeconds: null, firstStepSeconds: 600 },
    onNonFinite: 'warn',
    priority: 0,
  });
  expect(DatasetSpec.parse({ name: 'digits', converter: 'mnist' })).toEqual({
    name: 'digits',
    converter: 'mnist',
    params: {},
    source: { download: true },
    limits: { wallTimeSeconds: null, stallSeconds: 600 },
  });
});

test('the best checkpoints are one, by a low value of a record that is named', () => {
  const keeping = (keepBest: unknown): unknown => ({
    program: 'mlp',
    dataset: 'digits',
    checkpoint: { keepEvery: 1000, keepBest },
  });
  expect(ExperimentSpec.parse(keeping({ record: 'valid_cost' })).checkpoint).toMatchObject({
    keepEvery: 1000,
    keepBest: { record: 'valid_cost', mode: 'min', count: 1 },
  });
  expect(errorsOf(keeping({ records: 'valid_cost', mode: 'least', count: 0 }))).toMatchObject([
    { pointer: '/checkpoint/keepBest/record' },
    { pointer: '/checkpoint/keepBest/mode' },
    { pointer: '/checkpoint/keepBest/count' },
    { pointer: '/checkpoint/keepBest/records' },
  ]);
});

test('datasets are given by role, or one in short, and the spec stays as it was given', () => {
  const short = ExperimentSpec.parse({ program: 'mlp', dataset: 'digits' });
  const byRole = ExperimentSpec.parse({ program: 'mlp', datasets: { train: 'digits', valid_2: 'ds_1' } });
  expect([short.dataset, short.datasets]).toEqual(['digits', undefined]);
  expect([byRole.dataset, byRole.datasets]).toEqual([undefined, { train: 'digits', valid_2: 'ds_1' }]);
  expect([datasetsOf(short), datasetsOf(byRole)]).toEqual([{ train: 'digits' }, { train: 'digits', valid_2: 'ds_1' }]);
  const most = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`r${index}`, 'digits']));
  expect(ExperimentSpec.safeParse({ program: 'mlp', datasets: most }).success).toBe(true);
  expect(errorsOf({ program: 'mlp', datasets: { ...most, r16: 'digits' } })).toMatchObject([
    { pointer: '/datasets', detail: expect.stringContaining('an experiment has at most 16 datasets.') },
  ]);
});

test('either the one dataset is given or those by role, whatever else is wrong', () => {
  expect(errorsOf({ program: 'mlp' })).toEqual([
    {
      pointer: '/dataset',
      detail: '"dataset" is not given: an experiment says which datasets it has.',
      remedy:
        'Give `dataset: <name or id>`, or several by their roles: `datasets: { train: <name or id> }`, or `datasets: {}` for a program that reads none.',
    },
  ]);
  expect(errorsOf({ seed: -1, dataset: 'digits', datasets: { train: 'digits' } })).toMatchObject([
    { pointer: '/program' },
    { pointer: '/seed' },
    {
      pointer: '/dataset',
      detail: '"dataset" is "digits": `datasets` is given too, and `dataset` is short for `datasets: { train: … }`.',
      remedy: 'Remove it, or give all datasets in `datasets`.',
    },
  ]);
  expect(datasetsOf(ExperimentSpec.parse({ program: 'parity', datasets: {} }))).toEqual({});
});

test.each(['Train', 'a b', '-a', '', 'ü', 'r'.repeat(33)])('the role of a dataset cannot be "%s"', (role) => {
  expect(errorsOf({ program: 'mlp', datasets: { [role]: 'digits' } })).toEqual([
    {
      pointer: jsonPointer(['datasets', role]),
      detail: `${JSON.stringify(role)} is ${JSON.stringify(role)}: the role of a dataset cannot be called so.`,
      remedy: 'Give 1 to 32 of a-z, 0-9, `_`, `-`; begin with a letter or digit.',
    },
  ]);
});

test('a resolved experiment of version 1 is read as one whose dataset has the role train, and of version 2 as one of no known module', () => {
  const file = { id: `ds_${'0'.repeat(32)}`, fileKey: 'datasets/files/a.hdf5', sha256: '0'.repeat(64), sizeBytes: 3 };
  const written = { id: `exp_${'0'.repeat(32)}`, spec: { program: 'mlp', dataset: 'digits' } };
  const resolved = ResolvedExperiment.parse({ ...written, version: 1, dataset: file });
  expect(resolved).toMatchObject({
    version: 3,
    program: null,
    id: written.id,
    spec: written.spec,
    datasets: { train: file },
  });
  expect(Object.keys(resolved)).not.toContain('dataset');
  expect(ResolvedExperiment.parse(JSON.parse(JSON.stringify(resolved)))).toEqual(resolved);
  const { program: _, ...second } = resolved;
  expect(ResolvedExperiment.parse({ ...second, version: 2 })).toEqual(resolved);
  expect(ResolvedExperiment.safeParse({ ...resolved, version: 4 }).success).toBe(false);
});

test('a spec says what its engine computes with, and on which device; what says nothing of it is as it was', () => {
  const asking = (resources: unknown): unknown => ({ program: 'mlp', dataset: 'digits', resources });
  expect(ExperimentSpec.parse(asking({ provider: 'cuda', device: 3 })).resources).toEqual({
    threads: 2,
    engine: 'onnxruntime',
    provider: 'cuda',
    device: 3,
  });
  expect(ExperimentSpec.parse(asking({ engine: 'reference', threads: 1 })).resources).toEqual({
    threads: 1,
    engine: 'reference',
  });
  expect(errorsOf(asking({ provider: 'CUDA 12', device: -1 }))).toMatchObject([
    { pointer: '/resources/provider', remedy: 'Give 1 to 32 of a-z, 0-9, `-`; begin with a letter.' },
    { pointer: '/resources/device' },
  ]);
});

test('an engine or provider that no worker has is refused with those that there are', () => {
  const words = (facts: { engine: string; provider: string | null; known: string[] }, key: string) =>
    wordsOf({ code: 'engine-unavailable', path: ['resources', key], facts }, 'the spec');
  expect(words({ engine: 'onnx-runtime', provider: null, known: ['onnxruntime', 'reference'] }, 'engine')).toEqual({
    detail: '"engine" is "onnx-runtime", which no worker that is known has.',
    remedy: 'Did you mean "onnxruntime"? Give onnxruntime or reference, or start a worker that has it first.',
  });
  expect(words({ engine: 'onnxruntime', provider: 'cuda', known: ['cpu'] }, 'provider')).toEqual({
    detail: '"provider" is "cuda", which no worker that is known has for onnxruntime.',
    remedy: 'Give cpu, or start a worker that has it first.',
  });
});

test('an unknown key is refused at every level, by its name', () => {
  const spec = { program: 'mlp', dataset: 'digits', sead: 1, retry: { max: 1 }, resources: { engine: 'CUDA' } };
  const read = readValue(ExperimentSpec, spec);
  expect(read.ok ? [] : read.faults).toMatchObject([
    { code: 'unknown-key', path: ['retry', 'max'], facts: { key: 'max' } },
    { code: 'rule-broken', path: ['resources', 'engine'] },
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

test('a dataset cannot be named like an id, nor read outside the folder of raw files, nor have limits that are none', () => {
  const refused = [
    { name: 'ds_1' },
    { name: 'Digits' },
    { name: '' },
    { source: { folder: '/etc' } },
    { source: { folder: 'a/../../b' } },
    { source: { folder: 'a', download: true } },
    { source: { download: false } },
    { limits: { wallTimeSeconds: 0 } },
    { limits: { stallSeconds: 0.5 } },
    { limits: { firstStepSeconds: 600 } },
  ];
  const accepted = refused.filter(
    (part) => DatasetSpec.safeParse({ name: 'digits', converter: 'mnist', ...part }).success,
  );
  expect(accepted).toEqual([]);
  expect(DatasetSpec.safeParse({ name: 'digits', converter: 'mnist', source: { folder: 'a/b..c' } }).success).toBe(
    true,
  );
});

function errorsOf(spec: unknown) {
  const read = readValue(ExperimentSpec, spec);
  return read.ok
    ? []
    : read.faults.map((fault) => ({ pointer: jsonPointer(fault.path), ...wordsOf(fault, 'the spec') }));
}
