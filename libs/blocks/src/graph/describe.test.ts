import { RandomStreams } from '@longrun/serialization';
import { add, matrix, shared } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { Tanh } from '../bricks/activations.js';
import { FeedforwardSequence } from '../bricks/feedforward-sequence.js';
import { Linear } from '../bricks/linear.js';
import { MLP } from '../bricks/mlp.js';
import { Constant } from '../initialization/constant.js';
import { addRole, PARAMETER } from '../roles.js';
import { describe } from './describe.js';
import { Model } from './model.js';

const init = { weightsInit: new Constant(0.5), biasesInit: new Constant(0) };

test('a model is described by its bricks, with shapes and values of parameters, and what belongs to none', async () => {
  const mlp = new MLP([new Tanh(), null], { dims: [3, 2, 2], ...init });
  mlp.initialize(new RandomStreams(1));
  const scale = shared(2, 'scale');
  addRole(scale, PARAMETER);

  expect(await describe(new Model(add(mlp.apply(matrix('x')), scale)))).toBe(
    [
      'mlp         MLP',
      '  linear_0  Linear',
      '    .W      float32 (3, 2)  6  [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]',
      '    .b      float32 (2,)    2  [0, 0]',
      '  tanh      Tanh',
      '  linear_1  Linear',
      '    .W      float32 (2, 2)  4  [[0.5, 0.5], [0.5, 0.5]]',
      '    .b      float32 (2,)    2  [0, 0]',
      'scale       float32 ()      1  2',
      '15 parameters, 60 bytes',
    ].join('\n'),
  );
});

test('many values are told by their mean, deviation and ends, and those that no number was given yet', async () => {
  const linear = new Linear({ inputDim: 4, outputDim: 2, ...init });
  linear.allocate();
  expect(await describe(linear)).toContain('8 of them NaN or infinite');
  linear.initialize(new RandomStreams(1));
  linear.W.setValue({ ...(await linear.W.getValue()), data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
  expect(await describe(linear)).toContain('mean 4.5, std 2.291, from 1 to 8');
});

test('a brick that is in two places is described once', async () => {
  const linear = new Linear({ inputDim: 2, outputDim: 2, ...init });
  const inner = new FeedforwardSequence([linear], { name: 'inner' });
  const described = await describe(new FeedforwardSequence([linear, inner]));
  expect(described).toMatch(/ linear +Linear\n +inner .*\n +linear +Linear +as above\n0 parameters, 0 bytes$/);
});
