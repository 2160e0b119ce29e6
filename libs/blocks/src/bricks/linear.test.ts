import { RandomStreams } from '@longrun/serialization';
import { matrix } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { Constant } from '../initialization/constant.js';
import { Linear } from './linear.js';

const init = { weightsInit: new Constant(2), biasesInit: new Constant(1) };

test('the output is input · W + b', async () => {
  const linear = new Linear({ inputDim: 2, outputDim: 3, ...init });
  linear.initialize(new RandomStreams(1));
  linear.W.setValue(float32([2, 3], [1, 2, 3, 4, 5, 6]));
  const x = matrix('x');

  expect(await evaluate(linear.apply(x), [[x, float32([2, 2], [1, 0, 1, 1])]])).toEqual([2, 3, 4, 6, 8, 10]);
});

test('without bias there is no b', async () => {
  const linear = new Linear({ inputDim: 2, outputDim: 1, useBias: false, weightsInit: new Constant(2) });
  linear.initialize(new RandomStreams(1));
  const x = matrix('x');

  expect(linear.parameters.map((parameter) => parameter.name)).toEqual(['W']);
  expect(await evaluate(linear.apply(x), [[x, float32([1, 2], [3, 4])]])).toEqual([14]);
});

test('the norms of W and b are auxiliary variables of the graph', async () => {
  const linear = new Linear({ inputDim: 2, outputDim: 2, ...init });
  linear.initialize(new RandomStreams(1));
  const auxiliary = new ComputationGraph(linear.apply(matrix('x'))).auxiliaryVariables;

  expect(auxiliary.map((variable) => variable.name)).toEqual(['W_norm', 'b_norm']);
  const [first, second] = auxiliary;
  if (first === undefined || second === undefined) throw new Error('no norms');
  expect((await evaluate(first))[0]).toBeCloseTo(4, 6);
  expect((await evaluate(second))[0]).toBeCloseTo(Math.SQRT2, 6);
});
