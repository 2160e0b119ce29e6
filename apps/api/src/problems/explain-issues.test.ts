import { DatasetSpec, ExperimentSpec, ListQuery } from '@longrun/contracts';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { explainIssues } from './explain-issues.js';

function errorsOf(schema: z.ZodType, value: unknown) {
  const read = schema.safeParse(value);
  if (read.success) throw new Error(`accepted: ${JSON.stringify(value)}`);
  return explainIssues(read.error.issues, { schema, value }).map(({ pointer, detail, remedy }) => ({
    pointer,
    detail,
    remedy,
  }));
}

const spec = { program: 'mlp', dataset: 'fashion-mnist' };

describe('explainIssues', () => {
  test('an unknown key names the nearest known one, at any depth', () => {
    expect(errorsOf(ExperimentSpec, { ...spec, chekpoint: {}, checkpoint: { every_batches: 5 } })).toEqual([
      {
        pointer: '/checkpoint/every_batches',
        detail: '"every_batches" is not a key that is known in "checkpoint".',
        remedy: 'Did you mean "everyBatches"? Rename or remove it. Known keys: everyBatches, keepLast.',
      },
      {
        pointer: '/chekpoint',
        detail: '"chekpoint" is not a key that is known in the body.',
        remedy:
          'Did you mean "checkpoint"? Rename or remove it. Known keys: name, program, params, dataset, seed, checkpoint, retry, resources, priority, notes, tags.',
      },
    ]);
  });

  test('a missing key says what to add', () => {
    expect(errorsOf(ExperimentSpec, { program: 'mlp' })).toEqual([
      { pointer: '/dataset', detail: '"dataset" is missing.', remedy: 'Add "dataset": a string.' },
    ]);
  });

  test('a number out of range says the value and the bound', () => {
    expect(errorsOf(ExperimentSpec, { ...spec, seed: -3, retry: { maxFailures: 5000 } })).toEqual([
      { pointer: '/seed', detail: '"seed" is -3; it must be at least 0.', remedy: 'Give a number of at least 0.' },
      {
        pointer: '/retry/maxFailures',
        detail: '"maxFailures" is 5000; it must be at most 1000.',
        remedy: 'Give a number of at most 1000.',
      },
    ]);
  });

  test('a wrong type says the value and the type', () => {
    expect(errorsOf(ExperimentSpec, { ...spec, seed: 'seven', params: [] })).toEqual([
      { pointer: '/params', detail: '"params" is [], which is not an object.', remedy: 'Give an object.' },
      { pointer: '/seed', detail: '"seed" is "seven", which is not a number.', remedy: 'Give an integer.' },
    ]);
  });

  test('a word that is none of the allowed ones names the nearest', () => {
    expect(errorsOf(ExperimentSpec, { ...spec, resources: { engine: 'onnx-runtime' } })).toEqual([
      {
        pointer: '/resources/engine',
        detail: '"engine" is "onnx-runtime", which is not one of the values it can have.',
        remedy: 'Did you mean "onnxruntime"? Give one of "onnxruntime", "reference".',
      },
    ]);
  });

  test('of a union, the branch that came nearest is explained', () => {
    expect(errorsOf(DatasetSpec, { name: 'a', converter: 'mnist', source: { folder: '/etc' } })).toEqual([
      {
        pointer: '/source/folder',
        detail: '"folder" ("/etc") must be a relative path below the folder of raw files, without `..`.',
        remedy: 'Give a value that is a relative path below the folder of raw files, without `..`.',
      },
    ]);
    expect(errorsOf(DatasetSpec, { name: 'a', converter: 'mnist', source: 7 })).toEqual([
      {
        pointer: '/source',
        detail: '"source" is 7, which fits none of the forms it can have.',
        remedy: 'Give an object with "folder", or an object with "download".',
      },
    ]);
  });

  test("a schema's own message is kept; what follows its semicolon is the remedy", () => {
    const dims = z
      .strictObject({ dims: z.array(z.int()), activations: z.array(z.string()) })
      .superRefine(({ dims: sizes, activations }, context) => {
        if (sizes.length === activations.length + 1) return;
        context.addIssue({
          code: 'custom',
          path: ['dims'],
          message: `MLP: dims has ${sizes.length} entries but there are ${activations.length} activations; give activations.length + 1 dims`,
        });
      });
    expect(errorsOf(dims, { dims: [784, 10], activations: ['tanh', 'tanh', 'softmax'] })).toEqual([
      {
        pointer: '/dims',
        detail: 'MLP: dims has 2 entries but there are 3 activations.',
        remedy: 'Give activations.length + 1 dims.',
      },
    ]);
  });

  test("a schema's own message without a remedy gets the value, and the remedy of its kind", () => {
    const batch = z.strictObject({ size: z.int().min(1, 'a batch has at least 1 example') });
    expect(errorsOf(batch, { size: -1 })).toEqual([
      {
        pointer: '/size',
        detail: '"size" is -1. A batch has at least 1 example.',
        remedy: 'Give a number of at least 1.',
      },
    ]);
  });

  test('a parameter that is not a number is shown as it came', () => {
    expect(errorsOf(ListQuery, { limit: 'many' })).toEqual([
      { pointer: '/limit', detail: '"limit" is "many", which is not a number.', remedy: 'Give an integer.' },
    ]);
  });

  test('keys with slashes and tildes are escaped in pointers', () => {
    expect(errorsOf(z.strictObject({}), { 'a/b~c': 1 })[0]?.pointer).toBe('/a~1b~0c');
  });

  test('a body that is no object is said to be none', () => {
    expect(errorsOf(ExperimentSpec, 'mlp')).toEqual([
      {
        pointer: '',
        detail: 'The body is "mlp", which is not an object.',
        remedy: 'Give an object with "program", "dataset".',
      },
    ]);
  });
});
