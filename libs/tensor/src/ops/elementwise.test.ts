import type { DType } from '@longrun/serialization';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  abs,
  add,
  and,
  bitAnd,
  bitNot,
  bitOr,
  bitXor,
  cast,
  ceil,
  clip,
  cos,
  div,
  elu,
  eq,
  erf,
  exp,
  expm1,
  floor,
  floorDiv,
  ge,
  gelu,
  gt,
  hardSigmoid,
  identity,
  isclose,
  isfinite,
  isinf,
  isnan,
  le,
  leakyRectifier,
  leftShift,
  log,
  log1p,
  logistic,
  lt,
  maximum,
  minimum,
  mod,
  mul,
  neg,
  neq,
  not,
  or,
  pow,
  rectifier,
  rightShift,
  round,
  sign,
  sin,
  softplus,
  softsign,
  sqrt,
  square,
  stopGradient,
  sub,
  tanh,
  tensor,
  where,
  xor,
  type Variable,
} from '../index.js';
import { drawn, expectEnginesAgree, together, type Law } from '../../test/agreement.js';
import {
  array,
  arrayOf,
  broadcastShapes,
  evaluate,
  expectClose,
  expectGradientsRight,
  spread,
  type Build,
  present,
} from '../../test/op-laws.js';
import * as ops from './index.js';

interface Case {
  readonly name: string;
  readonly build: Build;
  readonly arity: 1 | 2;
  readonly dtypes: readonly DType[];
  /** Range of the operands. Default -3 to 3. */
  readonly range?: readonly [number, number];
  /** Range of the operands of finite differences, where it is another: one without jumps. */
  readonly smooth?: readonly [number, number];
  readonly differentiable?: boolean;
  /** Relative tolerance in float32, where the default is too strict. */
  readonly tolerance?: number;
}

const floats: readonly DType[] = ['float32', 'float64'];
const integers: readonly DType[] = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'];
const numbers = [...floats, ...integers];
const all: readonly DType[] = [...numbers, 'bool'];
/** Those of an op that casts integers to floats first, which cast's own tests are about. */
const castToFloat: readonly DType[] = [...floats, 'int64'];
/** Of each kind one: those that are computed in themselves, and those that are computed in another and wrap. */
const someIntegers: readonly DType[] = ['int8', 'int64', 'uint8'];
const someNumbers = [...floats, ...someIntegers];

