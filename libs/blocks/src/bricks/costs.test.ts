import { grad, ivector, lvector, matrix, tensor } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32, int64 } from '../../test/tiny-experiment.js';
import { getApplicationCall } from '../graph/provenance.js';
import { blocksName } from '../graph/annotations.js';
import { COST, hasRoles } from '../roles.js';
import { AbsoluteError, BinaryCrossEntropy, SquaredError } from './cost-matrix.js';
import { CategoricalCrossEntropy } from './categorical-cross-entropy.js';
import { MisclassificationRate } from './misclassification-rate.js';
import { Softmax } from './softmax.js';

const y = lvector('y');
const yHat = matrix('y_hat');
const probabilities = float32([2, 2], [0.25, 0.75, 0.5, 0.5]);
const classes = int64([1, 0]);
const distributions = float32([2, 2], [0, 1, 1, 0]);
const EXPECTED = [-Math.log(0.75), -Math.log(0.5)] as const;

test('categorical cross entropy takes classes or distributions', async () => {
  const brick = new CategoricalCrossEntropy();
  const expected = (EXPECTED[0] + EXPECTED[1]) / 2;
  const byClass = await evaluate(brick.apply(y, yHat), [
    [y, classes],
    [yHat, probabilities],
  ]);
  const oneHot = matrix('y');
  const byDistribution = await evaluate(brick.apply(oneHot, yHat), [
    [oneHot, distributions],
    [yHat, probabilities],
  ]);

  expect(byClass[0]).toBeCloseTo(expected, 6);
  expect(byDistribution[0]).toBeCloseTo(expected, 6);
  expect(hasRoles(brick.apply(y, yHat), [COST])).toBe(true);
});

test.each(['reference', 'onnxruntime'] as const)(
  'categorical cross entropy of what a softmax brick gives is exact where the probability underflows: %s',
  async (engine) => {
    const logits = matrix('logits');
    const cost = new CategoricalCrossEntropy().apply(y, new Softmax().apply(logits));
    const [gradient] = grad(cost, [logits]);
    const given = [
      [y, int64([0, 1])],
      [logits, float32([2, 2], [0, 120, 0, 120])],
    ] as const;
    expect(await evaluate(cost, given, engine)).toEqual([60]);
    expect(gradient === undefined ? [] : await evaluate(gradient, given, engine)).toEqual([-0.5, 0.5, 0, 0]);
  },
);

test('softmax has a cross entropy of each example, from logits', async () => {
  const brick = new Softmax();
  const logits = float32([2, 2], [0, Math.log(3), 5, 5]);
  const cost = brick.categoricalCrossEntropy(y, yHat);
  const byClass = await evaluate(cost, [
    [y, classes],
    [yHat, logits],
  ]);
  const oneHot = matrix('y');
  const byDistribution = await evaluate(brick.categoricalCrossEntropy(oneHot, yHat), [
    [oneHot, distributions],
    [yHat, logits],
  ]);

  for (const [at, expected] of EXPECTED.entries()) {
    expect(byClass[at]).toBeCloseTo(expected, 6);
    expect(byDistribution[at]).toBeCloseTo(expected, 6);
  }
  expect(getApplicationCall(cost)?.auxiliaryVariables.map(blocksName)).toEqual(['log_probabilities']);
});

test('targets of another rank are refused', () => {
  const cube = tensor('y', 'float32', [null, null, null]);

  expect(() => new Softmax().categoricalCrossEntropy(cube, yHat)).toThrow(
    '/softmax.categoricalCrossEntropy: y has 3 axes but x has 2; give y 1 axes (classes) or 2 (distributions)',
  );
  expect(() => new CategoricalCrossEntropy().apply(cube, yHat)).toThrow('y has 3 axes but y_hat has 2');
});

const SCORES = float32([3, 3], [0.1, 0.2, 0.7, 0.7, 0.2, 0.1, 0.4, 0.4, 0.2]);

test.each([
  ['the best class is wrong', 1, [1, 0, 0], 1 / 3],
  ['the true class is not among the two best', 2, [1, 2, 2], 2 / 3],
  // Three scores of 0.4 and 0.4 and 0.2: ties do not make the list longer.
  ['two classes tie for the first place', 2, [2, 0, 1], 0],
  ['any class is right', 3, [0, 1, 2], 0],
] as const)('the misclassification rate counts where %s', async (_, topK, truth, expected) => {
  const rate = new MisclassificationRate({ topK }).apply(y, yHat);
  const [value] = await evaluate(rate, [
    [y, int64(truth)],
    [yHat, SCORES],
  ]);

  expect(value).toBeCloseTo(expected, 6);
});

test.each([
  ['ties', [0.3, 0.3, 0.3]],
  ['scores that are NaN', [Number.NaN, Number.NaN, Number.NaN]],
  ['others that are NaN', [0.3, Number.NaN, Number.NaN]],
])('%s with the true class count against it', async (_, scores) => {
  const rate = new MisclassificationRate({ topK: 2 }).apply(y, yHat);

  expect(
    await evaluate(rate, [
      [y, int64([0])],
      [yHat, float32([1, 3], scores)],
    ]),
  ).toEqual([1]);
});

test('the misclassification rate takes integers of any size', async () => {
  const narrow = ivector('y');
  const rate = new MisclassificationRate().apply(narrow, yHat);
  const truth = { dtype: 'int32', shape: [3], data: Int32Array.of(2, 0, 2) } as const;

  expect(
    (
      await evaluate(rate, [
        [narrow, truth],
        [yHat, SCORES],
      ])
    )[0],
  ).toBeCloseTo(1 / 3, 6);
});

test('topK is a positive number', () => {
  expect(() => new MisclassificationRate({ topK: 0 })).toThrow('topK is 0; give a whole number of at least 1');
});

describe('a cost matrix (1.9-29, 1.9-30)', () => {
  const [targets, predictions] = [matrix('y'), matrix('y_hat')];
  const given = [
    [targets, float32([1, 4], [1, 0, 0.5, 1])],
    [predictions, float32([1, 4], [0.25, 0.5, 0.75, 0.5])],
  ] as const;
  const half = Math.log(2);

  test.each([
    ['1.9-31', new BinaryCrossEntropy(), [Math.log(4), half, -(Math.log(0.75) + Math.log(0.25)) / 2, half]],
    ['1.9-32', new AbsoluteError(), [0.75, 0.5, 0.25, 0.5]],
    ['1.9-33', new SquaredError(), [0.5625, 0.25, 0.0625, 0.25]],
  ] as const)('%s is summed over each example and averaged over the batch: %s', async (_, brick, expected) => {
    const elements = brick.costMatrix(targets, predictions);
    const cost = brick.apply(targets, predictions);

    for (const [at, value] of (await evaluate(elements, given)).entries())
      expect(value).toBeCloseTo(expected[at] ?? 0, 6);
    expect((await evaluate(cost, given))[0]).toBeCloseTo(
      expected.reduce((total, one) => total + one),
      6,
    );
    expect([hasRoles(cost, [COST]), hasRoles(elements, [COST]), blocksName(cost)]).toEqual([true, false, 'cost']);
  });
});
