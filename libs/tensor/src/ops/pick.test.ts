import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  categoricalCrossEntropy,
  oneHot,
  pick,
  softmax,
  softmaxCrossEntropy,
  tensor,
  type Variable,
} from '../index.js';
import { expectEnginesAgree, expectEnginesAgreeOn } from '../../test/agreement.js';
import {
  anyShape,
  array,
  arrayOf,
  evaluate,
  expectClose,
  expectGradientsRight,
  present,
  spread,
} from '../../test/op-laws.js';

const engines = ['reference', 'onnxruntime'] as const;

/** Rows of logits with a label each, some labels counted from the end. */
const labelled = fc.tuple(anyShape(), fc.integer({ min: 1, max: 4 })).chain(([rows, classes]) =>
  fc.record({
    logits: arrayOf('float32', [...rows, classes], -3, 3),
    labels: arrayOf('int64', rows, -classes, classes - 1),
  }),
);

describe('pick', () => {
  test('both engines agree on any rows, negative labels included', async () => {
    await expectEnginesAgreeOn(labelled, 30, ({ logits, labels }) => ({
      build: (x, y) => pick(present(x), present(y)),
      values: [logits, labels],
      gradients: true,
    }));
  });

  test('the gradient is that of finite differences, for labels of any integer dtype', async () => {
    for (const dtype of ['int64', 'int32', 'uint8'] as const) {
      await expectGradientsRight(
        (x, y) => pick(present(x), present(y)),
        [spread([4, 3], -1, 1), array(dtype, [4], [0, 2, 1, 2])],
      );
    }
  });

  test('a label out of range is an error on both engines', async () => {
    for (const engine of engines) {
      const values = [array('float32', [2, 3], [1, 2, 3, 4, 5, 6]), array('int64', [2], [0, 3])];
      await expect(evaluate(engine, (x, y) => pick(present(x), present(y)), values)).rejects.toThrow(
        /pick.*(out of range|is not one of)/is,
      );
    }
  });

  test('labels that are not one a row are refused', () => {
    expect(() => pick(tensor('logits', 'float32', [null, 10]), tensor('targets', 'uint8', [null, 1]))).toThrow(
      'does not index the rows of `logits` float32 (null, 10); give integer labels of shape (null,)',
    );
    expect(() => pick(tensor('logits', 'float32', [128, 10]), tensor('targets', 'int64', [64]))).toThrow(
      'pick: `targets` int64 (64,) does not index the rows of `logits` float32 (128, 10)',
    );
  });
});

describe('oneHot', () => {
  test.each(['float32', 'float64', 'int64', 'uint8'] as const)(
    'both engines agree, labels out of range giving zeros: %s',
    async (dtype) => {
      const labels = anyShape().chain((shape) => arrayOf('int64', shape, -5, 5));
      const any = fc.tuple(labels, fc.integer({ min: 1, max: 4 }));
      await expectEnginesAgreeOn(any, 8, ([value, depth]) => ({
        build: (y) => oneHot(present(y), depth, dtype),
        values: [value],
      }));
    },
  );

  test('the depth is part of the type when it is a number', () => {
    expect(oneHot(tensor('y', 'int64', [null]), 10).shape).toEqual([null, 10]);
    expect(oneHot(tensor('y', 'int64', [null]), tensor('depth', 'int64', [])).shape).toEqual([null, null]);
  });
});

describe('cross-entropies', () => {
  test('both engines agree, and the gradients are those of finite differences', async () => {
    const labels = array('int64', [3], [2, 0, 1]);
    for (const op of [softmaxCrossEntropy, (x: Variable, y: Variable) => categoricalCrossEntropy(softmax(x), y)]) {
      await expectEnginesAgree(
        (x, y) => op(present(x), present(y)),
        [array('float32', [3, 3], [1, 2, 3, -1, 0, 2, 0, 0, 0]), labels],
        { gradients: true },
      );
      await expectGradientsRight((x, y) => op(present(x), present(y)), [spread([3, 3], -2, 2), labels]);
    }
  });

  test('1.T-35: they are equal where neither overflows', async () => {
    const values = [array('float64', [2, 3], [1, 2, 3, -1, 0, 2]), array('int64', [2], [2, 0])];
    const fused = await evaluate('reference', (x, y) => softmaxCrossEntropy(present(x), present(y)), values);
    const composed = await evaluate(
      'reference',
      (x, y) => categoricalCrossEntropy(softmax(present(x)), present(y)),
      values,
    );
    expectClose(fused, composed);
    expect(Number(present(fused.data[0]))).toBeCloseTo(0.407606, 6);
  });
});
