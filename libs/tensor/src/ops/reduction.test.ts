import type { DType } from '@longrun/serialization';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  all,
  any,
  argmax,
  argmin,
  grad,
  logsumexp,
  max,
  mean,
  min,
  norm,
  prod,
  square,
  std,
  sum,
  tensor,
  variance,
  type ReductionOptions,
  type Variable,
} from '../index.js';
import { drawn, expectEnginesAgree, together, type Law } from '../../test/agreement.js';
import {
  anyShape,
  array,
  arrayOf,
  evaluate,
  expectClose,
  expectGradientsRight,
  spread,
  present,
} from '../../test/op-laws.js';

const numbers: readonly DType[] = [
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
];
/** Those of a reduction that casts integers to floats first, which cast's own tests are about. */
const castToFloat: readonly DType[] = ['float32', 'float64', 'int64'];

interface Reduction {
  readonly name: string;
  readonly op: (x: Variable, options: ReductionOptions) => Variable;
  readonly minSize: number;
  /** The largest integer that it is given, where larger ones would overflow. Default 3. */
  readonly largest?: number;
  /** There is no gradient where a single element is reduced, or equal ones. */
  readonly isKinked?: boolean;
  /** Default all that are numbers. */
  readonly dtypes?: readonly DType[];
}

const reductions: readonly Reduction[] = [
  { name: '1.T-60: sum', op: sum, minSize: 0 },
  { name: '1.T-31: mean', op: mean, minSize: 0 },
  { name: '1.T-29: max', op: max, minSize: 1 },
  { name: 'min', op: min, minSize: 1 },
  { name: 'prod', op: prod, minSize: 0, largest: 1 },
  { name: 'logsumexp', op: logsumexp, minSize: 0, dtypes: castToFloat },
  { name: 'variance', op: variance, minSize: 0, dtypes: castToFloat },
  { name: 'std', op: std, minSize: 0, isKinked: true, dtypes: castToFloat },
  { name: 'norm', op: norm, minSize: 0, dtypes: castToFloat },
];

/** A shape with some of its axes, negative ones among them. */
function shapeAndAxes(
  minSize: number,
): fc.Arbitrary<{ shape: number[]; axis: number[] | undefined; keepdims: boolean }> {
  return anyShape({ minSize }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.option(
        fc
          .subarray(shape.map((_, at) => at))
          .chain((axes) =>
            fc
              .array(fc.boolean(), { minLength: 3, maxLength: 3 })
              .map((negative) => axes.map((at, k) => (negative[k] ? at - shape.length : at))),
          ),
        { nil: undefined },
      ),
      keepdims: fc.boolean(),
    }),
  );
}

/** As {@link shapeAndAxes}, but with several elements to reduce. */
const severalAlongAxes = shapeAndAxes(2).filter(
  ({ shape, axis }) => shape.length > 0 && (axis === undefined || axis.length > 0),
);

function options(axis: number[] | undefined, keepdims: boolean): ReductionOptions {
  return axis === undefined ? { keepdims } : { axis, keepdims };
}

/** What engines are to agree on of a reduction: each dtype over any axes, and numbers that are none. */
function lawsOf({ op, minSize, largest = 3, isKinked = false, dtypes = numbers }: Reduction): Record<string, Law> {
  const laws = dtypes.map((dtype): [string, Law] => {
    const operands = shapeAndAxes(minSize).chain((what) =>
      arrayOf(dtype, what.shape, dtype.startsWith('uint') ? 0 : -largest, largest).map((value) => ({ ...what, value })),
    );
    const law = drawn(operands, dtype.startsWith('float') ? 6 : 2, ({ axis, keepdims, value }) => ({
      build: (x) => op(present(x), options(axis, keepdims)),
      values: [value],
      gradients: dtype === 'float32' && !isKinked,
    }));
    return [dtype, law];
  });
  const value = array(
    'float32',
    [4, 3],
    [Number.NaN, 1, 2, Infinity, 1, 0, -Infinity, 1, 0, -Infinity, -Infinity, -Infinity],
  );
  const ofSpecial = { agreements: [{ build: (x?: Variable) => op(present(x), { axis: 1 }), values: [value] }] };
  return { ...Object.fromEntries(laws), [SPECIAL]: ofSpecial };
}

const SPECIAL = 'special values';

