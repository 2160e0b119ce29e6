import { readFileSync } from 'node:fs';

import { ndarray, RandomStreams, sizeOf, type NdArray } from '@longrun/serialization';
import { compile, flatten, grad, lvector, matrix, mean, mul, sum, tensor } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  AveragePooling,
  Constant,
  Convolutional,
  ConvolutionalSequence,
  ConvolutionalTranspose,
  Flattener,
  GradientDescent,
  Identity,
  IsotropicGaussian,
  MaxPooling,
  MLP,
  Rectifier,
  Scale,
  select,
  Softmax,
  FILTER,
  type ConvolutionalOptions,
  type ConvolutionalTransposeOptions,
  type AveragePoolingOptions,
} from '../src/index.js';

interface Case {
  readonly kind: keyof typeof kinds;
  readonly options: ConvolutionalOptions & ConvolutionalTransposeOptions & AveragePoolingOptions;
  readonly input: readonly number[];
  readonly W: readonly number[] | null;
  readonly b: readonly number[] | null;
  readonly shape: readonly number[];
  readonly output: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

const kinds = { Convolutional, ConvolutionalTranspose, MaxPooling, AveragePooling };

/** See make-convolutions.py. */
const goldens: readonly Case[] = JSON.parse(
  readFileSync(new URL('goldens/convolutions.json', import.meta.url), 'utf8'),
);

function values(shape: readonly number[], seed: number): NdArray {
  return ndarray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, at) => Math.sin(at * 1.3 + seed)),
  );
}

function expectClose(actual: NdArray | undefined, expected: readonly number[]): void {
  expect(actual?.data).toHaveLength(expected.length);
  for (const [at, value] of expected.entries()) expect(Number(actual?.data[at])).toBeCloseTo(value, 4);
}

describe('convolutions and poolings give what PyTorch gives (1.9-19 to 1.9-25), with their gradients:', () => {
  test.each(goldens.map((golden) => ({ title: `${golden.kind} ${JSON.stringify(golden.options)}`, golden })))(
    '$title',
    async ({ golden }) => {
      const brick = new kinds[golden.kind](golden.options);
      brick.allocate();
      if (golden.W !== null) brick.parameterNamed('W').setValue(values(golden.W, 1));
      if (golden.b !== null) brick.parameterNamed('b').setValue(values(golden.b, 2));
      const input = tensor('input', 'float32', [null, ...golden.input.slice(1)]);
      const output = brick.apply(input);
      const weights = tensor('weights', 'float32', output.shape);
      const wrt = [input, ...brick.parameters];
      const f = await compile({
        inputs: [input, weights],
        outputs: [output, ...grad(sum(mul(output, weights)), wrt)],
        engine: 'onnxruntime',
        threads: 1,
      });
      const [result, ...gradients] = await f.run([values(golden.input, 0), values(golden.shape, 3)]);
      await f.dispose();
      expect(result?.shape).toEqual(golden.shape);
      expectClose(result, golden.output);
      for (const [at, expected] of golden.gradients.entries()) expectClose(gradients[at], expected);
      brick.takeImages(golden.input[1] ?? 0, [golden.input[2] ?? 0, golden.input[3] ?? 0]);
      expect([brick.getDim('input'), brick.getDim('output')]).toEqual([golden.input.slice(1), golden.shape.slice(1)]);
    },
  );
});

