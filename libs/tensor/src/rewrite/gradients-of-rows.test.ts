import { describe, expect, test } from 'vitest';

import {
  add,
  constant,
  dimshuffle,
  div,
  dot,
  exp,
  fill,
  gelu,
  grad,
  layerNormalization,
  matmul,
  mean,
  mul,
  neg,
  scalar,
  softmax,
  square,
  sub,
  sum,
  tensor,
  type Variable,
} from '../index.js';
import {
  expectRefusal,
  expectRewrite,
  expectSameValues,
  expectUntouched,
  hard,
  opsOf,
} from '../../test/rewrite-tester.js';
import { array, present, spread } from '../../test/op-laws.js';
import { commonFactor } from './common-factor.js';
import { filledOperands } from './filled-operands.js';
import { negatedSum } from './negated-sums.js';
import { rewritten } from './rewritten.js';
import { slopeOfSquares } from './slope-of-squares.js';
import { softmaxOfProduct } from './softmax-of-product.js';
import { sumOfDeviations } from './sum-of-deviations.js';

const x = tensor('x', 'float32', [3, 4]);
const inputs = [x];

function ordinary(shape: readonly number[], low: number, high: number) {
  return array('float32', shape, [...spread(shape, low, high).data].map(Number));
}

describe('an array that is filled with a number or a column', () => {
  const number = scalar('number', 'float32');
  const column = tensor('column', 'float32', [3, 1]);

  test('is that number or that column beside another array, with the same bits', async () => {
    const outputs = [
      mul(fill(x, number), x),
      add(x, fill(x, column)),
      div(x, fill(x, number)),
      div(fill(x, column), x),
      sub(fill(x, column), x),
    ];
    await expectRewrite(filledOperands, {
      inputs: [number, column, x],
      outputs,
      values: [array('float32', [], [-0.3]), hard(3, 1), hard(3, 4)],
      ops: ['mul', 'add', 'div', 'div', 'sub'],
      times: 5,
    });
  });

  test('stays where an engine may make something else of it, or nothing else has its size', () => {
    const product = dot(tensor('a', 'float32', [3, 2]), tensor('b', 'float32', [2, 4]));
    const given = [x, number, ...(product.owner?.inputs ?? [])];
    const reason = 'an engine may fuse it with a product';
    for (const output of [mul(product, fill(product, number)), add(mul(product, 2), fill(x, number))]) {
      expectRefusal(filledOperands, [output], reason, given);
    }
    for (const value of [constant(0, 'float32'), div(1, number)]) {
      expectRefusal(filledOperands, [mul(x, fill(x, value))], 'an engine may leave out what is filled', given);
    }
    const row = tensor('row', 'float32', [4]);
    const unknown = tensor('unknown', 'float32', [null, 4]);
    const others = [
      mul(x, fill(x, row)),
      mul(fill(x, number), fill(x, number)),
      mul(fill(x, number), row),
      mul(unknown, fill(unknown, number)),
    ];
    expectUntouched(filledOperands, others, [x, row, number, unknown]);
  });
});

test('a sum over what is negated is negated itself', async () => {
  await expectRewrite(negatedSum, {
    inputs,
    outputs: [sum(neg(x), { axis: 1 }), sum(neg(mul(x, 2)), { axis: 0, keepdims: true })],
    values: [array('float32', [3, 4], [1, -1, 2, -2, NaN, 1, 0, 3, Infinity, 1e-40, 7, -0.5])],
    ops: ['sum', 'neg', 'mul', 'sum', 'neg'],
    times: 2,
    // Of a sum that is 0.
    ulps: 1,
  });
});

test('the gradient of a mean of squares is one product, also of arrays of unknown sizes', async () => {
  for (const z of [x, tensor('unknown', 'float32', [null, 4])]) {
    const before = mul(fill(square(z), div(1, constant(12, 'float32'))), mul(z, 2));
    await expectRewrite(slopeOfSquares, {
      inputs: [z],
      outputs: [before],
      values: [ordinary([3, 4], -2, 3)],
      ops: ['div', 'mul', 'mul'],
      ulps: 2,
    });
  }
  const [row, three] = [tensor('row', 'float32', [4]), constant(3, 'float32')];
  const others = [
    mul(fill(square(x), row), mul(x, 2)),
    mul(fill(square(x), three), mul(x, 3)),
    mul(fill(x, three), mul(x, 2)),
  ];
  expectUntouched(slopeOfSquares, others, [x, row]);
});

