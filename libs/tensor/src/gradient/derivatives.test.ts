import { ndarray, type NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  argmax,
  compile,
  DisconnectedInput,
  dot,
  grad,
  gt,
  hessianTimesVector,
  jacobian,
  logistic,
  max,
  mul,
  pow,
  rOp,
  scan,
  softmax,
  square,
  sum,
  tanh,
  tensor,
  vector,
  where,
  type Variable,
} from '../index.js';
import { array, expectClose, present, spread } from '../../test/op-laws.js';

const ENGINES = ['reference', 'onnxruntime'] as const;

/** A function of x, (3, 2), and w, (2,). */
type Build = (x: Variable, w: Variable) => Variable;

const FUNCTIONS: Readonly<Record<string, Build>> = {
  'elementwise ops that broadcast': (x, w) => tanh(mul(x, w)),
  'a dot product': (x, w) => dot(square(x), w),
  softmax: (x, w) => softmax(mul(x, w)),
  reductions: (x, w) => mul(max(x, { axis: 0 }), sum(square(w))),
  branches: (x, w) => where(gt(x, w), pow(w, 3), mul(x, logistic(w))),
  'a scan': (x, w) =>
    present(scan((row, state) => tanh(add(mul(row, w), state)), { sequences: [x], outputsInfo: [w] })[0]),
};

const POINT = [spread([3, 2], -1, 1), spread([2], -1, 1, 1)] as const;
const DIRECTION = [spread([3, 2], -1, 1, 2), spread([2], -1, 1, 3)] as const;

/** The two inputs, the first with as many rows as the data have. */
function inputs(suffix = ''): [Variable, Variable] {
  return [tensor(`x${suffix}`, 'float64', [null, 2]), tensor(`w${suffix}`, 'float64', [2])];
}

async function run(
  engine: string,
  variables: readonly Variable[],
  outputs: readonly Variable[],
  values: readonly NdArray[],
): Promise<NdArray[]> {
  const f = await compile({ inputs: variables, outputs, engine, threads: 1, onUnusedInput: 'ignore' });
  const results = await f.run(values);
  await f.dispose();
  return results;
}

/** The central difference of what `build` makes, at the point and along the direction. */
async function differenceAlong(build: Build, direction: readonly NdArray[]): Promise<NdArray> {
  const [x, w] = inputs();
  const step = 1e-5;
  const moved = async (by: number): Promise<NdArray> => {
    const values = POINT.map(({ dtype, shape, data }, at) => {
      const along = present(direction[at]).data;
      return array(
        dtype,
        shape,
        Array.from(data, Number).map((value, element) => value + by * Number(along[element])),
      );
    });
    return present((await run('reference', [x, w], [build(x, w)], values))[0]);
  };
  const [before, after] = [await moved(-step), await moved(step)];
  return array(
    'float64',
    after.shape,
    Array.from(after.data, Number).map((value, element) => (value - Number(before.data[element])) / (2 * step)),
  );
}

/** The arrays that are 1 in one element of one of the two inputs and 0 elsewhere, in order. */
function unitDirections(which: 0 | 1): NdArray[][] {
  return Array.from(POINT[which].data, Number).map((_, element) =>
    POINT.map(({ dtype, shape }, at) => {
      const unit = ndarray(dtype, shape);
      if (at === which) unit.data[element] = 1;
      return unit;
    }),
  );
}

