import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  add,
  cast,
  compile,
  concatenate,
  dimension,
  dimshuffle,
  dot,
  fill,
  flatten,
  grad,
  mul,
  onesLike,
  pick,
  reshape,
  slice,
  square,
  sum,
  tensor,
  transpose,
  zerosLike,
  type Variable,
} from '../index.js';
import {
  anyShape,
  array,
  arrayOf,
  evaluate,
  expectClose,
  expectEnginesAgree,
  expectGradientsRight,
  spread,
} from '../../test/op-laws.js';

describe('dimshuffle', () => {
  const property = anyShape().chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      order: fc
        .shuffledSubarray(
          shape.map((_, axis) => axis),
          { minLength: shape.length },
        )
        .chain((axes) =>
          fc.array(fc.integer({ min: 0, max: axes.length }), { maxLength: 2 }).map((at) => insertAxes(axes, at)),
        ),
    }),
  );

  test('both engines agree on any order, new axes included', async () => {
    const values = property.chain(({ shape, order }) =>
      arrayOf('float32', shape, -2, 2).map((value) => ({ value, order })),
    );
    await fc.assert(
      fc.asyncProperty(values, ({ value, order }) =>
        expectEnginesAgree((x) => dimshuffle(given(x), order), [value], { gradients: true }),
      ),
      { numRuns: 30 },
    );
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shape, order }) =>
        expectGradientsRight((x) => dimshuffle(given(x), order), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('axes of size 1 can be left out, and come back in the gradient', async () => {
    await expectGradientsRight((x) => dimshuffle(given(x), [2, 0]), [spread([3, 1, 2], -1, 1)]);
    expectClose(
      await evaluate('onnxruntime', (x) => dimshuffle(given(x), [2, 0]), [array('float32', [2, 1, 2], [1, 2, 3, 4])]),
      array('float32', [2, 2], [1, 3, 2, 4]),
    );
  });

  test('an axis that may be larger than 1 cannot be left out', () => {
    expect(() => dimshuffle(tensor('x', 'float32', [null, 3]), [1])).toThrow(
      'dimshuffle: `x` float32 (null, 3) cannot be arranged as [1]; each axis may appear once',
    );
  });

  test('transpose reverses the axes', () => {
    expect(transpose(tensor('x', 'float32', [2, null, 4])).shape).toEqual([4, null, 2]);
  });
});

