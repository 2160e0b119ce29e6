import { ndarray, sizeOf } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  compile,
  conv2d,
  conv2dTranspose,
  convOutputShape,
  grad,
  square,
  sum,
  tensor,
  type Conv2dOptions,
  type Conv2dTransposeOptions,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread, type Build } from '../../test/op-laws.js';

const convolutions: readonly {
  readonly options: Conv2dOptions;
  readonly image: number[];
  readonly filters: number[];
}[] = [
  { options: {}, image: [2, 2, 4, 3], filters: [3, 2, 2, 2] },
  { options: { border: 'half', flipFilters: false }, image: [1, 1, 3, 4], filters: [1, 1, 3, 2] },
  { options: { border: 'full', dilation: [2, 1] }, image: [1, 1, 3, 3], filters: [2, 1, 2, 3] },
  { options: { border: [2, 1], strides: [3, 2] }, image: [1, 2, 5, 4], filters: [2, 2, 3, 2] },
  { options: { strides: 3 }, image: [1, 1, 6, 5], filters: [1, 1, 2, 1] },
  { options: { groups: 2, strides: [1, 2], border: 1 }, image: [2, 4, 3, 4], filters: [4, 2, 2, 3] },
  { options: { groups: 3, dilation: 2 }, image: [1, 3, 5, 4], filters: [3, 1, 2, 2] },
  { options: {}, image: [1, 1, 1, 1], filters: [1, 1, 1, 1] },
];

test.each(convolutions)(
  '1.T-36: gradients of conv2d and of its gradients are right on all engines: $options of $image by $filters',
  async ({ options, image, filters }) => {
    await expectAllGradientsRight((x, w) => conv2d(present(x), present(w), options), image, filters);
  },
);

const transposes: readonly {
  readonly options: Conv2dTransposeOptions;
  readonly image: number[];
  readonly filters: number[];
}[] = [
  { options: {}, image: [1, 2, 2, 3], filters: [2, 1, 2, 2] },
  { options: { padding: 1, strides: [2, 3], outputPadding: [1, 2] }, image: [1, 1, 3, 2], filters: [1, 2, 3, 3] },
  {
    options: { groups: 2, strides: 2, outputPadding: [1, 0], dilation: [1, 2] },
    image: [1, 2, 2, 2],
    filters: [2, 1, 1, 2],
  },
];

test.each(transposes)(
  '1.T-37: gradients of conv2dTranspose and of its gradients are right on all engines: $options of $image by $filters',
  async ({ options, image, filters }) => {
    await expectAllGradientsRight((x, w) => conv2dTranspose(present(x), present(w), options), image, filters);
  },
);

/** In float64 on the reference engine; in float32, in which sums of small integers are exact, on all engines. */
async function expectAllGradientsRight(build: Build, image: number[], filters: number[]): Promise<void> {
  const values = [image, filters].map((shape, position) => spread(shape, -2, 2, position));
  await expectGradientsRight(build, values);
  await expectGradientsRight((...inputs) => slopes(build, inputs), values, { tolerance: 1e-5 });
  const narrow = values.map(({ shape }) =>
    array(
      'float32',
      shape,
      Array.from({ length: sizeOf(shape) }, (_, at) => ((at * 5) % 7) - 3),
    ),
  );
  await expectEnginesAgree((...inputs) => slopes(build, inputs), narrow, { gradients: true });
}

/** The squares of all gradients together, which makes those of second order of them. */
function slopes(build: Build, inputs: readonly Variable[]): Variable {
  const [ofImage, ofFilters] = grad(sum(square(build(...inputs))), inputs).map((gradient) => sum(square(gradient)));
  return add(present(ofImage), present(ofFilters));
}

