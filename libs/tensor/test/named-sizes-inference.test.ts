import { describe, expect, test } from 'vitest';

import {
  add,
  advancedIndex,
  arange,
  argmax,
  argsort,
  averagePool2d,
  batchedDot,
  broadcastTo,
  cast,
  concatenate,
  constant,
  conv2d,
  cumsum,
  diag,
  dimension,
  dimshuffle,
  dot,
  expandDims,
  flatten,
  flip,
  grad,
  gt,
  ifElse,
  index,
  jacobian,
  layerNormalization,
  matmul,
  maxPool2d,
  mean,
  mul,
  oneHot,
  outer,
  pad,
  pick,
  randomState,
  randomUniform,
  repeat,
  replace,
  reshape,
  rOp,
  scan,
  setSubtensor,
  slice,
  softmax,
  softmaxCrossEntropy,
  sort,
  split,
  square,
  squeeze,
  stack,
  sum,
  take,
  takeAlongAxis,
  tanh,
  tensor,
  tensordot,
  tile,
  topK,
  transpose,
  variance,
  vector,
  where,
  zeros,
  zerosLike,
  type Dim,
  type Variable,
} from '../src/index.js';
import { present } from './op-laws.js';

const x = tensor('x', 'float32', ['batch', 'time', 3]);
const rows = tensor('rows', 'float32', ['batch', 4]);
const labels = tensor('labels', 'int64', ['batch']);
const images = tensor('images', 'float32', ['batch', 'channels', 'height', 8]);
const W = tensor('W', 'float32', [3, 5]);

