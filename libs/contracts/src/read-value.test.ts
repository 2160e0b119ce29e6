import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { DatasetSpec } from './dataset-spec.js';
import { ExperimentSpec } from './experiment-spec.js';
import { isFault, type ValueFault } from './fault.js';
import { ExperimentId } from './ids.js';
import { JsonObject } from './json.js';
import { jsonPointer } from './problem.js';
import { MAX_FAULTS, readValue } from './read-value.js';
import { rule } from './rule.js';
import { ListQuery } from './views.js';
import { wordsOf } from './words.js';

function faultsOf(schema: z.ZodType, value: unknown): readonly ValueFault[] {
  const read = readValue(schema, value);
  if (read.ok) throw new Error(`accepted: ${JSON.stringify(value)}`);
  for (const fault of read.faults) expect({ fault, known: isFault(fault) }).toEqual({ fault, known: true });
  return read.faults;
}

function errorsOf(schema: z.ZodType, value: unknown) {
  return faultsOf(schema, value).map((fault) => ({ pointer: jsonPointer(fault.path), ...wordsOf(fault, 'the body') }));
}

const spec = { program: 'mlp', dataset: 'fashion-mnist' };

describe('readValue', () => {
  test('a value that fits is read with its defaults', () => {
    expect(readValue(ListQuery, { limit: '7' })).toEqual({ ok: true, value: { limit: 7 } });
  });

  test('a number that is not finite is told as what it is, where it stands and within what is shown', () => {
    const values = [
      { ...spec, seed: Number.NaN },
      { ...spec, params: { rates: [1, Infinity] } },
      { ...spec, checkpoint: { everyBatches: JSON.parse('1e999') } },
    ];
    const says = 'a number must be finite, and one beyond 1.8e308, such as 1e999, is read as Infinity.';
    expect(values.flatMap((value) => errorsOf(ExperimentSpec, value))).toEqual([
      { pointer: '/seed', detail: `"seed" is NaN: ${says}`, remedy: 'Give a finite number.' },
      {
        pointer: '/params/rates/1',
        detail: `Entry 1 of "rates" is Infinity: ${says}`,
        remedy: 'Give a finite number.',
      },
      {
        pointer: '/checkpoint/everyBatches',
        detail: `"everyBatches" is Infinity: ${says}`,
        remedy: 'Give a finite number.',
      },
    ]);
    const dims = z.array(z.any()).refine(() => false, rule('these are no dims', 'give others'));
    expect(errorsOf(z.object({ dims }), { dims: [784, Number.NaN, 10n] })).toMatchObject([
      { detail: '"dims" is [784,NaN,10]: these are no dims.' },
    ]);
  });

  test('an unknown key names the nearest known one, at any depth', () => {
    expect(errorsOf(ExperimentSpec, { ...spec, chekpoint: {}, checkpoint: { every_batches: 5 } })).toEqual([
      {
        pointer: '/checkpoint/every_batches',
        detail: '"every_batches" is not a key that is known in "checkpoint".',
        remedy:
          'Did you mean "everyBatches"? Rename or remove it. Known keys: everyBatches, keepLast, keepEvery, keepBest, onAllDamaged.',
      },
      {
        pointer: '/chekpoint',
        detail: '"chekpoint" is not a key that is known in the body.',
        remedy:
          'Did you mean "checkpoint"? Rename or remove it. Known keys: name, program, params, dataset, datasets, environment, secrets, seed, from, checkpoint, retry, resources, limits, onNonFinite, priority, notes, tags.',
      },
    ]);
  });

  test('a missing key says what to add', () => {
    expect(errorsOf(ExperimentSpec, { dataset: 'digits' })).toEqual([
      { pointer: '/program', detail: '"program" is missing.', remedy: 'Add "program": a string.' },
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
    expect(errorsOf(ExperimentSpec, { ...spec, onNonFinite: 'wran' })).toEqual([
      {
        pointer: '/onNonFinite',
        detail: '"onNonFinite" is "wran", which is not one of the values it can have.',
        remedy: 'Did you mean "warn"? Give one of "warn", "stop".',
      },
    ]);
  });

  test('of a union, the branch that came nearest is explained', () => {
    expect(errorsOf(DatasetSpec, { name: 'a', converter: 'mnist', source: { folder: '/etc' } })).toEqual([
      {
        pointer: '/source/folder',
        detail: '"folder" is "/etc": it would lead out of the folder of raw files.',
        remedy: 'Give a relative path below that folder, without `..`.',
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

  test("a schema's own rule is told after the value, with the remedy that it gives", () => {
    const dims = z
      .strictObject({ dims: z.array(z.int()), activations: z.array(z.string()) })
      .superRefine(({ dims: sizes, activations }, context) => {
        if (sizes.length === activations.length + 1) return;
        context.addIssue({
          code: 'custom',
          path: ['dims'],
          message: `dims has ${sizes.length} entries; there are ${activations.length} activations`,
          params: { remedy: 'give activations.length + 1 dims' },
        });
      });
    expect(errorsOf(dims, { dims: [784, 10], activations: ['tanh', 'tanh', 'softmax'] })).toEqual([
      {
        pointer: '/dims',
        detail: '"dims" is [784,10]: dims has 2 entries; there are 3 activations.',
        remedy: 'Give activations.length + 1 dims.',
      },
    ]);
    const lock = z
      .strictObject({ lockMs: z.int().default(500), renewMs: z.int().default(100) })
      .refine(({ lockMs, renewMs }) => renewMs < lockMs / 2, {
        path: ['lockMs'],
        ...rule('that is not more than twice renewMs', 'raise it'),
      });
    expect(errorsOf(lock, { renewMs: 300 })).toEqual([
      {
        pointer: '/lockMs',
        detail: '"lockMs" is 500 by default: that is not more than twice renewMs.',
        remedy: 'Raise it.',
      },
    ]);
    expect(errorsOf(ExperimentId, 'mine')).toEqual([
      {
        pointer: '',
        detail: 'The body is "mine": that is not an experiment id.',
        remedy: 'Give one such as exp_0193…: exp_ and 32 hexadecimal digits.',
      },
    ]);
  });

  test("a schema's own words for what zod checks are told after the value, with the remedy of the check", () => {
    const batch = z.strictObject({
      size: z.int('give a whole number of examples').min(1, 'a batch has at least 1 example'),
      name: z.string('give it a name').optional(),
    });
    expect(errorsOf(batch, { size: -1, name: null })).toEqual([
      {
        pointer: '/size',
        detail: '"size" is -1: a batch has at least 1 example.',
        remedy: 'Give a number of at least 1.',
      },
      { pointer: '/name', detail: '"name" is null: give it a name.', remedy: 'Give a string.' },
    ]);
    expect(errorsOf(batch, {})).toEqual([
      {
        pointer: '/size',
        detail: '"size" is missing: give a whole number of examples.',
        remedy: 'Add "size": an integer.',
      },
    ]);
  });

  test('words of zod itself never come through, whatever the check', () => {
    const all = z.strictObject({
      positive: z.number().positive(),
      even: z.number().multipleOf(2),
      short: z.string().max(2),
      few: z.array(z.int()).max(1),
      when: z.iso.datetime(),
      odd: z.number().refine((value) => value % 2 === 1),
      keyed: z.record(z.string().max(1), z.int()),
      cut: z.string().regex(/^a+$/),
    });
    const value = {
      positive: 0,
      even: 3,
      short: 'abc',
      few: [1, 2],
      when: 'now',
      odd: 2,
      keyed: { long: 1 },
      cut: 'b',
    };
    expect(errorsOf(all, value)).toEqual([
      {
        pointer: '/positive',
        detail: '"positive" is 0; it must be more than 0.',
        remedy: 'Give a number more than 0.',
      },
      { pointer: '/even', detail: '"even" is 3; it must be a multiple of 2.', remedy: 'Give a multiple of 2.' },
      {
        pointer: '/short',
        detail: '"short" has 3 characters; it must have at most 2.',
        remedy: 'Give at most 2 characters.',
      },
      { pointer: '/few', detail: '"few" has 2 entries; it must have at most 1.', remedy: 'Give at most 1 entries.' },
      {
        pointer: '/when',
        detail: '"when" is "now", which has not the form that it must have (datetime).',
        remedy: expect.stringMatching(/^Give a text that matches \/.+\/\.$/) as unknown,
      },
      {
        pointer: '/odd',
        detail: '"odd" is 2, which was refused.',
        remedy: 'Give another one.',
      },
      {
        pointer: '/keyed/long',
        detail: '"long" is "long", which was refused.',
        remedy: 'Give another one.',
      },
      {
        pointer: '/cut',
        detail: '"cut" is "b", which has not the form that it must have (regex).',
        remedy: 'Give a text that matches /^a+$/.',
      },
    ]);
  });

  test('a text that cannot be stored is told, as a value and as a key', () => {
    expect(errorsOf(ExperimentSpec, { ...spec, name: 'a\0b', params: { 'c\0': 1 } })).toEqual([
      {
        pointer: '/name',
        detail: String.raw`"name" is "a\u0000b": a NUL character or a lone surrogate cannot be stored.`,
        remedy: 'Remove it.',
      },
      {
        pointer: '/params/c\0',
        detail: String.raw`"c\u0000" is "c\u0000": a NUL character or a lone surrogate cannot be stored.`,
        remedy: 'Remove it.',
      },
    ]);
  });

  test('what is told is bounded, in number and in length, and the rest is counted', () => {
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, 1]));
    const faults = faultsOf(ExperimentSpec, { ...spec, ...keys });
    expect(faults).toHaveLength(MAX_FAULTS + 1);
    expect(faults.at(-1)).toEqual({ path: [], code: 'more-faults', facts: { count: 10_000 - MAX_FAULTS } });
    const entries = faultsOf(
      z.array(z.int()),
      Array.from({ length: 200 }, () => 'x'),
    );
    expect(entries.at(-1)).toMatchObject({ code: 'more-faults', facts: { count: 200 - MAX_FAULTS } });
    const [long] = faultsOf(z.int(), `${'x'.repeat(55)}${'\u{1F600}'.repeat(100_000)}`);
    expect(long?.facts).toMatchObject({ value: `"${'x'.repeat(55)}...` });
  });

  test('the faults of the branch of a union are counted like others, however many they are', () => {
    const schema = z.union([z.null(), z.strictObject({ entries: z.array(z.int()) })]);
    const faults = faultsOf(schema, { entries: Array.from({ length: 130_000 }, () => 'x') });
    expect(faults).toHaveLength(MAX_FAULTS + 1);
    expect(faults.at(-1)?.facts).toEqual({ count: 130_000 - MAX_FAULTS });
  });

  test('a key of any length is named by its beginning', () => {
    const key = 'k'.repeat(900_000);
    const faults = faultsOf(z.object({ params: JsonObject }), { params: { [key]: ['\0'] }, [key]: 1 });
    expect(JSON.stringify(faults).length).toBeLessThan(1_000);
    expect(faults[0]?.path).toEqual(['params', `${'k'.repeat(253)}...`, 0]);
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
        remedy: 'Give an object with "program".',
      },
    ]);
  });
});