const cases: readonly Case[] = [
  { name: 'add', build: binary(add), arity: 2, dtypes: numbers, differentiable: true },
  { name: 'sub', build: binary(sub), arity: 2, dtypes: numbers, differentiable: true },
  { name: 'mul', build: binary(mul), arity: 2, dtypes: numbers, differentiable: true },
  { name: 'div', build: binary(div), arity: 2, dtypes: numbers, range: [1, 5], differentiable: true },
  { name: 'pow', build: binary(pow), arity: 2, dtypes: numbers, range: [0.5, 3], differentiable: true },
  { name: '1.T-30: maximum', build: binary(maximum), arity: 2, dtypes: numbers, differentiable: true },
  { name: '1.T-32: minimum', build: binary(minimum), arity: 2, dtypes: numbers, differentiable: true },
  { name: 'eq', build: binary(eq), arity: 2, dtypes: all },
  { name: '1.T-33: neq', build: binary(neq), arity: 2, dtypes: all },
  { name: 'lt', build: binary(lt), arity: 2, dtypes: all },
  { name: 'le', build: binary(le), arity: 2, dtypes: all },
  { name: 'gt', build: binary(gt), arity: 2, dtypes: all },
  { name: '1.T-24: ge', build: binary(ge), arity: 2, dtypes: all },
  { name: 'and', build: binary(and), arity: 2, dtypes: ['bool'] },
  { name: 'or', build: binary(or), arity: 2, dtypes: ['bool'] },
  { name: '1.T-61: where', build: chooseFirst, arity: 2, dtypes: all, differentiable: true },
  { name: 'not', build: unary(not), arity: 1, dtypes: ['bool'] },
  { name: 'neg', build: unary(neg), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-58: sqrt', build: unary(sqrt), arity: 1, dtypes: numbers, range: [0.5, 9], differentiable: true },
  { name: '1.T-57: square', build: unary(square), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-23: exp', build: unary(exp), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-28: log', build: unary(log), arity: 1, dtypes: numbers, range: [0.5, 9], differentiable: true },
  { name: '1.T-64: abs', build: unary(abs), arity: 1, dtypes: numbers, differentiable: true },
  { name: 'sign', build: unary(sign), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-63: tanh', build: unary(tanh), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-42: logistic', build: unary(logistic), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-40: rectifier', build: unary(rectifier), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-44: softplus', build: unary(softplus), arity: 1, dtypes: numbers, differentiable: true },
  { name: '1.T-27: isnan', build: unary(isnan), arity: 1, dtypes: floats },
  { name: '1.T-26: isinf', build: unary(isinf), arity: 1, dtypes: floats },
  { name: 'isfinite', build: unary(isfinite), arity: 1, dtypes: floats },
  { name: 'identity', build: unary(identity), arity: 1, dtypes: all, differentiable: true },
  { name: 'stopGradient', build: unary(stopGradient), arity: 1, dtypes: all },
  { name: 'xor', build: binary(xor), arity: 2, dtypes: ['bool'] },
  { name: 'floorDiv', build: binary(floorDiv), arity: 2, dtypes: someNumbers, differentiable: true, smooth: [1, 1.9] },
  { name: 'mod', build: binary(mod), arity: 2, dtypes: someNumbers, differentiable: true, smooth: [1, 1.9] },
  { name: 'floor', build: unary(floor), arity: 1, dtypes: someNumbers, differentiable: true },
  { name: 'ceil', build: unary(ceil), arity: 1, dtypes: someNumbers, differentiable: true },
  { name: 'round', build: unary(round), arity: 1, dtypes: someNumbers, differentiable: true },
  { name: 'sin', build: unary(sin), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'cos', build: unary(cos), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'expm1', build: unary(expm1), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'log1p', build: unary(log1p), arity: 1, dtypes: castToFloat, range: [-0.5, 9], differentiable: true },
  { name: 'erf', build: unary(erf), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'softsign', build: unary(softsign), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'bitAnd', build: binary(bitAnd), arity: 2, dtypes: someIntegers },
  { name: 'bitOr', build: binary(bitOr), arity: 2, dtypes: someIntegers },
  { name: 'bitXor', build: binary(bitXor), arity: 2, dtypes: someIntegers },
  { name: 'bitNot', build: unary(bitNot), arity: 1, dtypes: someIntegers },
  { name: 'leftShift', build: binary(leftShift), arity: 2, dtypes: someIntegers },
  { name: 'rightShift', build: binary(rightShift), arity: 2, dtypes: someIntegers },
  {
    name: '1.T-91: clip',
    build: unary((x) => clip(x, 0, 2)),
    arity: 1,
    dtypes: someNumbers,
    differentiable: true,
  },
  { name: 'clip between variables', build: within, arity: 2, dtypes: floats, differentiable: true },
  { name: '1.T-41: leakyRectifier', build: binary(leakyRectifier), arity: 2, dtypes: floats, differentiable: true },
  { name: 'elu', build: unary(elu), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'gelu', build: unary(gelu), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'hardSigmoid', build: unary(hardSigmoid), arity: 1, dtypes: castToFloat, differentiable: true },
  { name: 'isclose', build: binary(isclose), arity: 2, dtypes: someNumbers },
];

/** Neither bound is near an operand of finite differences. */
function within(a?: Variable, b?: Variable): Variable {
  return clip(present(a), sub(present(b), 1), add(present(b), 1));
}

function unary(op: (x: Variable) => Variable): Build {
  return (x) => op(present(x));
}

function binary(op: (a: Variable, b: Variable) => Variable): Build {
  return (a, b) => op(present(a), present(b));
}

function chooseFirst(a?: Variable, b?: Variable): Variable {
  return where(gt(present(a), present(b)), present(a), present(b));
}

/** What engines are to agree on in a case: each dtype on any shapes that broadcast, and numbers that are none. */
function lawsOf({
  build,
  arity,
  dtypes,
  range = [-3, 3],
  differentiable = false,
  tolerance,
}: Case): Record<string, Law> {
  const laws = dtypes.map((dtype): [string, Law] => {
    const [low, high] =
      dtype === 'bool' ? [0, 1] : dtype.startsWith('uint') ? [Math.max(0, range[0]), range[1]] : range;
    const operands = broadcastShapes(arity).chain((shapes) =>
      fc.tuple(...shapes.map((shape) => arrayOf(dtype, shape, low, high))),
    );
    const gradients = differentiable && floats.includes(dtype);
    const law = drawn(operands, floats.includes(dtype) ? 7 : 2, (values) => ({
      build,
      values,
      gradients,
      ...(tolerance === undefined || dtype !== 'float32' ? {} : { tolerance }),
    }));
    return [dtype, law];
  });
  const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5, -2.5, 1e-30, 100];
  const values = [array('float32', [special.length], special), array('float32', [special.length, 1], special)];
  const ofSpecial = { agreements: [{ build, values: values.slice(0, arity), tolerance: 4e-6 }] };
  return { ...Object.fromEntries(laws), ...(dtypes.includes('float32') ? { [SPECIAL]: ofSpecial } : {}) };
}

