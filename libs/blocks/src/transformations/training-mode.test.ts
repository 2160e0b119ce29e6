import { ndarray, RandomStreams } from '@longrun/serialization';
import { grad, matrix, sum, square, type Variable } from '@longrun/tensor';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { Tanh } from '../bricks/activations.js';
import type { Brick } from '../bricks/brick.js';
import { FeedforwardSequence } from '../bricks/feedforward-sequence.js';
import { Linear } from '../bricks/linear.js';
import { BatchNormalization } from '../bricks/normalization/batch-normalization.js';
import { Dropout } from '../bricks/stochastic/dropout.js';
import { trainingMode } from '../bricks/training-mode.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { Constant } from '../initialization/constant.js';
import { IsotropicGaussian } from '../initialization/isotropic-gaussian.js';
import { OUTPUT, WEIGHT } from '../roles.js';
import { select } from '../selection/selection.js';
import { applyTrainingMode } from './training-mode.js';

const LAYERS: Readonly<Record<string, (name: string) => Brick>> = {
  dropout: (name) => new Dropout({ name, dropProbability: 0.4 }),
  linear: (name) =>
    new Linear({
      name,
      inputDim: 3,
      outputDim: 3,
      weightsInit: new IsotropicGaussian(),
      biasesInit: new Constant(0.5),
    }),
  normalization: (name) => new BatchNormalization({ name, inputDim: 3 }),
  tanh: (name) => new Tanh({ name }),
};
const x = matrix('x');
const batch = ndarray(
  'float32',
  [6, 3],
  Float32Array.from({ length: 18 }, (_, at) => Math.sin(at * at)),
);

/** The same each time. */
function chain(layers: readonly string[]): FeedforwardSequence {
  const bricks = layers.map((layer, at) => LAYERS[layer]?.(`${layer}_${at}`) ?? new Tanh());
  const made = new FeedforwardSequence(bricks.map((brick) => brick.application('apply')));
  made.initialize(new RandomStreams(1));
  return made;
}

/** An output and the gradients of its weights, in each of two runs. */
async function runs(output: Variable): Promise<number[][]> {
  const weights = [...select(output).role(WEIGHT)];
  const graph = new ComputationGraph(output);
  const f = await new ComputationGraph([output, ...grad(sum(square(output)), [x, ...weights])]).getFunction({
    engine: 'reference',
    threads: 1,
    additionalUpdates: graph.updates,
  });
  const values: number[][] = [];
  for (let run = 0; run < 2; run += 1)
    values.push((await f.run([batch])).flatMap(({ data }) => Array.from(data, Number)));
  await f.dispose();
  return values;
}

const layers = fc.array(fc.constantFrom(...Object.keys(LAYERS)), { minLength: 1, maxLength: 5 });

test('whatever comes after whatever, a graph that is put in training mode is that which is built in it, and only once', async () => {
  let drew = 0;
  await fc.assert(
    fc.asyncProperty(layers, async (names) => {
      const [one, other] = [chain(names), chain(names)];
      const evaluated = new ComputationGraph(one.apply(x));
      const change = applyTrainingMode(evaluated);
      const [output = x] = change.graph.outputs;
      const built = await runs(trainingMode(other, () => other.apply(x)));
      expect(await runs(output)).toEqual(built);
      expect(applyTrainingMode(change.graph).changes).toEqual([]);
      expect(select(change.graph).role(OUTPUT).count).toBe(select(evaluated).role(OUTPUT).count);
      if (String(built[0]) !== String(built[1])) drew += 1;
    }),
    { numRuns: 8, seed: 3 },
  );
  expect(drew).toBeGreaterThan(1);
});