const inferred: readonly (readonly [what: string, result: Variable, shape: readonly Dim[]])[] = [
  ['elementwise', tanh(x), ['batch', 'time', 3]],
  ['with a number', mul(x, 2), ['batch', 'time', 3]],
  ['with null', add(labels, tensor('y', 'int64', [null])), ['batch']],
  ['null with a name', add(tensor('y', 'int64', [null]), labels), ['batch']],
  ['with a known size', add(labels, tensor('y', 'int64', [5])), [5]],
  ['with another name', add(labels, tensor('y', 'int64', ['examples'])), ['batch']],
  ['with a static 1', add(rows, tensor('b', 'float32', [1, 4])), ['batch', 4]],
  ['with fewer axes', add(tensor('b', 'float32', [4]), rows), ['batch', 4]],
  ['where', where(gt(rows, 0), rows, tensor('y', 'float32', [null, null])), ['batch', 4]],
  ['cast', cast(x, 'int32'), ['batch', 'time', 3]],
  ['softmax', softmax(rows), ['batch', 4]],
  ['normalization', layerNormalization(x, 1, 0), ['batch', 'time', 3]],
  ['sum', sum(x, { axis: 1 }), ['batch', 3]],
  ['sum, axes kept', sum(x, { axis: [0, 2], keepdims: true }), [1, 'time', 1]],
  ['argmax', argmax(x, { axis: 0 }), ['time', 3]],
  ['variance', variance(x, { axis: 2 }), ['batch', 'time']],
  ['cumsum', cumsum(x, { axis: 1 }), ['batch', 'time', 3]],
  ['sort', sort(x, { axis: 1 }), ['batch', 'time', 3]],
  ['argsort', argsort(x, { axis: 0 }), ['batch', 'time', 3]],
  ['topK', topK(x, 2)[0], ['batch', 'time', 2]],
  ['dot', dot(x, W), ['batch', 'time', 5]],
  ['dot of inner axes of other names', dot(rows, tensor('V', 'float32', ['inputs', 'outputs'])), ['batch', 'outputs']],
  ['matmul', matmul(x, tensor('y', 'float32', [null, 3, 'units'])), ['batch', 'time', 'units']],
  ['batchedDot', batchedDot(x, tensor('y', 'float32', [null, 3])), ['batch', 'time']],
  ['tensordot', tensordot(x, tensor('y', 'float32', ['units', 3]), [[2], [1]]), ['batch', 'time', 'units']],
  ['outer', outer(vector('a'), sum(rows, { axis: 1 })), [null, 'batch']],
  ['transpose', transpose(x), [3, 'time', 'batch']],
  ['dimshuffle', dimshuffle(x, [1, 'x', 0, 2]), ['time', 1, 'batch', 3]],
  ['expandDims and squeeze', squeeze(expandDims(rows, 1), { axis: 1 }), ['batch', 4]],
  ['flatten', flatten(x, 2), ['batch', null]],
  ['flatten of known sizes', flatten(tensor('y', 'float32', ['batch', 3, 4]), 2), ['batch', 12]],
  ['flatten of sizes of 1', flatten(tensor('y', 'float32', ['batch', 1])), ['batch']],
  ['reshape with what is left', reshape(rows, [-1, 2, 2]), ['batch', 2, 2]],
  ['reshape with more left', reshape(rows, [-1, 2]), [null, 2]],
  ['reshape with a copied axis', reshape(rows, [dimension(rows, 0), -1]), ['batch', 4]],
  ['reshape with an axis copied and one left', reshape(x, [dimension(x, 0), -1, 3]), ['batch', 'time', 3]],
  ['reshape with two left of names', reshape(x, [-1, 3]), [null, 3]],
  ['reshape with an axis of another', reshape(vector('a'), [dimension(x, 1), -1]), ['time', null]],
  ['broadcastTo', broadcastTo(constant(0), [dimension(x, 0), 2]), ['batch', 2]],
  ['broadcastTo of an axis of 1', broadcastTo(tensor('b', 'float32', [1, 4]), [dimension(rows, 0), 4]), ['batch', 4]],
  ['zeros', zeros([dimension(x, 1), 7]), ['time', 7]],
  ['zerosLike', zerosLike(x), ['batch', 'time', 3]],
  ['randomUniform', randomUniform(constant(randomState(1, 'test')), [dimension(x, 0), 2]).values, ['batch', 2]],
  ['oneHot', oneHot(labels, 10), ['batch', 10]],
  ['oneHot as deep as an axis', oneHot(labels, dimension(x, 1)), ['batch', 'time']],
  ['pick', pick(rows, labels), ['batch']],
  ['cross-entropy', softmaxCrossEntropy(tensor('logits', 'float32', [null, 10]), labels), ['batch']],
  ['index', index(x, 0, { axis: 1 }), ['batch', 3]],
  ['take', take(tensor('table', 'float32', [100, 8]), tensor('i', 'int64', ['batch', 'time'])), ['batch', 'time']],
  [
    'an embedding',
    take(tensor('table', 'float32', ['words', 8]), tensor('i', 'int64', ['batch', 'time']), { axis: 0 }),
    ['batch', 'time', 8],
  ],
  ['takeAlongAxis', takeAlongAxis(rows, tensor('i', 'int64', [null, 'picked'])), ['batch', 'picked']],
  ['advancedIndex', advancedIndex(x, labels, labels), ['batch', 3]],
  ['setSubtensor', setSubtensor(x, 0, { axis: 1, start: 1 }), ['batch', 'time', 3]],
  ['a slice of all', slice(x, null, null, { axis: 1 }), ['batch', 'time', 3]],
  ['a slice of a part', slice(x, 1, null, { axis: 1 }), ['batch', null, 3]],
  ['a slice with steps', slice(x, null, null, { axis: 1, step: 2 }), ['batch', null, 3]],
  ['a slice of another axis', slice(x, 0, 2, { axis: 2 }), ['batch', 'time', 2]],
  ['flip', flip(x), ['batch', 'time', 3]],
  ['concatenate', concatenate([x, tensor('y', 'float32', [null, 'later', 3])], 1), ['batch', null, 3]],
  ['concatenate along another axis', concatenate([rows, rows], 1), ['batch', 8]],
  ['concatenate of one', concatenate([x]), ['batch', 'time', 3]],
  ['stack', stack([rows, tensor('y', 'float32', [null, null])]), [2, 'batch', 4]],
  ['split', present(split(x, [1, 2], 2)[1]), ['batch', 'time', 2]],
  ['split of a named axis', present(split(x, [1, 2], 1)[1]), ['batch', 2, 3]],
  ['pad', pad(rows, [[1, 0], [0, 0]]), [null, 4]], // prettier-ignore
  ['repeat', repeat(x, 2, { axis: 2 }), ['batch', 'time', 6]],
  ['tile', tile(rows, [2, 1]), [null, 4]],
  ['arange', arange(0, dimension(x, 0)), [null]],
  ['diag', diag(tensor('y', 'float32', ['batch', 'batch'])), [null]],
  ['convolution', conv2d(images, tensor('f', 'float32', ['filters', null, 3, 3])), ['batch', 'filters', null, 6]],
  [
    'convolution that keeps the size',
    conv2d(images, tensor('f', 'float32', [6, null, 3, 3]), { border: 'half' }),
    ['batch', 6, 'height', 8],
  ],
  ['maximum pooling', maxPool2d(images, { size: 2 }), ['batch', 'channels', null, 4]],
  ['average pooling', averagePool2d(images, { size: 2 }), ['batch', 'channels', null, 4]],
];

