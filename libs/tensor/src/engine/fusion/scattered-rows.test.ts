import { ndarray, sizeOf } from '@longrun/serialization';
import { expect, test } from 'vitest';

import {
  add,
  compile,
  dot,
  grad,
  mean,
  mul,
  scatterAdd,
  shared,
  square,
  sub,
  sum,
  take,
  tensor,
  zeros,
  type CompiledFunction,
  type CompileOptions,
  type SharedVariable,
  type Variable,
} from '../../index.js';
import { numbers } from '../../../test/mlp.js';
import { array, present } from '../../../test/op-laws.js';
import { bitsOf, compileUnfused } from '../../../test/unfused.js';
import { rowsAt } from './scattered-rows.js';

const [WORDS, DIM, ROWS] = [50, 12, 40];
const INDICES = Array.from({ length: ROWS }, (_, at) => ((at * 7) % 23) - (at % 5 === 0 ? 23 : 0));

/** A table of which rows are looked up, and what trains it. */
interface Built {
  readonly table: SharedVariable;
  readonly options: CompileOptions;
}

function tableOf(): SharedVariable {
  return shared(array('float32', [WORDS, DIM], numbers(WORDS * DIM, 3)), 'table');
}

/** The cost of rows of the table that are looked up at `words`, trained with momentum. */
function trained(more: (gradient: Variable, table: SharedVariable) => Partial<CompileOptions> = () => ({})): Built {
  const [table, velocity] = [tableOf(), shared(ndarray('float32', [WORDS, DIM]), 'velocity')];
  const words = tensor('words', 'int64', [ROWS]);
  const weights = shared(array('float32', [DIM, DIM], numbers(DIM * DIM, 5)), 'weights');
  const cost = mean(square(sub(dot(take(table, words, { axis: 0 }), weights), 1)));
  const [gradient] = grad(cost, [table]);
  const faster = add(mul(velocity, 0.9), mul(present(gradient), 0.1));
  const updates: [SharedVariable, Variable][] = [
    [velocity, faster],
    [table, sub(table, faster)],
  ];
  return { table, options: { inputs: [words], outputs: [cost], updates, ...more(present(gradient), table) } };
}

async function expectSameBits(build: () => Built, words: readonly number[] = INDICES): Promise<CompiledFunction> {
  const [built, other] = [build(), build()];
  const [f, unfused] = [await compile(built.options), await compileUnfused(other.options)];
  const fed = [array('int64', [words.length], words)];
  for (let step = 0; step < 3; step += 1) {
    const [outputs, expected] = [await f.run(fed), await unfused.run(fed)];
    expect(outputs.map(({ data }) => data)).toEqual(expected.map(({ data }) => data));
    const [value, wanted] = [await built.table.getValue(), await other.table.getValue()];
    expect(bitsOf(value.data)).toEqual(bitsOf(wanted.data));
  }
  return f;
}

async function opsOfEngine(f: CompiledFunction): Promise<string[]> {
  const { ops } = await f.profile([array('int64', [ROWS], INDICES)], { runs: 1 });
  return ops.filter(({ on }) => on === 'engine').flatMap(({ kernels }) => kernels);
}

test('rows of a table that were looked up, some of them twice and from its end, are added beside the kernels, with the same bits', async () => {
  const f = await expectSameBits(() => trained());
  expect(await opsOfEngine(f)).not.toContain('ScatterElements');
});

test('a gradient that the engine needs, too, is left to it', async () => {
  const f = await expectSameBits(() => trained((gradient) => ({ outputs: [sum(square(gradient))] })));
  expect(await opsOfEngine(f)).toContain('ScatterElements');
});

test('vectors, and what rows are added to that are no zeros', async () => {
  const rows = Array.from({ length: 300 }, (_, at) => at % 299);
  const build = (base: Variable): Built => {
    const words = tensor('words', 'int64', [300]);
    const table = shared(array('float32', [299], numbers(299, 3)), 'table');
    const gradient = scatterAdd(base, words, rowsOf([300]));
    return { table, options: { inputs: [words], outputs: [], updates: [[table, sub(table, mul(gradient, 0.3))]] } };
  };
  const ofZeros = await expectSameBits(() => build(zeros([299], 'float32')), rows);
  const ofOthers = await expectSameBits(() => build(mul(zeros([299], 'float32'), -1)), rows);
  expect([ofZeros, ofOthers].map((f) => f.explain().engineOps)).toEqual([0, expect.any(Number)]);
});

test('an index that is out of range is refused, and nothing is updated', async () => {
  const table = tableOf();
  const words = tensor('words', 'int64', [2]);
  const gradient = scatterAdd(zeros([WORDS, DIM], 'float32'), words, rowsOf([2, DIM]));
  const f = await compile({ inputs: [words], outputs: [], updates: [[table, sub(table, gradient)]] });
  const before = bitsOf((await table.getValue()).data);
  for (const index of [WORDS, -WORDS - 1]) {
    await expect(f.run([array('int64', [2], [0, index])])).rejects.toThrow(
      `putAlongAxis: index ${index} is out of range; the axis has ${WORDS} elements`,
    );
  }
  expect(bitsOf((await table.getValue()).data)).toEqual(before);
});

function rowsOf(shape: readonly number[]): SharedVariable {
  return shared(array('float32', shape, numbers(sizeOf(shape), 9)), 'rows');
}

test('rows of an axis are counted from its beginning, of integers of any size', () => {
  expect(rowsAt(array('int64', [4], [0, -1, 9, -10]), 10)).toEqual(Int32Array.of(0, 9, 9, 0));
  expect(rowsAt(array('int32', [2], [3, -3]), 10)).toEqual(Int32Array.of(3, 7));
  for (const index of [10, -11, 2 ** 31, 2 ** 32 + 3, -(2 ** 32)]) {
    expect(() => rowsAt(array('int64', [2], [1, index]), 10)).toThrow(
      `putAlongAxis: index ${index} is out of range; the axis has 10 elements`,
    );
  }
});