describe.each(reductions)('$name', (reduction) => {
  const { op, isKinked = false, dtypes = numbers } = reduction;
  const agreed = together(() => lawsOf(reduction));

  test.each(dtypes)('both engines agree over any axes: %s', async (dtype) => {
    await agreed(dtype);
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(isKinked ? severalAlongAxes : shapeAndAxes(1), ({ shape, axis, keepdims }) =>
        expectGradientsRight((x) => op(present(x), options(axis, keepdims)), [spread(shape, -2, 2)]),
      ),
      { numRuns: 6 },
    );
  });

  test('both engines agree on NaN and infinities', async () => {
    await agreed(SPECIAL);
  });

  test('an axis that is not there, or named twice, is refused', () => {
    const x = tensor('x', 'float32', [null, 3]);
    expect(() => op(x, { axis: 2 })).toThrow(
      `${op.name}: \`x\` float32 (null, 3) has 2 axes but axis is 2; give one from -2 to 1`,
    );
    expect(() => op(x, { axis: [0, -2] })).toThrow(/name one axis twice/);
  });
});

test('integers and bools are summed in int64, and averaged in floats', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const flags = array('bool', [4], [1, 0, 1, 1]);
    expectClose(await evaluate(engine, (x) => sum(present(x)), [flags]), array('int64', [], [3]));
    expectClose(await evaluate(engine, (x) => mean(present(x)), [flags]), array('float32', [], [0.75]));
    expectClose(
      await evaluate(engine, (x) => mean(present(x)), [array('int64', [2], [1, 2])]),
      array('float64', [], [1.5]),
    );
    expectClose(
      await evaluate(engine, (x) => sum(present(x)), [array('int8', [2], [100, 100])]),
      array('int64', [], [200]),
    );
  }
});

test('the mean of nothing is NaN and its sum 0', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const nothing = array('float32', [0, 2], []);
    expectClose(
      await evaluate(engine, (x) => mean(present(x), { axis: 0 }), [nothing]),
      array('float32', [2], [Number.NaN, Number.NaN]),
    );
    expectClose(await evaluate(engine, (x) => sum(present(x), { axis: 0 }), [nothing]), array('float32', [2], [0, 0]));
  }
});

test('the maximum of nothing is -Infinity, and it has no position', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const nothing = array('float32', [0, 2], []);
    expectClose(
      await evaluate(engine, (x) => max(present(x), { axis: 0 }), [nothing]),
      array('float32', [2], [-Infinity, -Infinity]),
    );
    await expect(evaluate(engine, (x) => argmax(present(x), { axis: 0 }), [nothing])).rejects.toThrow(/argmax/i);
  }
});

test('every element that equals the maximum gets the gradient, as in Theano', async () => {
  await expectEnginesAgree((x) => max(present(x), { axis: 1 }), [array('float32', [2, 3], [1, 3, 3, 2, 2, 2])], {
    gradients: true,
  });
});

describe('1.T-65: argmax', () => {
  const agreed = together(() =>
    Object.fromEntries(
      numbers.map((dtype): [string, Law] => {
        const operands = anyShape({ minSize: 1, minRank: 1 }).chain((shape) =>
          fc.record({
            value: arrayOf('int8', shape, dtype.startsWith('uint') ? 0 : -2, 2).map((value) =>
              array(dtype, shape, Array.from(value.data, Number)),
            ),
            axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
            keepdims: fc.boolean(),
          }),
        );
        const law = drawn(operands, dtype === 'float32' ? 15 : 4, ({ value, axis, keepdims }) => ({
          build: (x) => argmax(present(x), { axis, keepdims }),
          values: [value],
        }));
        return [dtype, law];
      }),
    ),
  );

  test.each(numbers)('both engines agree along any axis, ties included: %s', async (dtype) => {
    await agreed(dtype);
  });

  test('the first of equal maxima is taken, along the last axis by default', async () => {
    const result = await evaluate('onnxruntime', (x) => argmax(present(x)), [
      array('float32', [2, 3], [1, 3, 3, 2, 2, 2]),
    ]);
    expectClose(result, array('int64', [2], [1, 0]));
  });
});

test('1.T-52: the gradient of prod is that of finite differences where elements are 0', async () => {
  for (const values of [
    [0, 2, 3, -1.5],
    [0, 0, 3, 2],
    [0, 0, 0, 2],
  ]) {
    await expectGradientsRight((x) => prod(present(x)), [array('float64', [2, 2], values)]);
  }
});

