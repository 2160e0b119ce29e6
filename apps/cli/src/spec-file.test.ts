import { expect, test } from 'vitest';

import { parseOverride } from './override.js';
import { parseSpec, SpecFileError } from './spec-file.js';

const EXPERIMENT = `# the demo's
program: mlp
dataset: fashion-mnist
seed: 7
params:
  batchSize: 128
  dims: [784, 500, 10]
`;

test('an experiment is known by its program, a dataset by its converter, and either by its kind', () => {
  expect(parseSpec(EXPERIMENT, 'a.yaml')).toMatchObject({ kind: 'experiment', spec: { program: 'mlp', seed: 7 } });
  expect(parseSpec('{"name": "m", "converter": "mnist"}', 'a.json')).toMatchObject({
    kind: 'dataset',
    spec: { name: 'm', converter: 'mnist', source: { download: true } },
  });
  expect(parseSpec(`kind: experiment\n${EXPERIMENT}`, 'a.yaml').kind).toBe('experiment');
  expect(parseSpec('kind: dataset\nname: m\nconverter: mnist\n', 'a.yaml').kind).toBe('dataset');
});

test('overrides are part of what is checked', () => {
  const set = ['params.batchSize=64', 'checkpoint.everyBatches=10'].map(parseOverride);
  expect(parseSpec(EXPERIMENT, 'a.yaml', set).spec).toMatchObject({
    params: { batchSize: 64, dims: [784, 500, 10] },
    checkpoint: { everyBatches: 10, keepLast: 3 },
  });
});

test('each error names its field, its line and the remedy', () => {
  const text = `${EXPERIMENT}checkpoint:\n  everyBatches: -1\nprioritty: 2\n`;
  const { message, errors } = refusal(text, ['retry.maxFailures=many']);
  expect(message).toBe('a.yaml is not a valid experiment spec');
  expect(errors.map(({ place }) => place)).toEqual([
    'checkpoint.everyBatches (a.yaml:9)',
    'retry.maxFailures',
    'prioritty (a.yaml:10)',
  ]);
  // In the words in which the API would refuse them, and as values that stand there.
  expect(errors.map(({ detail, remedy }) => [detail, remedy])).toEqual([
    ['"everyBatches" is -1; it must be at least 1.', 'Give a number of at least 1.'],
    ['"maxFailures" is "many", which is not a number.', 'Give an integer.'],
    [
      '"prioritty" is not a key that is known in the spec.',
      expect.stringMatching(/^Did you mean "priority"\? Rename or remove it\. Known keys: .+\.$/),
    ],
  ]);
});

test('broken YAML and broken JSON are refused with their line', () => {
  expect(refusal('program: mlp\nparams: [1, 2\nseed: 3\n').errors[0]?.place).toMatch(/^a\.yaml:[23]:\d+$/);
  expect(refusal('{\n  "program": "mlp",\n  "seed": 3,,\n}').errors[0]?.place).toMatch(/^a\.yaml:3:\d+$/);
  expect(refusal('seed: 1\nseed: 2\nprogram: mlp\n').errors[0]).toMatchObject({
    place: expect.stringMatching(/^a\.yaml:2/),
    detail: 'Map keys must be unique',
  });
});

const SHARED = `x-sizes: &sizes { dims: [784, 500, 10], batchSize: 128 }
x-rest:
  - &slow
    everyBatches: -1
program: mlp
dataset: fashion-mnist
params:
  <<: [*sizes, { epochs: 3 }]
  batchSize: 64
`;

test('what places have in common is written once: by anchors below x- keys, and merged', () => {
  expect(parseSpec(SHARED, 'a.yaml').spec).toMatchObject({
    params: { dims: [784, 500, 10], batchSize: 64, epochs: 3 },
  });
  const dataset = 'x-from: &from { folder: raw }\nname: m\nconverter: mnist\nsource: { <<: *from }\n';
  expect(parseSpec(dataset, 'a.yaml')).toMatchObject({ kind: 'dataset', spec: { source: { folder: 'raw' } } });
  // An error is where it is written, not where it is merged; below the top, x- means nothing.
  const { errors } = refusal(`${SHARED}checkpoint:\n  <<: *slow\nretry:\n  x-note: 1\n`);
  expect(errors.map(({ place }) => place)).toEqual(['checkpoint.everyBatches (a.yaml:4)', 'retry.x-note (a.yaml:13)']);
  expect(refusal(SHARED, ['x-note=1']).errors.map(({ place }) => place)).toEqual(['x-note']);
});

test.each([
  ['', 'is empty'],
  ['# only a comment', 'is empty'],
  ['- 1', 'a list'],
  ['program: *nothing', 'Unresolved alias'],
  ['program: mlp\nparams: { <<: 3 }', 'Merge sources must be maps'],
  ['seed: 3', 'neither an experiment'],
  ['kind: sweep\nprogram: mlp', 'kind is "sweep"'],
  ['program: mlp\n---\nprogram: mlp', '2 YAML documents'],
])('%j is refused: %s', (text, reason) => {
  expect(refusal(text).message).toContain(reason);
});

function refusal(text: string, set: readonly string[] = []): SpecFileError {
  try {
    parseSpec(text, 'a.yaml', set.map(parseOverride));
  } catch (error) {
    if (error instanceof SpecFileError) return error;
    throw error;
  }
  throw new Error('the spec was accepted');
}
