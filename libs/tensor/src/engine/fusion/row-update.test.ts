import type { NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  add,
  compile,
  grad,
  mean,
  mul,
  neg,
  shared,
  square,
  sub,
  take,
  tap,
  tensor,
  type CompiledFunction,
  type CompileOptions,
  type SharedVariable,
  type StoredValue,
} from '../../index.js';
import { numbers } from '../../../test/mlp.js';
import { array, present } from '../../../test/op-laws.js';
import { bitsOf, compileUnfused } from '../../../test/unfused.js';
import { RegionValue } from './state-memory.js';

const [WORDS, DIM, ROWS] = [40, 16, 12];

type Compile = (options: CompileOptions) => Promise<CompiledFunction>;

/** A table, and what changes it. */
interface Training {
  readonly table: SharedVariable;
  readonly rate: SharedVariable;
  /** By some rows; by any number of them, twice; as a whole. */
  readonly functions: Readonly<Record<'step' | 'steps' | 'halve', CompiledFunction>>;
  /** Whether those who watch refuse. */
  refuses: boolean;
}

async function trainingBy(compileOne: Compile, rows: number | null = ROWS): Promise<Training> {
  const [table, rate] = [shared(valuesOf(1), 'table'), shared(0.5, 'rate')];
  const words = tensor('words', 'int64', [rows]);
  const others = tensor('others', 'int64', [null]);
  const refuse = (): void => {
    if (training.refuses) throw new Error('refused');
  };
  const cost = tap(mean(square(sub(take(table, words, { axis: 0 }), 1))), refuse);
  const both = mean(mul(take(table, others, { axis: 0 }), take(table, neg(add(others, 1)), { axis: 0 })));
  const [ofCost, ofBoth] = [grad(cost, [table])[0], grad(both, [table])[0]];
  const updated = sub(table, mul(present(ofCost), rate));
  const twice = add(mul(present(ofBoth), neg(rate)), table);
  const training: Training = {
    table,
    rate,
    functions: {
      step: await compileOne({ inputs: [words], outputs: [cost], updates: [[table, updated]] }),
      steps: await compileOne({ inputs: [others], outputs: [], updates: [[table, twice]] }),
      halve: await compileOne({ inputs: [], outputs: [], updates: [[table, mul(table, 0.5)]] }),
    },
    refuses: false,
  };
  return training;
}

const SPECIAL = [-0, 0, NaN, Infinity, -Infinity, 1e-45, -6e-39, 3e38];

/** Those which are the hardest first. */
function valuesOf(seed: number): NdArray<'float32'> {
  const values = [...SPECIAL, ...numbers(WORDS * DIM, seed)].slice(0, WORDS * DIM);
  return array('float32', [WORDS, DIM], values) as NdArray<'float32'>;
}

function indices(words: readonly number[]): NdArray {
  return array('int64', [words.length], words);
}

/** As text: to compare arrays element by element takes longer than all else. */
function textOf({ data }: NdArray): string {
  return Buffer.from(bitsOf(data).buffer).toString('base64');
}

async function expectSame(one: Training, other: Training): Promise<string> {
  const bits = textOf(await one.table.getValue());
  expect(bits).toBe(textOf(await other.table.getValue()));
  return bits;
}

const word = fc.integer({ min: -WORDS, max: WORDS - 1 });
const which = fc.nat();
const step = fc.record({
  do: fc.constant('step' as const),
  words: fc.array(word, { minLength: ROWS, maxLength: ROWS }),
});
const action = fc.oneof(
  { weight: 4, arbitrary: step },
  fc.record({ do: fc.constant('steps' as const), words: fc.array(word, { minLength: 1, maxLength: 30 }) }),
  fc.record({ do: fc.constant('refused' as const), words: step.map(({ words }) => words) }),
  fc.constant({ do: 'failing' as const }),
  fc.constant({ do: 'halve' as const }),
  fc.constant({ do: 'pin' as const }),
  fc.record({ do: fc.constant('release' as const), which }),
  fc.record({ do: fc.constant('go back' as const), which }),
  fc.record({ do: fc.constant('set' as const), seed: which }),
  fc.record({ do: fc.constant('rate' as const), rate: fc.constantFrom(0.5, -0.5, 0, -0, Infinity, 1e-40) }),
);

type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Two that are trained alike, by kernels and without, and what is pinned of them. */
interface Both {
  readonly one: Training;
  readonly other: Training;
  readonly pins: { readonly values: readonly StoredValue[]; readonly bits: string }[];
}

async function expectFailure({ functions }: Training, words: readonly number[], reason: RegExp): Promise<void> {
  await expect(functions.step.run([indices(words)])).rejects.toThrow(reason);
}