test.each([prod, logsumexp, variance])('second derivatives are those of finite differences: %o', async (op) => {
  const slope = (x?: Variable): Variable => present(grad(sum(square(op(present(x), { axis: 0 }))), [present(x)])[0]);
  await expectGradientsRight(slope, [spread([3, 2], -2, 2)]);
});

test('derivatives of prod of any order are those of finite differences where elements are 0', async () => {
  const slope = (x?: Variable): Variable => present(grad(sum(square(prod(present(x), { axis: 0 }))), [present(x)])[0]);
  const onlyProduct = (x?: Variable): Variable => present(grad(prod(present(x)), [present(x)])[0]);
  const third = (x?: Variable): Variable => present(grad(sum(square(onlyProduct(x))), [present(x)])[0]);
  for (const values of [
    [0, 2, 3, -1.5, 0.5, 0],
    [0, 0, 3, 2, 1, -1],
    [0, 0, 0, 2, 0, 3],
  ]) {
    const x = array('float64', [3, 2], values);
    for (const build of [slope, onlyProduct, third]) await expectGradientsRight(build, [x]);
    for (const build of [slope, onlyProduct, third]) await expectEnginesAgree(build, [x], { gradients: true });
  }
});

test('integers are multiplied in int64', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    expectClose(
      await evaluate(engine, (x) => prod(present(x)), [array('int8', [3], [100, -100, 3])]),
      array('int64', [], [-30_000]),
    );
  }
});

test('logsumexp of nothing but -Infinity has a gradient of 0', async () => {
  const slope = (x?: Variable): Variable => present(grad(sum(logsumexp(present(x), { axis: 1 })), [present(x)])[0]);
  const rows = array('float32', [2, 2], [-Infinity, -Infinity, -Infinity, 3]);
  for (const engine of ['reference', 'onnxruntime'] as const) {
    expectClose(await evaluate(engine, slope, [rows]), array('float32', [2, 2], [0, 0, 0, 1]));
  }
});

describe.each([
  { name: '1.T-15: any', op: any },
  { name: '1.T-14: all', op: all },
])('$name', ({ op }) => {
  const dtypes = ['bool', 'float32', 'int64', 'uint8'] as const;
  const agreed = together(() =>
    Object.fromEntries(
      dtypes.map((dtype): [string, Law] => {
        const operands = shapeAndAxes(0).chain((what) =>
          arrayOf('int8', what.shape, 0, 1).map((value) => ({
            ...what,
            value: array(dtype, what.shape, Array.from(value.data, Number)),
          })),
        );
        const law = drawn(operands, dtype === 'bool' ? 10 : 4, ({ axis, keepdims, value }) => ({
          build: (x) => op(present(x), options(axis, keepdims)),
          values: [value],
        }));
        return [dtype, law];
      }),
    ),
  );

  test.each(dtypes)('both engines agree over any axes: %s', async (dtype) => {
    await agreed(dtype);
  });

  test('NaN is true, as it is not 0, and an axis that is not there is refused', async () => {
    const values = array('float32', [3, 1], [Number.NaN, 0, 1e-40]);
    for (const engine of ['reference', 'onnxruntime'] as const) {
      const result = await evaluate(engine, (x) => op(present(x), { axis: 1 }), [values]);
      expectClose(result, array('bool', [3], [1, 0, 1]));
    }
    expect(() => op(tensor('x', 'bool', [3]), { axis: 1 })).toThrow(`${op.name}: \`x\` bool (3,) has 1 axes`);
  });
});

describe('argmin', () => {
  test('is the first of equal minima, along the last axis by default, of unsigned and of least integers too', async () => {
    for (const engine of ['reference', 'onnxruntime'] as const) {
      for (const [dtype, least] of [
        ['uint8', 0],
        ['int8', -128],
        ['int64', -5],
        ['float32', -Infinity],
      ] as const) {
        const values = array(dtype, [2, 3], [3, least, least, 7, 7, 7]);
        expectClose(await evaluate(engine, (x) => argmin(present(x)), [values]), array('int64', [2], [1, 0]));
      }
    }
  });

  test('an axis that is not there is refused', () => {
    expect(() => argmin(tensor('x', 'float32', [3]), { axis: 1 })).toThrow('argmin: `x` float32 (3,) has 1 axes');
  });
});