describe('reshape', () => {
  test('both engines agree, sizes given as numbers, as variables and as -1', async () => {
    const value = array('float32', [2, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await expectEnginesAgree((x) => square(reshape(given(x), [3, 4])), [value], { gradients: true });
    await expectEnginesAgree((x) => square(reshape(given(x), [-1, 4])), [value], { gradients: true });
    await expectEnginesAgree((x) => square(reshape(given(x), [dimension(given(x), 0), 3, -1])), [value], {
      gradients: true,
    });
    await expectEnginesAgree((x) => square(reshape(given(x), [])), [array('float32', [1, 1], [3])], {
      gradients: true,
    });
    await expectEnginesAgree((x) => square(reshape(given(x), [4, 0])), [array('float32', [0, 3], [])], {
      gradients: true,
    });
    await expectEnginesAgree((x) => flatten(given(x), 2), [array('float32', [0, 3, 2], [])], { gradients: true });
  });

  test('the gradient is that of finite differences', async () => {
    await expectGradientsRight((x) => reshape(given(x), [3, -1]), [spread([2, 6], -1, 1)]);
    await expectGradientsRight((x) => flatten(given(x), 2), [spread([2, 3, 2], -1, 1)]);
  });

  test('flatten keeps the first axes', () => {
    const x = tensor('x', 'float32', [null, 28, 28]);
    expect(flatten(x, 2).shape).toEqual([null, 784]);
    expect(flatten(x).shape).toEqual([null]);
    expect(flatten(tensor('x', 'float32', [2, 3, 4])).shape).toEqual([24]);
    expect(() => flatten(x, 4)).toThrow('flatten: `x` float32 (null, 28, 28) cannot be given 4 axes; give 1 to 3');
  });

  test('another number of elements is refused when it is known, and an error when it turns out', async () => {
    const message = /reshape: `x` float32 \(2, 3\) of size \(2, 3\) cannot take the shape \(4, -1\)/;
    expect(() => reshape(tensor('x', 'float32', [2, 3]), [4, -1])).toThrow(message);
    expect(() => reshape(tensor('x', 'float32', [2, 3]), [-1, -1])).toThrow('with -1 once at most');
    for (const engine of ['reference', 'onnxruntime'] as const) {
      const build = (x?: Variable): Variable => reshape(given(x), [cast(add(dimension(given(x), 0), 1), 'int64'), 2]);
      await expect(
        evaluate(engine, (x) => build(sliceAll(x)), [array('float32', [2, 2], [1, 2, 3, 4])]),
      ).rejects.toThrow(/reshape/i);
    }
  });
});

describe('concatenate', () => {
  const property = fc
    .tuple(
      anyShape({ minRank: 1 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat(2),
    )
    .map(([shape, sizes, axis]) => ({
      shapes: sizes.map((size) => shape.with(axis % shape.length, size)),
      axis: axis % shape.length,
    }));

  test('both engines agree along any axis, empty parts included', async () => {
    const values = property.chain(({ shapes, axis }) =>
      fc.tuple(...shapes.map((shape) => arrayOf('float32', shape, -2, 2))).map((arrays) => ({ arrays, axis })),
    );
    await fc.assert(
      fc.asyncProperty(values, ({ arrays, axis }) =>
        expectEnginesAgree((...parts) => square(concatenate(parts, axis)), arrays, { gradients: true }),
      ),
      { numRuns: 30 },
    );
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shapes, axis }) =>
        expectGradientsRight(
          (...parts) => square(concatenate(parts, axis)),
          shapes.map((shape, at) => spread(shape, -2, 2, at)),
        ),
      ),
      { numRuns: 15 },
    );
  });

  test('parts that do not agree in another axis are refused', () => {
    const parts = [tensor('a', 'float32', [2, 3]), tensor('b', 'float32', [2, 4])];
    expect(() => concatenate(parts)).toThrow(
      'concatenate: `a` float32 (2, 3), `b` float32 (2, 4) do not agree in the axes other than 0; they must',
    );
    expect(concatenate(parts, 1).shape).toEqual([2, 7]);
    expect(() => concatenate([])).toThrow('no variables were given');
  });
});

describe('slice', () => {
  const property = anyShape({ minRank: 1 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      start: fc.nat(4),
      length: fc.nat(4),
    }),
  );

  test('both engines agree on any part, empty ones and those beyond the end included', async () => {
    const values = property.chain((what) => arrayOf('float32', what.shape, -2, 2).map((value) => ({ ...what, value })));
    await fc.assert(
      fc.asyncProperty(values, ({ value, axis, start, length }) =>
        expectEnginesAgree((x) => square(slice(given(x), start, start + length, { axis })), [value], {
          gradients: true,
        }),
      ),
      { numRuns: 30 },
    );
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shape, axis, start, length }) =>
        expectGradientsRight((x) => square(slice(given(x), start, start + length, { axis })), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('the gradient of its gradient is right too', async () => {
    const slope = (x?: Variable): Variable => {
      const cost = sum(mul(square(slice(given(x), 1, 3, { axis: 1 })), slice(given(x), 0, 2, { axis: 1 })));
      const [gradient] = grad(cost, [given(x)]);
      return given(gradient);
    };
    await expectGradientsRight(slope, [spread([2, 4], -2, 2)]);
    await expectEnginesAgree(slope, [arrayLike([3, 4])], { gradients: true });
  });

  test('bounds below 0 are refused', () => {
    expect(() => slice(tensor('x', 'float32', [3]), -1, 2)).toThrow('slice: `x` float32 (3,) cannot be cut at -1');
  });
});