describe('the gradient of a Gelu', () => {
  const g = tensor('g', 'float32', [3, 4]);
  const gradientOf = (one: Variable): Variable => present(grad(sum(mul(gelu(one), g)), [one])[0]);

  test('has what it comes from for a factor', async () => {
    const [after] = await expectRewrite(commonFactor, {
      inputs: [x, g],
      outputs: [gradientOf(x)],
      values: [ordinary([3, 4], -0.5, 2), ordinary([3, 4], -1, 1)],
      ops: [
        ['mul', 'mul', 'erf', 'add', 'mul', 'mul', 'dimshuffle', 'fill', 'mul'],
        ['mul', 'square', 'sub', 'exp', 'mul', 'add', 'mul'],
      ].flat(),
      ulps: 8,
    });
    expect(present(after).shape).toEqual([3, 4]);
  });

  test('stays where it may broadcast, or its numbers are of two signs', () => {
    const unknown = tensor('unknown', 'float32', [null, 4]);
    const output = present(grad(sum(gelu(unknown)), [unknown])[0]);
    expectRefusal(commonFactor, [output], 'it may broadcast', [unknown]);
    const power = mul(exp(neg(square(x))), 3);
    const other = add(mul(mul(g, x), 2), mul(mul(mul(g, x), power), -1));
    expectRefusal(commonFactor, [other], 'the quotient of its numbers has no logarithm', [x, g]);
  });
});

describe('the gradient of a normalization', () => {
  const g = tensor('g', 'float32', [3, 4]);
  const over = (axis: number) => ({ axis, keepdims: true });

  test('leaves out that deviations from a mean add up to 0', async () => {
    const [gradient] = grad(sum(mul(layerNormalization(x, 1, 0), g)), [x]);
    const { outputs } = rewritten([present(gradient)], { inputs: [x, g], stages: [[negatedSum, filledOperands]] });
    const after = rewritten(outputs, { inputs: [x, g], stages: [[sumOfDeviations]] });
    expect(after.history.fired).toEqual(new Map([[sumOfDeviations.name, 1]]));
    const sumsOf = (of: readonly Variable[]): number => opsOf(of).filter((name) => name === 'sum').length;
    expect(sumsOf(after.outputs)).toBe(sumsOf(outputs) - 1);
    const slopes = Array.from({ length: 12 }, (_, k) => Math.sin(k * k));
    const values = [ordinary([3, 4], -2, 3), array('float32', [3, 4], slopes)];
    await expectSameValues([x, g], outputs, after.outputs, values, 64);
  });

  test('has sums of what is not 2 deviations, of other axes, or times what differs along them', () => {
    const column = tensor('column', 'float32', [3, 1]);
    const less = (y: Variable, axis = 1): Variable => add(y, div(neg(sum(y, over(axis))), 4));
    const deviations = mul(sub(x, mean(x, over(1))), 2);
    const outputs = [
      less(mul(column, sub(x, mean(x, over(1))))),
      less(mul(column, mul(sub(x, mean(g, over(1))), 2))),
      less(mul(column, deviations), 0),
      less(mul(g, deviations)),
      less(mul(column, mul(sub(x, mean(x, over(0))), 2))),
    ];
    expectUntouched(sumOfDeviations, outputs, [x, g, column]);
  });
});

describe('the gradient of attention', () => {
  const of = (words: number, dim: number) => {
    const [q, k, v] = ['q', 'k', 'v'].map((name) => tensor(name, 'float32', [2, words, dim]));
    const weights = softmax(matmul(present(q), dimshuffle(present(k), [0, 2, 1])));
    const mixed = matmul(weights, present(v));
    return {
      given: [q, k, v].map(present),
      weights,
      gradients: grad(sum(square(mixed)), [present(q), present(k)]).map(present),
    };
  };

  test('sums the products of what comes out of it, which are fewer', async () => {
    const { given, gradients } = of(5, 3);
    const values = given.map((_, at) => ordinary([2, 5, 3], -1, 1 + at));
    const after = await expectRewrite(softmaxOfProduct, {
      inputs: given,
      outputs: gradients,
      values,
      ops: [
        ['dimshuffle', 'matmul', 'softmax', 'matmul', 'square', 'dimshuffle', 'fill', 'mul', 'mul', 'dimshuffle'],
        ['matmul', 'mul', 'sum', 'sub', 'mul', 'dimshuffle', 'matmul', 'dimshuffle', 'matmul', 'dimshuffle'],
      ].flat(),
      ulps: 64,
    });
    expect(after).toHaveLength(2);
  });

  test('stays where they are no fewer, or nothing comes out', () => {
    const { given, gradients } = of(3, 5);
    expectUntouched(softmaxOfProduct, gradients, given);
    const [y, d] = [softmax(x), tensor('d', 'float32', [3, 4])];
    expectUntouched(softmaxOfProduct, [present(grad(sum(mul(y, d)), [x])[0])], [x, d]);
  });
});
