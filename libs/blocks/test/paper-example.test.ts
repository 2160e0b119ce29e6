import { RandomStreams } from '@longrun/serialization';
import { GraphRandomStreams, tensor, type Variable } from '@longrun/tensor';
import { expect, test } from 'vitest';

import {
  application,
  applyNoise,
  Brick,
  ComputationGraph,
  INPUT,
  IsotropicGaussian,
  Linear,
  LSTM,
  pathOf,
  select,
  WEIGHT,
  type BrickOptions,
} from '../src/index.js';
import { evaluate } from './evaluate.js';
import { float32 } from './tiny-experiment.js';

/** An LSTM, and what makes its inputs. */
class Encoder extends Brick {
  readonly linear: Linear;
  readonly lstm: LSTM;

  constructor(options: BrickOptions) {
    super(options);
    const init = { weightsInit: new IsotropicGaussian(0.5), biasesInit: new IsotropicGaussian(0.5) };
    this.linear = new Linear({ inputDim: 2, outputDim: 12, ...init });
    this.lstm = new LSTM({ dim: 3, ...init });
    for (const brick of [this.linear, this.lstm]) this.addChild(brick);
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return this.lstm.apply({ inputs: this.linear.apply(input) }).states;
  }
}

test("the paper's example: noise on the weights of the LSTM whose parent is foo changes what it gives and nothing else", async () => {
  const [foo, bar] = [new Encoder({ name: 'foo' }), new Encoder({ name: 'bar' })];
  for (const encoder of [foo, bar]) encoder.initialize(new RandomStreams(1));
  const x = tensor('x', 'float32', ['time', 'batch', 2]);
  const graph = new ComputationGraph([foo.apply(x), bar.apply(x)]);
  const values = async (variables: readonly Variable[]): Promise<number[][]> =>
    Promise.all(variables.map((variable) => evaluate(variable, [[x, float32([2, 1, 2], [0.5, -1, 2, 1])]])));

  const weights = select(graph).role(WEIGHT).brick(LSTM).parent('foo');
  expect(new Set(weights.variables.map(pathOf))).toEqual(
    new Set(['W_state', 'W_cell_to_in', 'W_cell_to_forget', 'W_cell_to_out'].map((name) => `/foo/lstm.${name}`)),
  );
  const noisy = applyNoise(graph, weights, 0.3, new GraphRandomStreams(1, 'noise')).graph;
  const silent = applyNoise(graph, weights, 0, new GraphRandomStreams(1, 'silence')).graph;
  const [[fooBefore, barBefore], [fooAfter, barAfter]] = [await values(graph.outputs), await values(noisy.outputs)];
  expect(fooAfter).not.toEqual(fooBefore);
  expect(barAfter).toEqual(barBefore);
  expect(await values(silent.outputs)).toEqual([fooBefore, barBefore]);
  expect(await values(select(noisy).brick(Linear).name('output').variables)).toEqual(
    await values(select(graph).brick(Linear).name('output').variables),
  );

  const takenInside = select(noisy).inside().brick(LSTM).parent('foo').role(INPUT).name('states');
  expect(takenInside.count).toBe(1);
});