describe('a sequence of convolutions (1.9-26, 1.9-27)', () => {
  const layers = (): ConvolutionalSequence =>
    new ConvolutionalSequence(
      [
        new Convolutional({ name: 'first', filterSize: 3, numFilters: 4 }),
        new Rectifier(),
        new MaxPooling({ name: 'pool', poolingSize: 2 }),
        new Convolutional({ name: 'second', filterSize: [2, 3], numFilters: 5, step: 2 }),
        new Identity(),
      ],
      {
        numChannels: 2,
        imageSize: [11, 13],
        weightsInit: new IsotropicGaussian(0.3),
        biasesInit: new Constant(0),
      },
    );

  test('tells each layer what images it gets', () => {
    const sequence = layers();
    sequence.allocate();
    expect([sequence.getDim('input'), sequence.getDim('output')]).toEqual([
      [2, 11, 13],
      [5, 2, 2],
    ]);
    const output = sequence.apply(tensor('images', 'float32', [null, 2, 11, 13]));
    expect(output.shape).toEqual([null, 5, 2, 2]);
    expect(
      select(output)
        .role(FILTER)
        .variables.map(({ shape }) => shape),
    ).toEqual([
      [4, 2, 3, 3],
      [5, 4, 2, 3],
    ]);
    expect(() => layers().apply(tensor('images', 'float32', [null, 3, 11, 13]))).toThrow('should end in (2, 11, 13)');
  });

  test('gives all of its convolutions its border mode and its biases', () => {
    const sequence = layers();
    [sequence.borderMode, sequence.tiedBiases] = ['full', false];
    sequence.allocate();
    expect(sequence.layers.flatMap(({ parameters }) => parameters.map(({ shape }) => shape))).toEqual([
      [4, 2, 3, 3],
      [4, 13, 15],
      [5, 4, 2, 3],
      [5, 4, 5],
    ]);
  });

  test('is copied with what was set since', () => {
    const sequence = layers();
    sequence.imageSize = [20, 22];
    const [first] = sequence.layers;
    if (first instanceof Convolutional) first.step = [2, 1];
    const copy = sequence.copy('twin');
    for (const one of [sequence, copy]) one.allocate();
    expect(copy.getDim('output')).toEqual(sequence.getDim('output'));
    expect(copy.getDim('output')).not.toEqual(layers().getDim('output'));
    expect(copy.layers.some((layer) => sequence.layers.includes(layer))).toBe(false);
  });

  test('is trained with an MLP on top', async () => {
    const sequence = layers();
    const [rows, top] = [
      new Flattener(),
      new MLP([null], { dims: [20, 2], weightsInit: new IsotropicGaussian(0.3), biasesInit: new Constant(0) }),
    ];
    const random = new RandomStreams(1);
    sequence.initialize(random);
    top.initialize(random);
    const images = tensor('images', 'float32', [null, 2, 11, 13]);
    const logits = top.apply(rows.apply(sequence.apply(images)));
    const cost = mean(new Softmax().categoricalCrossEntropy(lvector('targets'), logits));
    const algorithm = new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0.1 }) });
    algorithm.observe([cost]);
    await algorithm.initialize({ engine: 'onnxruntime', threads: 1 });
    const columns = new Map([
      ['images', values([6, 2, 11, 13], 0)],
      ['targets', ndarray('int64', [6], BigInt64Array.of(0n, 1n, 1n, 0n, 1n, 0n))],
    ]);
    const costs: number[] = [];
    for (let step = 0; step < 30; step += 1) {
      await algorithm.processBatch({ columns });
      costs.push(Number(algorithm.observed(cost).data[0]));
    }
    expect(costs.at(-1)).toBeLessThan((costs[0] ?? 0) / 2);
  });
});

describe('what cannot be is refused:', () => {
  test.each<[string, () => unknown]>([
    [
      '/convolutional: allocation config not set: filterSize, numFilters',
      () => new Convolutional({ numChannels: 1 }).allocate(),
    ],
    [
      '3 channels and 4 filters cannot be divided into 2 groups',
      () => new Convolutional({ filterSize: 1, numFilters: 4, numChannels: 3, numGroups: 2 }).allocate(),
    ],
    [
      'biases that are not tied have the size of the output; give imageSize',
      () => new Convolutional({ filterSize: 1, numFilters: 1, numChannels: 1, tiedBiases: false }).allocate(),
    ],
    [
      'originalImageSize is (9, 9), but from 4 come 5 to 5; give one of those',
      () =>
        new ConvolutionalTranspose({ filterSize: 2, numFilters: 1, numChannels: 1, originalImageSize: [9, 9] }).apply(
          tensor('x', 'float32', [null, 1, 4, 4]),
        ),
    ],
    [
      'how many channels there are is not known; give inputDim',
      () => new MaxPooling({ poolingSize: 2 }).numOutputChannels,
    ],
  ])('%s', (message, make) => {
    expect(make).toThrow(message);
  });

  test('images are flattened, and what is not an image is no input of a convolution', () => {
    expect(flatten(matrix('x')).ndim).toBe(1);
    expect(() => new Convolutional({ filterSize: 1, numFilters: 1, numChannels: 1 }).apply(matrix('x'))).toThrow(
      'must have four axes',
    );
  });
});