describe.each(Object.entries(FUNCTIONS))('derivatives of %s', (_name, build) => {
  test.each(ENGINES)('1.T-13: rOp is the derivative along a direction, on %s', async (engine) => {
    const [[x, w], [dx, dw]] = [inputs(), inputs('Direction')];
    const output = build(x, w);
    const derivative = rOp(output, [x, w], [dx, dw]);
    const [value] = await run(engine, [x, w, dx, dw], [derivative], [...POINT, ...DIRECTION]);
    expectClose(present(value), await differenceAlong(build, DIRECTION), 1e-8);
  });

  test.each(ENGINES)('a Jacobian has the derivative of each element by each element, on %s', async (engine) => {
    const [x, w] = inputs();
    const output = build(x, w);
    const jacobians = await run(engine, [x, w], jacobian(output, [x, w]), POINT);
    for (const which of [0, 1] as const) {
      const { shape, data } = present(jacobians[which]);
      const columns = await Promise.all(unitDirections(which).map((unit) => differenceAlong(build, unit)));
      expect(shape).toEqual([...present(columns[0]).shape, ...POINT[which].shape]);
      for (const [column, expected] of columns.entries()) {
        const found = Array.from(data, Number).filter((_, at) => at % columns.length === column);
        expectClose(array('float64', expected.shape, found), expected, 1e-8);
      }
    }
  });

  test.each(ENGINES)('1.6-05: a Hessian times a vector is the change of the gradient, on %s', async (engine) => {
    const [[x, w], [, dw]] = [inputs(), inputs('Direction')];
    const gradientOf: Build = (a, b) => present(grad(sum(square(build(a, b))), [b])[0]);
    const gradient = gradientOf(x, w);
    const products = [false, true].map((byROp) => hessianTimesVector(gradient, w, dw, { rOp: byROp }));
    const results = await run(engine, [x, w, dw], products, [...POINT, DIRECTION[1]]);
    const expected = await differenceAlong(gradientOf, [ndarray('float64', [3, 2]), DIRECTION[1]]);
    for (const result of results) expectClose(result, expected, 1e-8);
  });
});

test('the vector of a Hessian-vector product is constant, also where it depends on the parameter', async () => {
  const w = vector('w', 'float64');
  const gradient = present(grad(sum(pow(w, 3)), [w])[0]);
  const [product] = await run(
    'reference',
    [w],
    [hessianTimesVector(gradient, w, mul(w, 5))],
    [array('float64', [2], [1, 2])],
  );
  // 6 w times 5 w.
  expectClose(present(product), array('float64', [2], [30, 120]));
});

test.each(ENGINES)('of nothing, Jacobian and derivative are empty, on %s', async (engine) => {
  const [x, w] = inputs();
  const none = [ndarray('float64', [0, 2]), POINT[1]];
  const output = tanh(mul(x, w));
  const results = await run(engine, [x, w], [...jacobian(output, [x, w]), rOp(output, [x, w], [x, w])], none);
  expect(results.map(({ shape }) => shape)).toEqual([
    [0, 2, 0, 2],
    [0, 2, 2],
    [0, 2],
  ]);
});

test('a Jacobian of a scalar is its gradient, and of an unknown number of elements has unknown sizes', () => {
  const [x, w] = inputs();
  expect(jacobian(sum(mul(x, w)), [x, w]).map(({ shape }) => shape)).toEqual([[null, 2], [2]]);
  expect(jacobian(mul(x, w), [w]).map(({ shape }) => shape)).toEqual([[null, 2, 2]]);
});

test('what does not depend on a variable has no derivative by it, unless zeros are asked for', async () => {
  const [x, w] = inputs();
  expect(() => rOp(tanh(w), [x], [x])).toThrow(DisconnectedInput);
  expect(() => jacobian(tanh(w), [x])).toThrow(DisconnectedInput);
  const zero = { disconnectedInputs: 'zero' } as const;
  const zeros = [rOp(tanh(w), [x], [x], zero), ...jacobian(tanh(w), [x], zero)];
  const results = await run('reference', [x, w], zeros, POINT);
  expectClose(present(results[0]), ndarray('float64', [2]));
  expectClose(present(results[1]), ndarray('float64', [2, 3, 2]));
});

test('derivatives of integers and directions that do not fit are refused', () => {
  const [x, w] = inputs();
  expect(() => rOp(argmax(x), [x], [x])).toThrow('rOp: `argmax.0` int64 (null,) is not a float');
  expect(() => jacobian(argmax(x), [x])).toThrow('jacobian: `argmax.0` int64 (null,) is not a float');
  expect(() => rOp(mul(x, w), [x, w], [x])).toThrow('rOp: there are 1 evalPoints for 2 variables of wrt');
  expect(() => rOp(mul(x, w), [w], [x])).toThrow(
    'rOp: `x` float64 (null, 2) is no direction of `w` float64 (2,); give one of its dtype and shape',
  );
});
