import { RandomStreams } from '@longrun/serialization';
import { add, matrix, sub, type Variable } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { Constant } from '../initialization/constant.js';
import { Identity, Tanh } from './activations.js';
import { application } from './application.js';
import { Brick } from './brick.js';
import { FeedforwardSequence } from './feedforward-sequence.js';
import { Linear } from './linear.js';
import { Sequence } from './sequence.js';
import { Softmax } from './softmax.js';

class Split extends Brick {
  @application({ inputs: ['whole'], outputs: ['up', 'down'] })
  apply(whole: Variable): Variable[] {
    return [add(whole, 1), sub(whole, 1)];
  }
}

class Join extends Brick {
  @application({ inputs: ['left', 'right'], outputs: ['joined'] })
  apply(left: Variable, right: Variable): Variable {
    return sub(left, right);
  }
}

test('all outputs of one application are the inputs of the next', async () => {
  const sequence = new Sequence([new Split(), new Join()]);
  const x = matrix('x');
  const output = sequence.apply(x);
  if (Array.isArray(output)) throw new Error('not one output');

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a list was ruled out above
  expect(await evaluate(output as Variable, [[x, float32([1, 1], [5])]])).toEqual([2]);
});

test('the inputs are those of the first application, the outputs those of the last', () => {
  const applied = new Sequence([new Split(), new Join()]).application('apply');
  expect([applied.inputs, applied.outputs]).toEqual([['whole'], ['joined']]);

  const split = new Sequence([new Identity(), new Split()]).apply(matrix('x'));
  expect(Array.isArray(split) && split.map((output: Variable) => output.name)).toEqual([
    'sequence_apply_up',
    'sequence_apply_down',
  ]);
});

test('applications other than apply can be part of it', async () => {
  const sequence = new FeedforwardSequence([new Softmax().application('logProbabilities')]);
  const x = matrix('x');
  const output = await evaluate(sequence.apply(x), [[x, float32([1, 2], [3, 3])]]);

  expect(output[0]).toBeCloseTo(-Math.LN2, 6);
});

test('a sequence of nothing is refused', () => {
  expect(() => new Sequence([])).toThrow('/sequence: there are no application methods; give at least one brick');
});

test('a feedforward sequence has the dimensions of its first and last feedforward bricks', () => {
  const sequence = new FeedforwardSequence([
    new Tanh(),
    new Linear({ name: 'first', inputDim: 3, outputDim: 4 }),
    new Linear({ name: 'last', inputDim: 4, outputDim: 2 }),
    new Tanh(),
  ]);

  expect([sequence.inputDim.value, sequence.outputDim.value]).toEqual([3, 2]);
  expect(() => new FeedforwardSequence([new Tanh()]).inputDim).toThrow('no brick with dimensions among its children');
});

test('a feedforward sequence has one output', () => {
  expect(() => new FeedforwardSequence([new Split()]).apply(matrix('x'))).toThrow('use Sequence for more than one');
});

test('initialization is handed down', async () => {
  const sequence = new FeedforwardSequence([new Linear({ inputDim: 1, outputDim: 1 })], {
    weightsInit: new Constant(3),
    biasesInit: new Constant(1),
  });
  sequence.initialize(new RandomStreams(1));
  const x = matrix('x');

  expect(await evaluate(sequence.apply(x), [[x, float32([1, 1], [2])]])).toEqual([7]);
});