async function act({ one, other, pins }: Both, taken: Action): Promise<void> {
  switch (taken.do) {
    case 'step':
    case 'steps':
      for (const { functions } of [one, other]) await functions[taken.do].run([indices(taken.words)]);
      break;
    case 'halve':
      for (const { functions } of [one, other]) await functions.halve.run([]);
      break;
    case 'refused':
      one.refuses = true;
      await expectFailure(one, taken.words, /refused/);
      one.refuses = false;
      break;
    case 'failing': {
      const words = Array.from({ length: ROWS }, (_, at) => (at === ROWS - 1 ? WORDS : at));
      await expectFailure(one, words, /out of/);
      break;
    }
    case 'pin':
      pins.push({ values: [one.table.pin(), other.table.pin()], bits: await expectSame(one, other) });
      break;
    case 'release':
      for (const pin of pins.splice(taken.which % (pins.length + 1), 1)) release(pin);
      break;
    case 'go back': {
      const values = pins[taken.which % (pins.length + 1)]?.values ?? [];
      for (const [at, value] of values.entries()) present([one, other][at]).table.setValue(value);
      break;
    }
    case 'set':
      for (const { table } of [one, other]) table.setValue(valuesOf(taken.seed));
      break;
    case 'rate':
      for (const { rate } of [one, other]) rate.setValue(array('float32', [], [taken.rate]));
      break;
  }
}

function release({ values }: Both['pins'][number]): void {
  for (const value of values) value.release();
}

test('rows that are updated have the bits of tables that are, whatever is pinned, released, set, refused or fails between steps', async () => {
  const [one, other] = [await trainingBy(compile), await trainingBy(compileUnfused)];
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 30 }), async (actions) => {
      const both: Both = { one, other, pins: [] };
      for (const training of [one, other]) {
        training.table.setValue(valuesOf(1));
        training.rate.setValue(array('float32', [], [0.5]));
      }
      for (const taken of actions) {
        await act(both, taken);
        await expectSame(one, other);
        for (const { values, bits } of both.pins) expect(textOf(await present(values[0]).read())).toBe(bits);
      }
      for (const pin of both.pins) release(pin);
    }),
    { numRuns: 12, seed: 12 },
  );
});

/** Where the table lies. */
function placeOf({ table }: Training): RegionValue {
  const value = table.pin();
  value.release();
  if (!(value instanceof RegionValue)) throw new Error('it is not in the memory of kernels');
  return value;
}

/** Runs a step after something was written to a row that no step looks up, in each place where the table was, and says whether it is there still. */
async function leavesOthersAlone(training: Training, run: () => Promise<unknown>): Promise<boolean> {
  const before = placeOf(training);
  await run();
  const { memory, address } = before;
  expect(placeOf(training).address).not.toBe(address);
  memory.view(address + (WORDS - 1) * DIM * Float32Array.BYTES_PER_ELEMENT, DIM).fill(77);
  await run();
  const after = placeOf(training);
  expect(after.address).toBe(address);
  return after.onHost.data.at(-1) === 77;
}

test.each([ROWS, null])('rows that are not looked up are not touched, of %s that are', async (rows) => {
  const training = await trainingBy(compile, rows);
  const words = indices([3, 3, -5, 7, 8, 9, 3, 0, 1, 2, 3, 8]);
  const run = (): Promise<unknown> => training.functions.step.run([words]);
  for (let count = 0; count < 3; count += 1) await run();
  expect(await leavesOthersAlone(training, run)).toBe(true);
});

test.each([100, 1000])('rows may be looked up more often than the table has any: %i', async (count) => {
  const [one, other] = [await trainingBy(compile), await trainingBy(compileUnfused)];
  const words = indices(Array.from({ length: count }, (_, at) => (at * at) % 7));
  for (let time = 0; time < 4; time += 1) {
    for (const { functions } of [one, other]) await functions.steps.run([words]);
    await expectSame(one, other);
  }
});

test('all rows are gone over where a step changes what is not looked up, if it be the sign of a zero', async () => {
  const training = await trainingBy(compile);
  const words = indices([3, 3, -5, 7, 8, 9, 3, 0, 1, 2, 3, 8]);
  const run = (): Promise<unknown> => training.functions.step.run([words]);
  for (let count = 0; count < 3; count += 1) await run();
  training.rate.setValue(array('float32', [], [-0.5]));
  expect(await leavesOthersAlone(training, run)).toBe(false);
});

test('a table whose rows are changed may be pinned by more snapshots than there is room for', async () => {
  const training = await trainingBy(compile);
  const words = indices([3, 3, -5, 7, 8, 9, 3, 0, 1, 2, 3, 8]);
  const pins: { readonly value: StoredValue; readonly bits: string }[] = [];
  for (let count = 0; count < 10; count += 1) {
    await training.functions.step.run([words]);
    pins.push({ value: training.table.pin(), bits: textOf(await training.table.getValue()) });
  }
  for (const { value, bits } of pins) expect(textOf(await value.read())).toBe(bits);
  expect(new Set(pins.map(({ bits }) => bits)).size).toBe(10);
  for (const { value } of pins) value.release();
  for (let count = 0; count < 3; count += 1) await training.functions.step.run([words]);
  expect(await leavesOthersAlone(training, () => training.functions.step.run([words]))).toBe(true);
});
