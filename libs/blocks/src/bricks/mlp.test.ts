import { RandomStreams } from '@longrun/serialization';
import { matrix, tensor } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { Constant } from '../initialization/constant.js';
import { Rectifier, Tanh } from './activations.js';
import { Linear } from './linear.js';
import { MLP } from './mlp.js';

const init = { weightsInit: new Constant(1), biasesInit: new Constant(-1) };

test('layers are linear transformations, each followed by its activation', async () => {
  const mlp = new MLP([new Rectifier(), null], { dims: [2, 2, 1], ...init });
  mlp.initialize(new RandomStreams(1));
  const x = matrix('x');

  // Hidden units are max(0, sum - 1), the output their sum - 1.
  expect(await evaluate(mlp.apply(x), [[x, float32([2, 2], [2, 1, -3, 1])]])).toEqual([3, -1]);
});

test('a number of dims that does not fit the activations says how many to give', () => {
  expect(() => new MLP([new Tanh(), new Tanh(), null], { dims: [784, 10] })).toThrow(
    'MLP: dims has 2 entries but there are 3 activations; give activations.length + 1 dims',
  );
});

test('children are named after the prototype and numbered', () => {
  const named = new MLP([new Tanh(), null], {
    prototype: new Linear({ name: 'layer', useBias: false }),
    dims: [1, 2, 3],
  });
  named.allocate();

  expect(named.children.map((child) => child.name)).toEqual(['layer_0', 'tanh', 'layer_1']);
  expect(named.children.map((child) => child.parameters.length)).toEqual([1, 0, 1]);
  expect(new MLP([null, null]).children.map((child) => child.name)).toEqual(['linear_0', 'linear_1']);
});

test('useBias of the MLP is handed down where it is given', () => {
  const withPrototype = new MLP([null], { dims: [1, 1], prototype: new Linear({ useBias: false }) });
  const overruled = new MLP([null], { dims: [1, 1], prototype: new Linear({ useBias: false }), useBias: true });
  withPrototype.allocate();
  overruled.allocate();

  expect(withPrototype.children[0]?.parameters).toHaveLength(1);
  expect(overruled.children[0]?.parameters).toHaveLength(2);
});

test('the first and the last dim are its input and output', () => {
  const mlp = new MLP([new Tanh(), null], { dims: [undefined, 4, undefined] });
  mlp.inputDim.value = 3;
  mlp.outputDim.value = 2;
  mlp.allocate();

  expect(mlp.linearTransformations.map((linear) => linear.parameterNamed('W').shape)).toEqual([
    [3, 4],
    [4, 2],
  ]);
  expect(mlp.getDims(['input', 'output'])).toEqual([3, 2]);
  expect(() => mlp.apply(matrix('x')).owner && mlp.apply(mlp.apply(matrix('x')))).toThrow(
    '/mlp.apply: input has shape (null, 2) but should end in (3,)',
  );
});

test('sizes that have a name have it behind each layer', () => {
  const mlp = new MLP([new Tanh(), null], { dims: [3, 4, 2] });

  expect(mlp.apply(tensor('x', 'float32', ['batch', 3])).shape).toEqual(['batch', 2]);
  expect(mlp.apply(tensor('x', 'float32', ['time', 'batch', 'features'])).shape).toEqual(['time', 'batch', 2]);
  expect(() => mlp.apply(tensor('x', 'float32', ['batch', 5]))).toThrow(
    '/mlp.apply: input has shape (batch, 5) but should end in (3,)',
  );
});

test('one activation may serve several layers', () => {
  const tanh = new Tanh();

  expect(new MLP([tanh, tanh], { dims: [1, 1, 1] }).children.map((child) => child.name)).toEqual([
    'linear_0',
    'tanh',
    'linear_1',
  ]);
});
