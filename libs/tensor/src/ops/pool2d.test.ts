import { sizeOf } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  averagePool2d,
  compile,
  grad,
  maxPool2d,
  poolOutputShape,
  square,
  sum,
  tensor,
  type AveragePoolOptions,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread, type Build } from '../../test/op-laws.js';

const pools: readonly { readonly options: AveragePoolOptions; readonly image: number[] }[] = [
  { options: { size: 2 }, image: [2, 2, 4, 5] },
  { options: { size: [2, 3], strides: [1, 2] }, image: [1, 2, 4, 5] },
  { options: { size: 3, strides: 2, padding: [1, 2], countPadding: false }, image: [1, 1, 4, 5] },
  { options: { size: [2, 3], ignoreBorder: false }, image: [1, 1, 5, 4] },
  { options: { size: 3, strides: 2, ignoreBorder: false }, image: [1, 1, 4, 6] },
  { options: { size: 1, strides: 3, ignoreBorder: false }, image: [1, 1, 1, 5] },
  { options: { size: [3, 4], strides: [1, 2], ignoreBorder: false }, image: [1, 2, 2, 1] },
  { options: { size: 5, strides: [2, 3], ignoreBorder: false }, image: [1, 1, 4, 2] },
  // Divided by the windows.
  { options: { size: [2, 3] }, image: [2, 2, 4, 6] },
];

describe.each(pools)('$options of $image', ({ options, image }) => {
  test('1.T-45: gradients of maxPool2d and of its gradient are right on all engines', async () => {
    const { countPadding: _, ...windows } = options;
    await expectAllGradientsRight((x) => maxPool2d(present(x), windows), image);
  });

  test('1.T-46: gradients of averagePool2d and of its gradient are right on all engines', async () => {
    await expectAllGradientsRight((x) => averagePool2d(present(x), options), image);
  });

  test('1.T-47: the shape is known before there is one', async () => {
    const pooled = await evaluate('reference', (x) => maxPool2d(present(x), options), [spread(image, -1, 1)]);
    expect(poolOutputShape(image, options)).toEqual(pooled.shape);
    expect(poolOutputShape([null, ...image.slice(1, 3), null], options)).toEqual([
      null,
      ...pooled.shape.slice(1, 3),
      null,
    ]);
  });
});

async function expectAllGradientsRight(build: Build, image: number[]): Promise<void> {
  await expectGradientsRight(build, [spread(image, -2, 2)]);
  await expectGradientsRight((x) => slope(build, present(x)), [spread(image, -2, 2)]);
  // Many are equal.
  const ties = Array.from({ length: sizeOf(image) }, (_, at) => ((at * 5) % 7) % 3);
  await expectEnginesAgree((x) => slope(build, present(x)), [array('float32', image, ties)], { gradients: true });
}

function slope(build: Build, x: Variable): Variable {
  const [gradient] = grad(sum(square(build(x))), [x]);
  return sum(square(present(gradient)));
}

test('of equal elements the first has the gradient of the maximum', async () => {
  const x = array('float64', [1, 1, 2, 3], [1, 2, 2, 0, 2, 1]);
  const gradient = await evaluate('reference', (image) => firstGradient(present(image)), [x]);
  expectClose(gradient, array('float64', [1, 1, 2, 3], [0, 2, 0, 0, 0, 0]));
});

function firstGradient(x: Variable): Variable {
  return present(grad(sum(maxPool2d(x, { size: 2, strides: 1 })), [x])[0]);
}

test.each([0, 1])('NaN and infinities are pooled alike on all engines, with a padding of %i', async (padding) => {
  const special = [
    Number.NaN,
    1,
    -Infinity,
    -Infinity,
    2,
    3,
    -Infinity,
    -Infinity,
    5,
    5,
    1,
    Number.NaN,
    5,
    5,
    2,
    Infinity,
  ];
  const x = array('float32', [1, 1, 4, 4], special);
  await expectEnginesAgree((image) => maxPool2d(present(image), { size: 2, padding }), [x], { gradients: true });
  await expectEnginesAgree((image) => maxPool2d(present(image), { size: 3, strides: 1, padding }), [x], {
    gradients: true,
  });
});

test.each(['reference', 'onnxruntime', 'tfjs'])('batches may be empty: %s', async (engine) => {
  const x = tensor('x', 'float32', [null, 2, null, 4]);
  const outputs = [maxPool2d(x, { size: 2 }), averagePool2d(x, { size: 2, ignoreBorder: false })];
  const gradients = outputs.flatMap((output) => grad(sum(square(output)), [x]));
  const f = await compile({ inputs: [x], outputs: [...outputs, ...gradients], engine, threads: 1 });
  const results = await f.run([array('float32', [0, 2, 5, 4], [])]);
  expect(results.map(({ shape }) => shape)).toEqual([
    [0, 2, 2, 2],
    [0, 2, 3, 2],
    [0, 2, 5, 4],
    [0, 2, 5, 4],
  ]);
  await f.dispose();
  const divided = tensor('x', 'float32', [null, 2, 4, 4]);
  const ofDivided = await compile({
    inputs: [divided],
    outputs: grad(sum(maxPool2d(divided, { size: 2 })), [divided]),
    engine,
    threads: 1,
  });
  const [none] = await ofDivided.run([array('float32', [0, 2, 4, 4], [])]);
  expect(none?.shape).toEqual([0, 2, 4, 4]);
  await ofDivided.dispose();
});