const SPECIAL = 'special values';
const agreed = new Map(cases.map((one) => [one, together(() => lawsOf(one))]));

describe.each(cases)('$name', (one) => {
  test.each(one.dtypes)('both engines agree on any shapes that broadcast: %s', async (dtype) => {
    await agreed.get(one)?.(dtype);
  });
});

describe.each(cases.filter(({ differentiable }) => differentiable))('$name', ({ build, arity, range, smooth }) => {
  const [low, high] = smooth ?? range ?? [-3, 3];
  test('the gradient is that of finite differences, broadcast or not', async () => {
    await fc.assert(
      fc.asyncProperty(broadcastShapes(arity), (shapes) =>
        expectGradientsRight(
          build,
          shapes.map((shape, at) => spread(shape, low, high, at)),
        ),
      ),
      { numRuns: 6 },
    );
  });
});

describe.each(cases.filter(({ dtypes }) => dtypes.includes('float32')))('$name', (one) => {
  test('both engines agree on NaN, infinities and zeros', async () => {
    await agreed.get(one)?.(SPECIAL);
  });
});

test('every elementwise op has a case here', () => {
  const declared = Object.entries(ops).flatMap(([name, value]) => ('op' in value ? [name] : []));
  const tried = new Set(cases.map(({ name }) => name.replace(/^.*: /, '')));
  expect(declared.filter((name) => !tried.has(name))).toEqual([]);
});

describe('1.T-73: cast', () => {
  test.each(all)('both engines agree from every dtype to %s', async (to) => {
    for (const from of all) {
      const values =
        from === 'bool' ? [0, 1, 1] : from.startsWith('uint') || to.startsWith('uint') ? [0, 1, 3] : [-2, 0, 3];
      await expectEnginesAgree((x) => cast(present(x), to), [array(from, [3], values)]);
    }
  });

  test('fractions are truncated towards zero, and integers wrap, on both engines', async () => {
    const fractions = array('float32', [4], [-1.7, -0.5, 0.5, 1.7]);
    const wide = array('int32', [3], [300, -129, 65_537]);
    for (const engine of ['reference', 'onnxruntime'] as const) {
      expectClose(
        await evaluate(engine, (x) => cast(present(x), 'int32'), [fractions]),
        array('int32', [4], [-1, 0, 0, 1]),
      );
      expectClose(await evaluate(engine, (x) => cast(present(x), 'int8'), [wide]), array('int8', [3], [44, 127, 1]));
      expectClose(
        await evaluate(engine, (x) => cast(present(x), 'uint16'), [wide]),
        array('uint16', [3], [300, 65_407, 1]),
      );
    }
  });

  test('gradients flow between floats', async () => {
    await expectGradientsRight((x) => cast(cast(present(x), 'float32'), 'float64'), [spread([3, 2], -1, 1)]);
  });
});