test('filters are turned by half a circle unless that is not wanted', async () => {
  const image = array('float64', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6]);
  const filters = array('float64', [1, 1, 1, 2], [10, 1]);
  const convolved = await evaluate('reference', (x, w) => conv2d(present(x), present(w)), [image, filters]);
  expectClose(convolved, array('float64', [1, 1, 2, 2], [21, 32, 54, 65]));
  const correlated = await evaluate('reference', (x, w) => conv2d(present(x), present(w), { flipFilters: false }), [
    image,
    filters,
  ]);
  expectClose(correlated, array('float64', [1, 1, 2, 2], [12, 23, 45, 56]));
});

test.each([true, false])(
  'second derivatives for filters of an empty batch are 0 on ONNX Runtime, its size known: %s',
  async (known) => {
    const x = tensor('x', 'float32', [known ? 0 : null, 1, 1, 4]);
    const w = tensor('w', 'float32', [1, 1, 2, 2]);
    const [slope] = grad(
      slopes((image, filters) => conv2d(present(image), present(filters), { border: 1 }), [x, w]),
      [w],
    );
    const f = await compile({ inputs: [x, w], outputs: [present(slope)], engine: 'onnxruntime', threads: 1 });
    const result = await f.run([ndarray('float32', [0, 1, 1, 4]), array('float32', [1, 1, 2, 2], [1, 2, 3, 4])]);
    expect(result).toEqual([ndarray('float32', [1, 1, 2, 2])]);
  },
);

test.each([
  { known: true, engine: 'onnxruntime' },
  { known: false, engine: 'onnxruntime' },
  { known: true, engine: 'tfjs' },
  { known: false, engine: 'tfjs' },
])('a convolution that sums over nothing is 0 on $engine, sizes known: $known', async ({ known, engine }) => {
  const shapes = [
    [2, 0, 3, 3],
    [8, 0, 3, 3],
    [0, 8, 3, 3],
    [0, 4, 3, 3],
    [8, 2, 3, 3],
  ];
  const inputs = shapes.map((shape, at) => tensor(`x${at}`, 'float32', known ? shape : [null, null, 3, 3]));
  const [image, filters, turned, empty, w] = inputs.map(present);
  const [slope] = grad(sum(square(conv2d(present(empty), present(w), { border: 1, groups: 2 }))), [present(w)]);
  const f = await compile({
    inputs,
    outputs: [
      conv2d(present(image), present(filters), { border: 1 }),
      conv2dTranspose(present(image), present(turned)),
      present(slope),
    ],
    engine,
    threads: 1,
  });
  const values = shapes.map((shape) => ndarray('float32', shape, new Float32Array(sizeOf(shape)).fill(3)));
  // What was in memory is 0 at first.
  for (let run = 0; run < 20; run += 1) {
    for (const { data } of await f.run(values)) expect(data.every((element) => Number(element) === 0)).toBe(true);
  }
  await f.dispose();
});

test('filters without rows or columns are refused, also where only the data tell', async () => {
  const x = tensor('x', 'float32', [1, 1, 3, 3]);
  const none = 'filters of (1, 1, 0, 2) have no rows or no columns; give at least one of each';
  expect(() => conv2d(x, tensor('w', 'float32', [1, 1, 0, 2]))).toThrow(none);
  expect(() => conv2dTranspose(x, tensor('w', 'float32', [1, 1, 0, 2]))).toThrow(none);
  expect(() => convOutputShape([1, 1, 3, 3], [1, 1, 0, 2])).toThrow(`convOutputShape: ${none}`);
  const w = tensor('w', 'float32', [1, 1, null, 2]);
  for (const engine of ['reference', 'onnxruntime', 'tfjs']) {
    const f = await compile({ inputs: [x, w], outputs: [conv2d(x, w), conv2dTranspose(x, w)], engine, threads: 1 });
    await expect(
      f.run([array('float32', [1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]), array('float32', [1, 1, 0, 2], [])]),
    ).rejects.toThrow(/conv2d/);
    await f.dispose();
  }
});