describe('a name is kept where the size is', () => {
  test.each(inferred)('%s', (_, result, shape) => {
    expect(result.shape).toEqual(shape);
  });
});

test('two known sizes that differ are still an error of the graph, whatever the others are called', () => {
  expect(() => add(rows, tensor('y', 'float32', ['batch', 5]))).toThrow(
    'add: `rows` float32 (batch, 4) and `y` float32 (batch, 5) do not broadcast',
  );
  expect(() => squeeze(rows, { axis: 0 })).toThrow('is not known to have the size 1');
});

describe('in scans', () => {
  const U = tensor('U', 'float32', [6, 6]);
  const inputs = tensor('inputs', 'float32', ['time', 'batch', 6]);

  test('steps see the other names, and what is collected has that of the sequence', () => {
    const h0 = zeros([dimension(inputs, 1), 6]);
    const seen: Variable[] = [];
    const [states] = scan(
      (row, state) => {
        seen.push(row, state);
        return tanh(add(row, dot(state, U)));
      },
      { sequences: [inputs], outputsInfo: [h0] },
    );
    expect(seen.map(({ shape }) => shape)).toEqual([
      ['batch', 6],
      ['batch', 6],
    ]);
    expect(present(states).shape).toEqual(['time', 'batch', 6]);
    const gradients = grad(sum(square(present(states))), [inputs, U]);
    expect(gradients.map(({ shape }) => shape)).toEqual([
      ['time', 'batch', 6],
      [6, 6],
    ]);
  });

  test('a state may lose the name of a size, and then has none afterwards', () => {
    const h0 = tensor('h0', 'float32', ['batch', 10]);
    const unknown = tensor('unknown', 'float32', [null, 10]);
    const [states] = scan((state) => add(reshape(state, [-1, 10]), slice(unknown, 0, dimension(unknown, 0))), {
      outputsInfo: [h0],
      nSteps: 3,
    });
    expect(present(states).shape).toEqual([3, 'batch', 10]);
    const [lost] = scan(() => slice(unknown, 1, null), { outputsInfo: [h0], nSteps: 3 });
    expect(present(lost).shape).toEqual([3, null, 10]);
    expect(present(lost).owner?.outputs.map(({ shape }) => shape)).toEqual([
      [null, 10],
      [3, null, 10],
    ]);
  });

  test('what takes the place of an input brings its names into the steps', () => {
    const [doubled] = scan((row) => mul(row, 2), { sequences: [inputs] });
    const other = tensor('other', 'float32', ['steps', null, 6]);
    const [replaced] = replace([present(doubled)], new Map([[inputs, other]]));
    expect(present(replaced).shape).toEqual(['steps', null, 6]);
  });

  test('branches agree on a name, or there is none', () => {
    const results = ifElse(
      gt(sum(rows), 0),
      () => [mul(rows, 2), rows],
      () => [square(rows), tensor('y', 'float32', ['others', 4])],
    );
    expect(results.map(({ shape }) => shape)).toEqual([
      ['batch', 4],
      [null, 4],
    ]);
  });
});

describe('gradients', () => {
  test('have the names of their variables, also where an op on the way does not keep them', () => {
    const joined = concatenate([x, tensor('y', 'float32', ['batch', 'later', 3])], 1);
    const V = tensor('V', 'float32', ['inputs', 'outputs']);
    const cost = add(mean(square(joined)), sum(dot(tensor('z', 'float32', ['batch', null]), V)));
    expect(grad(cost, [x, V]).map(({ shape }) => shape)).toEqual([
      ['batch', 'time', 3],
      ['inputs', 'outputs'],
    ]);
  });

  test('Jacobians have those of the expression and of the variable, forward derivatives those of the output', () => {
    const output = tanh(dot(rows, tensor('V', 'float32', [4, 'units'])));
    expect(present(jacobian(sum(output, { axis: 1 }), [rows])[0]).shape).toEqual(['batch', 'batch', 4]);
    expect(rOp(output, [rows], [tensor('v', 'float32', [null, 4])]).shape).toEqual(['batch', 'units']);
  });
});