describe('integers', () => {
  test('divided by 0 are 0, and the least divided by -1 is itself, on both engines', async () => {
    const [a, b] = [array('int32', [3], [7, -7, -(2 ** 31)]), array('int32', [3], [0, 0, -1])];
    for (const engine of ['reference', 'onnxruntime'] as const) {
      expectClose(await evaluate(engine, binary(floorDiv), [a, b]), array('int32', [3], [0, 0, -(2 ** 31)]));
      expectClose(await evaluate(engine, binary(mod), [a, b]), array('int32', [3], [0, 0, 0]));
    }
  });

  test('shifted by their width or more, or by less than nothing, keep no bits but copies of the sign', async () => {
    for (const dtype of ['int8', 'int32', 'int64'] as const) {
      const [x, count] = [array(dtype, [5], [7, -7, 7, -7, -1]), array(dtype, [5], [64, 64, -1, -1, 100])];
      for (const engine of ['reference', 'onnxruntime'] as const) {
        expectClose(await evaluate(engine, binary(leftShift), [x, count]), array(dtype, [5], [0, 0, 0, 0, 0]));
        expectClose(await evaluate(engine, binary(rightShift), [x, count]), array(dtype, [5], [0, -1, 0, -1, -1]));
      }
    }
  });

  test('have bits, which floats and bools have not', () => {
    const [n, x, flag] = [tensor('n', 'int64', [2]), tensor('x', 'float32', [2]), tensor('flag', 'bool', [2])];
    expect(bitAnd(n, 7).dtype).toBe('int64');
    expect(() => bitAnd(n, x)).toThrow(
      'bitAnd: `n` int64 (2,) and `x` float32 (2,) cannot be computed with as float32; cast to an integer dtype first',
    );
    expect(() => bitNot(flag)).toThrow('bitNot: `flag` bool (2,) cannot be computed with as bool; cast to an integer');
    expect(() => leftShift(n, 0.5)).toThrow(/^leftShift: `n` int64 \(2,\) cannot be computed with as float64/);
  });
});

test('what is close is said by the tolerances, and NaN is close to NaN where that is asked for', async () => {
  const [a, b] = [array('float64', [3], [1, 1, Number.NaN]), array('float64', [3], [1.01, 1.1, Number.NaN])];
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const tolerant = await evaluate(
      engine,
      binary((x, y) => isclose(x, y, { relativeTolerance: 0, absoluteTolerance: 0.05, equalNan: true })),
      [a, b],
    );
    expectClose(tolerant, array('bool', [3], [1, 0, 1]));
    expectClose(await evaluate(engine, binary(isclose), [a, b]), array('bool', [3], [0, 0, 0]));
  }
});

describe('operands', () => {
  test('a number takes the dtype of the variable beside it', () => {
    expect(mul(tensor('x', 'float64', [2]), 0.5).dtype).toBe('float64');
    expect(add(tensor('n', 'int64', [2]), 1).dtype).toBe('int64');
    expect(mul(tensor('n', 'int8', [2]), 0.5).dtype).toBe('float32');
  });

  test('a float beside an integer keeps its precision, and bools do not count as numbers', () => {
    const [x, n, flag] = [tensor('x', 'float32', [2]), tensor('n', 'int64', [2]), tensor('flag', 'bool', [2])];
    expect(mul(x, n).dtype).toBe('float32');
    expect(mul(x, flag).dtype).toBe('float32');
    expect(() => add(flag, flag)).toThrow(
      'add: `flag` bool (2,) and `flag` bool (2,) cannot be computed with as bool; cast',
    );
    expect(() => where(x, 1, 0)).toThrow('where: the condition `x` float32 (2,) is not a bool; compare it');
    expect(() => and(x, flag)).toThrow('and: `x` float32 (2,) and `flag` bool (2,) must be bool');
  });

  test('integer results wrap at their width on both engines', async () => {
    const values = [array('int8', [2], [100, -100]), array('int8', [2], [100, -100])];
    for (const engine of ['reference', 'onnxruntime'] as const) {
      expectClose(await evaluate(engine, binary(add), values), array('int8', [2], [-56, 56]));
    }
  });

  test('shapes that do not broadcast are refused with both variables, both shapes and the op', () => {
    expect(() => add(tensor('features', 'float32', [null, 784]), tensor('b', 'float32', [500]))).toThrow(
      'add: `features` float32 (null, 784) and `b` float32 (500,) do not broadcast; sizes must be equal or 1',
    );
  });
});