describe('sizes that only the data tell', () => {
  test.each(['reference', 'onnxruntime', 'tfjs'])(
    'may be 0 for the batch, of which filters have gradients of 0: %s',
    async (engine) => {
      const [x, w] = [tensor('x', 'float32', [null, 2, null, 4]), tensor('w', 'float32', [3, 2, 2, 2])];
      const y = conv2d(x, w, { strides: 2 });
      const f = await compile({ inputs: [x, w], outputs: [y, ...grad(sum(square(y)), [x, w])], engine, threads: 1 });
      const filters = array(
        'float32',
        [3, 2, 2, 2],
        Array.from({ length: 24 }, (_, at) => at - 11),
      );
      // What the first run leaves in memory must not be what the second one sums.
      await f.run([
        array(
          'float32',
          [2, 2, 5, 4],
          Array.from({ length: 80 }, (_, at) => at),
        ),
        filters,
      ]);
      const [output, forImage, forFilters] = await f.run([array('float32', [0, 2, 5, 4], []), filters]);
      expect(output?.shape).toEqual([0, 3, 2, 2]);
      expect(forImage?.shape).toEqual([0, 2, 5, 4]);
      expectClose(
        present(forFilters),
        array(
          'float32',
          [3, 2, 2, 2],
          Array.from({ length: 24 }, () => 0),
        ),
      );
      await f.dispose();
    },
  );

  test('are errors with both shapes where they do not fit', async () => {
    const [x, w] = [tensor('x', 'float32', [1, 1, null, 4]), tensor('w', 'float32', [1, 1, 3, 1])];
    const f = await compile({ inputs: [x, w], outputs: [conv2d(x, w)], engine: 'reference' });
    const run = f.run([
      array('float32', [1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
      array('float32', [1, 1, 3, 1], [1, 2, 3]),
    ]);
    await expect(run).rejects.toThrow(
      'conv2d: `x` float32 (1, 1, null, 4) and `w` float32 (1, 1, 3, 1): filters of (1, 1, 3, 1) are larger than the image of (1, 1, 2, 4)',
    );
  });
});

test('ONNX Runtime has no float64 of it, and says so', async () => {
  const [x, w] = [tensor('x', 'float64', [null, 1, 9, 9]), tensor('w', 'float64', [1, 1, 3, 3])];
  await expect(compile({ inputs: [x, w], outputs: [conv2d(x, w)], engine: 'onnxruntime' })).rejects.toThrow(
    /^function: the engine onnxruntime cannot run conv2d\{.*it has no kernel for the op in float64; use another engine/,
  );
});

test('1.T-38: the shape of a convolution is known before there is one', () => {
  expect(convOutputShape([null, 3, 7, 8], [6, 3, 3, 3])).toEqual([null, 6, 5, 6]);
  expect(convOutputShape([2, 3, 7, null], [6, 3, 3, 3], { border: 'half', strides: 2 })).toEqual([2, 6, 4, null]);
  expect(convOutputShape([2, 3, 7, 8], [null, 3, 3, 2], { border: 'full', dilation: [2, 1] })).toEqual([
    2,
    null,
    11,
    9,
  ]);
  expect(convOutputShape([2, 3, 7, 8], [6, 3, null, 2], { border: 'half' })).toEqual([2, 6, null, 9]);
  expect(() => convOutputShape([1, 1, 2, 2], [1, 1, 3, 1])).toThrow(
    'convOutputShape: filters of (1, 1, 3, 1) are larger than an image of (1, 1, 2, 2); give smaller ones, or a border',
  );
  expect(() => convOutputShape([1, 2, 2], [1, 1, 3, 1])).toThrow('must have four axes each');
});

test('operands that do not fit are refused', () => {
  const [x, w] = [tensor('x', 'float32', [2, 3, 5, 5]), tensor('w', 'float32', [4, 2, 3, 3])];
  expect(() => conv2d(x, w)).toThrow('conv2d: `x` float32 (2, 3, 5, 5) and');
  expect(() => conv2d(x, w)).toThrow('the image has 3 channels, the filters take 2 in each of 1 groups; these must');
  expect(() => conv2d(x, tensor('w', 'float32', [4, 1, 3, 3]), { groups: 3 })).toThrow('4 output channels cannot be');
  expect(() => conv2d(x, tensor('w', 'float32', [4, 3, 6, 1]))).toThrow('filters of (4, 3, 6, 1) are larger than');
  expect(() => conv2d(x, tensor('w', 'float32', [3, 3]))).toThrow('conv2d: `w` float32 (3, 3) must have four axes');
  expect(() => conv2d(tensor('n', 'int32', [1, 1, 2, 2]), w)).toThrow('conv2d: `n` int32 (1, 1, 2, 2) must have four');
  expect(() => conv2d(x, w, { strides: 0 })).toThrow(
    'cannot have strides of 0; give an integer of 1 or more, or a pair',
  );
  expect(() => conv2d(x, w, { border: [1, -1] })).toThrow(
    'cannot have a border of [1, -1]; give an integer of 0 or more',
  );
  expect(() => conv2d(x, w, { groups: 0.5 })).toThrow(
    'cannot be divided into 0.5 groups; give an integer of 1 or more',
  );
  expect(() => conv2dTranspose(x, tensor('w', 'float32', [3, 2, 3, 3]), { outputPadding: 1 })).toThrow(
    'conv2dTranspose: an output padding of [1,1] for `x` float32 (2, 3, 5, 5) must be less than the strides [1,1]',
  );
  expect(() => conv2dTranspose(x, w)).toThrow('conv2dTranspose: `x` float32 (2, 3, 5, 5) and `w` float32 (4, 2, 3, 3)');
  expect(() => conv2d(x, w)).toThrow('conv2d: `x` float32 (2, 3, 5, 5) and `w` float32 (4, 2, 3, 3): the image has');
  const [bytes, wide] = [tensor('w', 'float64', [4, 2, null, 3]), tensor('x', 'float64', [2, 3, 5, 5])];
  expect(() => conv2d(x, bytes, { border: 'full' })).toThrow('conv2d: `x` float32 (2, 3, 5, 5) and `w` float64');
  expect(() => conv2dTranspose(wide, w)).toThrow('conv2dTranspose: `x` float64 (2, 3, 5, 5) and `w` float32');
});

test.each(['reference', 'onnxruntime', 'tfjs'])(
  'conv2dTranspose refuses images that turn out to have no rows, as PyTorch does, and paddings that cut off more than all: %s',
  async (engine) => {
    const [x, w] = [tensor('x', 'float32', [null, 1, null, null]), tensor('w', 'float32', [1, 1, 3, 3])];
    const filters = array('float32', [1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const f = await compile({ inputs: [x, w], outputs: [conv2dTranspose(x, w)], engine });
    const empty = f.run([array('float32', [1, 1, 0, 2], []), filters]);
    await expect(empty).rejects.toThrow(
      '(1, 1, 0, 2) has no rows or no columns, as no convolution gives; give at least',
    );
    const cut = await compile({ inputs: [x, w], outputs: [conv2dTranspose(x, w, { padding: 3 })], engine });
    const few = cut.run([array('float32', [1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), filters]);
    await expect(few).rejects.toThrow('the padding cuts off more than there is, which leaves (1, 1, -2, 0); give a');
    await Promise.all([f.dispose(), cut.dispose()]);
  },
);

test('conv2dTranspose refuses them when the graph is built, where the sizes are known', () => {
  const w = tensor('w', 'float32', [1, 1, 3, 3]);
  expect(() => conv2dTranspose(tensor('x', 'float32', [1, 1, 0, 2]), w)).toThrow(
    'conv2dTranspose: `x` float32 (1, 1, 0, 2) and `w` float32 (1, 1, 3, 3): (1, 1, 0, 2) has no rows or no columns',
  );
  expect(() => conv2dTranspose(tensor('x', 'float32', [1, 1, 1, 2]), w, { padding: 2 })).toThrow(
    'the padding cuts off more than there is, which leaves (1, 1, -1, 0)',
  );
});
