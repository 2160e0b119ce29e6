import { matrix } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { Identity, LeakyRectifier, Logistic, Rectifier, Softplus, Softsign, Tanh } from './activations.js';
import { Softmax } from './softmax.js';

const INPUTS = [-2, 0, 1.5];

test.each([
  [new Identity(), (x: number) => x],
  [new Tanh(), Math.tanh],
  [new Logistic(), (x: number) => 1 / (1 + Math.exp(-x))],
  [new Softplus(), (x: number) => Math.log1p(Math.exp(x))],
  [new Rectifier(), (x: number) => Math.max(0, x)],
  // 1.9-90, 1.19-10
  [new LeakyRectifier(), (x: number) => Math.max(0.01 * x, x)],
  [new LeakyRectifier({ leak: 0.3 }), (x: number) => Math.max(0.3 * x, x)],
  [new Softsign(), (x: number) => x / (1 + Math.abs(x))],
] as const)('%s computes its function of each element', async (brick, compute) => {
  const x = matrix('x');
  const output = await evaluate(brick.apply(x), [[x, float32([1, 3], INPUTS)]]);

  for (const [at, input] of INPUTS.entries()) expect(output[at]).toBeCloseTo(compute(input), 6);
});

test('softmax gives probabilities, without overflow', async () => {
  const x = matrix('x');
  const logits = float32([2, 2], [0, Math.log(3), 1000, 0]);
  const output = await evaluate(new Softmax().apply(x), [[x, logits]]);
  const logarithms = await evaluate(new Softmax().logProbabilities(x), [[x, logits]]);

  for (const [at, expected] of [0.25, 0.75, 1, 0].entries()) expect(output[at]).toBeCloseTo(expected, 6);
  for (const [at, expected] of [-Math.log(4), Math.log(0.75), 0, -1000].entries()) {
    expect(logarithms[at]).toBeCloseTo(expected, 4);
  }
});