test.each(['reference', 'onnxruntime', 'tfjs'])(
  'an image smaller than a window is one window, as in Theano, unless the border is ignored: %s',
  async (engine) => {
    const whole = { size: 4, strides: 1, ignoreBorder: false };
    expect(poolOutputShape([1, 1, 2, 3], whole)).toEqual([1, 1, 1, 1]);
    const values = array('float32', [1, 1, 2, 3], [-4, -2, -3, -6, -1, -2]);
    for (const shape of [[1, 1, 2, 3] as const, [1, 1, null, null] as const]) {
      const x = tensor('x', 'float32', shape);
      const outputs = [maxPool2d(x, whole), averagePool2d(x, whole)];
      const f = await compile({ inputs: [x], outputs, engine, threads: 1 });
      const [largest, mean] = await f.run([values]);
      expectClose(present(largest), array('float32', [1, 1, 1, 1], [-1]));
      expectClose(present(mean), array('float32', [1, 1, 1, 1], [-3]));
      await f.dispose();
    }
  },
);

test.each(['reference', 'onnxruntime', 'tfjs'])(
  'channels of which there turn out to be none, and any number of them: %s',
  async (engine) => {
    const x = tensor('x', 'float32', [null, null, 4, null]);
    const outputs = [maxPool2d(x, { size: 2 }), averagePool2d(x, { size: 2 })];
    const gradients = outputs.flatMap((output) => grad(sum(square(output)), [x]));
    const f = await compile({ inputs: [x], outputs: [...outputs, ...gradients], engine });
    const shapes = (await f.run([array('float32', [3, 0, 4, 5], [])])).map(({ shape }) => shape);
    expect(shapes).toEqual([
      [3, 0, 2, 2],
      [3, 0, 2, 2],
      [3, 0, 4, 5],
      [3, 0, 4, 5],
    ]);
    const images = array('float32', [2, 3, 4, 2], [...Array.from({ length: 47 }, (_, k) => (k * 7) % 48), Number.NaN]);
    const fixed = tensor('x', 'float32', [2, 3, 4, 2]);
    const pooled = maxPool2d(fixed, { size: 2 });
    const reference = await compile({
      inputs: [fixed],
      outputs: [pooled, ...grad(sum(square(pooled)), [fixed])],
      engine: 'reference',
    });
    const [largest, , gradient] = await f.run([images]);
    expect([largest, gradient]).toEqual(await reference.run([images]));
    await Promise.all([f.dispose(), reference.dispose()]);
  },
);

test.each(['reference', 'onnxruntime', 'tfjs'])(
  'an image that turns out to be smaller than a window is refused, in the same words: %s',
  async (engine) => {
    const x = tensor('x', 'float32', [null, 1, null, null]);
    const small = array('float32', [1, 1, 1, 3], [1, 2, 3]);
    const pooled = maxPool2d(x, { size: 2 });
    const f = await compile({ inputs: [x], outputs: [pooled, ...grad(sum(pooled), [x])], engine, threads: 1 });
    await expect(f.run([small])).rejects.toThrow(
      'maxPool2d: windows of [2,2] are larger than `x` float32 (null, 1, null, null); give smaller ones, or a padding',
    );
    const [largest] = await f.run([array('float32', [1, 1, 2, 3], [1, 2, 3, 6, 5, 4])]);
    expect(largest).toEqual(array('float32', [1, 1, 1, 1], [6]));
    const mean = await compile({ inputs: [x], outputs: [averagePool2d(x, { size: 2 })], engine, threads: 1 });
    await expect(mean.run([small])).rejects.toThrow('are larger than the image of (1, 1, 1, 3); give smaller ones');
    await Promise.all([f.dispose(), mean.dispose()]);
  },
);

test('windows that do not fit are refused', () => {
  const x = tensor('x', 'float32', [2, 3, 4, 5]);
  expect(() => maxPool2d(x, { size: 5 })).toThrow(
    'maxPool2d: windows of [5,5] are larger than `x` float32 (2, 3, 4, 5); give smaller ones, or a padding',
  );
  expect(() => averagePool2d(x, { size: 5 })).toThrow('averagePool2d: windows of [5,5] are larger than `x` float32');
  expect(() => maxPool2d(x, { size: 2, padding: 2 })).toThrow(
    'a padding of [2,2] around `x` float32 (2, 3, 4, 5) must',
  );
  expect(() => averagePool2d(x, { size: 2, padding: 1, ignoreBorder: false })).toThrow('and keep its border; set');
  expect(() => averagePool2d(x, { size: [2, 0] })).toThrow(
    'averagePool2d: `x` float32 (2, 3, 4, 5) cannot have windows',
  );
  expect(() => maxPool2d(tensor('x', 'float32', [2, 2]), { size: 2 })).toThrow(
    'maxPool2d: `x` float32 (2, 2) must have',
  );
  expect(() => poolOutputShape([2, 2], { size: 2 })).toThrow('an image of (2, 2) must have four axes');
});