describe('fill', () => {
  test('both engines agree, batches of 0 and 1 included', async () => {
    for (const rows of [0, 1, 3]) {
      const like = arrayLike([rows, 2]);
      await expectEnginesAgree((x) => mul(zerosLike(given(x)), given(x)), [like], { gradients: true });
      await expectEnginesAgree((x) => onesLike(given(x)), [like], { gradients: true });
      await expectEnginesAgree(
        (x, value) => fill(given(x), square(given(value))),
        [like, array('float32', [2], [3, 4])],
        { gradients: true },
      );
    }
  });

  test('the gradient is that of finite differences', async () => {
    await expectGradientsRight(
      (x, value) => fill(given(x), square(given(value))),
      [spread([3, 2], -1, 1), spread([2], -1, 1, 1)],
    );
    await expectGradientsRight(
      (x, value) => fill(given(x), square(given(value))),
      [spread([3, 2], -1, 1), spread([1, 1], -1, 1, 1)],
    );
  });

  test('a value that does not broadcast is refused', () => {
    expect(() => fill(tensor('x', 'float32', [3]), tensor('v', 'float32', [2]))).toThrow(
      'fill: `v` float32 (2,) does not broadcast to the shape of `x` float32 (3,)',
    );
  });
});

describe('dimension', () => {
  test('both engines agree, and a known size is a constant', async () => {
    await expectEnginesAgree((x) => dimension(given(x), -2), [arrayLike([3, 2])]);
    expect(dimension(tensor('x', 'float32', [null, 7]), 1).toString()).toBe('7');
    expect(sum(tensor('x', 'float32', [null, 7]), { axis: 0 }).shape).toEqual([7]);
  });
});

describe('sizes that disagree only when the graph runs', () => {
  const [x, a, b] = [tensor('x', 'float32', [6]), tensor('a', 'int64', []), tensor('b', 'int64', [])];
  const [first, second] = [slice(x, 0, a), slice(x, 0, b)];
  const column = (part: Variable): Variable => dimshuffle(part, [0, 'x']);
  const disagreements = [
    { name: 'add', output: add(first, second), message: 'add: `slice.0` float32 (null,) of size (1,) and' },
    {
      name: 'concatenate',
      output: concatenate([column(first), column(second)], 1),
      message: 'of sizes (1, 1), (3, 1)',
    },
    { name: 'dot', output: dot(first, column(second)), message: 'dot: `slice.0` float32 (null,) of size (1,)' },
    {
      name: 'pick',
      output: pick(reshape(x, [3, 2]), cast(first, 'int64')),
      message: 'pick: `cast.0` int64 (null,) of size (1,) does not index the rows',
    },
  ];

  test.each(disagreements)('are an error of the reference engine: $name', async ({ output, message }) => {
    const f = await compile({ inputs: [x, a, b], outputs: [output], engine: 'reference', onUnusedInput: 'ignore' });
    const run = f.run([array('float32', [6], [1, 2, 3, 4, 5, 6]), array('int64', [], [1]), array('int64', [], [3])]);
    await expect(run).rejects.toThrow(message);
  });

  test.each(disagreements.slice(1))('are an error of ONNX Runtime: $name', async ({ name, output }) => {
    const f = await compile({ inputs: [x, a, b], outputs: [output], onUnusedInput: 'ignore' });
    const run = f.run([array('float32', [6], [1, 2, 3, 4, 5, 6]), array('int64', [], [1]), array('int64', [], [3])]);
    await expect(run).rejects.toThrow(name);
  });
});

function insertAxes(axes: readonly number[], positions: readonly number[]): (number | 'x')[] {
  const order: (number | 'x')[] = [...axes];
  for (const at of positions) order.splice(at, 0, 'x');
  return order;
}

function arrayLike(shape: readonly [number, number]): ReturnType<typeof array> {
  return array(
    'float32',
    shape,
    Array.from({ length: shape[0] * shape[1] }, (_, at) => at + 1),
  );
}

/** All of x, its first size forgotten. */
function sliceAll(x: Variable | undefined): Variable {
  const known = given(x);
  return slice(known, 0, sum(onesLike(cast(slice(known, 0, 1), 'int64'))));
}

function given(variable: Variable | undefined): Variable {
  if (variable === undefined) throw new Error('An operand is missing');
  return variable;
}
