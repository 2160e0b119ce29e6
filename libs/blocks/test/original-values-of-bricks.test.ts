import { ndarray, RandomState, RandomStreams, sizeOf, type NdArray } from '@longrun/serialization';
import { compile, constant, lmatrix, lvector, matrix, tensor, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  AveragePooling,
  CategoricalCrossEntropy,
  collectParameters,
  ComputationGraph,
  Constant,
  Convolutional,
  ConvolutionalSequence,
  ConvolutionalTranspose,
  GatedRecurrent,
  Identity,
  Linear,
  LinearMaxout,
  LookupTable,
  LSTM,
  MaxPooling,
  MisclassificationRate,
  MLP,
  NDimensionalSoftmax,
  Orthogonal,
  RecurrentStack,
  Rectifier,
  Sequence,
  SimpleRecurrent,
  Softmax,
  Sparse,
  SparseND,
  Tanh,
  type Brick,
  type Initialization,
} from '../src/index.js';
import { float32, int64 } from './tiny-experiment.js';

// The numbers of the tests that the original Blocks has, as in original-values.test.ts. What its tests compute by NumPy from numbers is here what comes of it.

type Numbers = readonly number[];

interface Result {
  readonly shape: readonly number[];
  readonly values: Numbers;
}

/** What comes of a variable. */
async function run(output: Variable, given: readonly (readonly [Variable, NdArray])[]): Promise<Result> {
  const f = await compile({
    inputs: given.map(([input]) => input),
    outputs: [output],
    engine: 'reference',
    threads: 1,
    onUnusedInput: 'ignore',
  });
  const [result] = await f.run(given.map(([, value]) => value));
  await f.dispose();
  return { shape: result?.shape ?? [], values: Array.from(result?.data ?? [], Number) };
}

/** Relatively within float32. */
function expectClose(actual: Numbers, expected: Numbers, relative = 1e-5): void {
  expect(actual).toHaveLength(expected.length);
  for (const [at, value] of expected.entries()) {
    expect(Math.abs((actual[at] ?? Number.NaN) - value)).toBeLessThanOrEqual(relative * Math.abs(value));
  }
}

function full(shape: readonly number[], value = 1): NdArray {
  return float32(shape, Array<number>(sizeOf(shape)).fill(value));
}

function initialized<B extends Brick>(brick: B): B {
  brick.initialize(new RandomStreams(1));
  return brick;
}

const images = tensor('images', 'float32', [null, null, null, null]);
const x = matrix('x');

/** What a brick makes of images: its shape, and the values that occur. */
async function ofImages(
  brick: Brick & { apply(input: Variable): Variable },
  given: NdArray,
): Promise<{ readonly shape: readonly number[]; readonly values: Numbers }> {
  const { shape, values } = await run(brick.apply(images), [[images, given]]);
  return { shape, values: [...new Set(values)] };
}

describe('test_bricks.py', () => {
  const [two, one] = [new Constant(2), new Constant(1)];

  test('test_linear, test_linear_maxout, test_sequence', async () => {
    const linear = initialized(new Linear({ inputDim: 16, outputDim: 8, weightsInit: two, biasesInit: one }));
    expect(await run(linear.apply(x), [[x, full([4, 16])]])).toEqual({ shape: [4, 8], values: Array(32).fill(33) });
    const bare = initialized(new Linear({ inputDim: 16, outputDim: 8, weightsInit: two, useBias: false }));
    expect((await run(bare.apply(x), [[x, full([4, 16])]])).values).toEqual(Array(32).fill(32));
    const maxout = new LinearMaxout({ inputDim: 16, outputDim: 8, numPieces: 3, weightsInit: two, biasesInit: one });
    expect((await run(initialized(maxout).apply(x), [[x, full([4, 16])]])).values).toEqual(Array(32).fill(33));
    const second = new Linear({
      inputDim: 8,
      outputDim: 4,
      weightsInit: new Constant(3),
      biasesInit: new Constant(4),
      name: 'second',
    });
    const first = new Linear({ inputDim: 16, outputDim: 8, weightsInit: two, biasesInit: one, name: 'first' });
    const sequence = initialized(new Sequence([first, second.application('apply')]));
    const [output = x] = sequence.application('apply').call([x]);
    expect((await run(output, [[x, full([4, 16])]])).values).toEqual(Array(16).fill(33 * 8 * 3 + 4));
  });

  test('test_mlp', async () => {
    const mlp = new MLP([new Tanh(), null], { dims: [16, 8, 4], weightsInit: one, biasesInit: one });
    const { values } = await run(initialized(mlp).apply(x), [[x, full([2, 16], 0.01)]]);
    expectClose(values, Array<number>(8).fill(8 * Math.tanh(1.16) + 1));
  });

  test('test_snapshot of test_graph.py', async () => {
    const mlp = new MLP([new Identity(), new Identity()], { dims: [10, 10, 10], weightsInit: one, biasesInit: two });
    const graph = new ComputationGraph(initialized(mlp).apply(x));
    const snapshot = await graph.getSnapshot(new Map([['x', full([1, 10], 0)]]), { engine: 'reference' });
    // Four parameters, ten inputs and outputs; and four norms of parameters, which the original's graph has not the roles for.
    expect(snapshot.size - graph.auxiliaryVariables.length).toBe(14);
  });

  test('test_collect of test_graph.py', async () => {
    const mlp = new MLP([new Tanh(), new Tanh()], { dims: [784, 100, 784], useBias: false });
    mlp.allocate();
    const graph = new ComputationGraph(mlp.apply(x));
    for (const [at, parameter] of graph.parameters.entries()) {
      parameter.setValue(full(parameter.shape.map(Number), at + 1));
    }
    const { collector } = await collectParameters(graph, graph.parameters);
    const { data } = await collector.getValue();
    expect([data.indexOf(2 as never), data.lastIndexOf(1 as never), data.length]).toEqual([78_400, 78_399, 156_800]);
  });
});

test('test_lookup.py: test_lookup_table', async () => {
  const table = new LookupTable({ length: 5, dim: 3 });
  table.allocate();
  table.W.setValue(
    float32(
      [5, 3],
      Array.from({ length: 15 }, (_, at) => at),
    ),
  );
  const indices = lmatrix('indices');
  const { values } = await run(table.apply(indices), [[indices, { ...int64([1, 2, 0, 3]), shape: [2, 2] }]]);
  expect(values).toEqual([3, 4, 5, 6, 7, 8, 0, 1, 2, 9, 10, 11]);
  expect([table.getDim('indices'), table.getDim('output')]).toEqual([0, 3]);
  expect(() => table.getDim('random_name')).toThrow('does not know the dimension of "random_name"');
});

describe('test_cost.py, test_wrappers.py', () => {
  const y = lvector('y');

  test('test_softmax_vector, test_softmax_matrix', async () => {
    const random = new RandomState(1);
    const logits = float32([100, 10], [...random.randn(1000)]);
    const classes = int64([...random.randint(0, 10, 100)]);
    for (const cost of [
      new CategoricalCrossEntropy().apply(y, new Softmax().apply(x)),
      new Softmax().categoricalCrossEntropy(y, x),
    ]) {
      const { values } = await run(cost, [
        [y, classes],
        [x, logits],
      ]);
      expectClose([values.reduce((total, value) => total + value, 0) / values.length], [2.7110248403333896]);
    }
    const again = new RandomState(1);
    const [few, shares] = [float32([2, 2], [...again.randn(4)]), [...again.uniform(0, 1, 4)]];
    const targets = matrix('targets');
    const sums = [0, 2].map((at) => (shares[at] ?? 0) + (shares[at + 1] ?? 0));
    const cost = new CategoricalCrossEntropy().apply(targets, new Softmax().apply(x));
    const { values } = await run(cost, [
      [
        targets,
        float32(
          [2, 2],
          shares.map((share, at) => share / (sums[at >> 1] ?? 1)),
        ),
      ],
      [x, few],
    ]);
    expectClose(values, [1.092377783514189]);
  });

  test('test_misclassification_rate', async () => {
    const scores = float32([5, 4], [3, 2, 1, 0, 1, 8, 2, 1, 3, 8, 1, 2, 1, 6, 4, 2, 9, 7, 5, 5]);
    const rates = [1, 2, 3].map(async (topK) => {
      const rate = new MisclassificationRate({ topK }).apply(y, x);
      const { values } = await run(rate, [
        [y, int64([2, 1, 0, 1, 2])],
        [x, scores],
      ]);
      return values;
    });
    expectClose((await Promise.all(rates)).flat(), [0.6, 0.4, 0.2]);
  });

  test('test_with_extra_dims_cross_entropy_2d, test_with_extra_dims_cross_entropy_3d', async () => {
    const [labels, logits] = [lmatrix('labels'), tensor('logits', 'float32', [null, null, 4])];
    const numbers = [1, 2, 1, 2, 1, 2, 3, 4, 4, 3, 2, 1, 2, 2, 2, 2];
    const expected = [2.0064, 2.44019, 2.44019, 1.3863];
    const brick = new NDimensionalSoftmax();
    const flat = await run(brick.categoricalCrossEntropy(y, x, { extraNdim: 0 }), [
      [y, int64([0, 1, 2, 3])],
      [x, float32([4, 4], numbers)],
    ]);
    expectClose(flat.values, expected);
    const deep = await run(brick.categoricalCrossEntropy(labels, logits, { extraNdim: 1 }), [
      [labels, { ...int64([0, 1, 2, 3]), shape: [2, 2] }],
      [logits, float32([2, 2, 4], numbers)],
    ]);
    expect(deep.shape).toEqual([2, 2]);
    expectClose(deep.values, expected);
  });
});

describe('test_conv.py', () => {
  const ones = new Constant(1);
  const conv = (options: ConstructorParameters<typeof Convolutional>[0]): Convolutional =>
    initialized(
      new Convolutional({ filterSize: [3, 3], numFilters: 3, numChannels: 4, weightsInit: ones, ...options }),
    );

  test('test_convolutional, test_tied_biases, test_untied_biases, test_no_input_size', async () => {
    const brick = conv({ imageSize: [17, 13], biasesInit: new Constant(5) });
    expect(await ofImages(brick, full([5, 4, 17, 13]))).toEqual({ shape: [5, 3, 15, 11], values: [41] });
    expect(brick.getDim('output')).toEqual([3, 15, 11]);
    const two = new Constant(2);
    const tied = conv({ biasesInit: two });
    expect(tied.b.shape).toEqual([3]);
    expect(await ofImages(tied, full([5, 4, 10, 12]))).toEqual({ shape: [5, 3, 8, 10], values: [38] });
    expect(await ofImages(tied, full([5, 4, 23, 19]))).toEqual({ shape: [5, 3, 21, 17], values: [38] });
    const untied = conv({ biasesInit: two, imageSize: [28, 30], tiedBiases: false });
    expect(untied.b.shape).toEqual([3, 26, 28]);
    expect(await ofImages(untied, full([5, 4, 28, 30]))).toEqual({ shape: [5, 3, 26, 28], values: [38] });
    await expect(ofImages(untied, full([5, 4, 23, 19]))).rejects.toThrow('do not broadcast');
    expect(() => conv({ biasesInit: two, tiedBiases: false })).toThrow('give imageSize');
  });

  test('test_convolutional_transpose', async () => {
    const brick = new ConvolutionalTranspose({
      filterSize: [3, 3],
      numFilters: 3,
      numChannels: 4,
      step: [2, 2],
      originalImageSize: [17, 13],
      imageSize: [8, 6],
      weightsInit: ones,
      biasesInit: new Constant(5),
    });
    const { shape, values } = await run(initialized(brick).apply(images), [[images, full([5, 4, 8, 6])]]);
    expect(shape).toEqual([5, 3, 17, 13]);
    // Every other row and column, but those at the border, is reached by two filters.
    const isBetween = (place: number, size: number): boolean => place >= 2 && place < size - 2 && place % 2 === 0;
    const expected = Array.from({ length: 17 * 13 }, (_, at) => {
      const [row, column] = [isBetween(Math.floor(at / 13), 17), isBetween(at % 13, 13)];
      return 4 * (1 + Number(row) + Number(column) + Number(row && column)) + 5;
    });
    expect(values).toEqual(Array.from({ length: 15 }, () => expected).flat());
  });

  test.each<readonly [string, ConstructorParameters<typeof ConvolutionalTranspose>[0], readonly [number, number]]>([
    ['', {}, [19, 21]],
    ['_padding', { borderMode: [2, 1] }, [15, 19]],
    ['_full_padding', { borderMode: 'full' }, [13, 13]],
    ['_half_padding', { borderMode: 'half' }, [15, 17]],
    [
      '_unused_edge',
      { filterSize: [3, 3], step: [2, 2], borderMode: [1, 1], imageSize: [4, 4], unusedEdge: [1, 1] },
      [8, 8],
    ],
  ])('test_convolutional_transpose_original_size_inference%s', async (_, options, size) => {
    const brick = new ConvolutionalTranspose({
      filterSize: [4, 5],
      numFilters: 10,
      numChannels: 5,
      step: [3, 2],
      imageSize: [6, 9],
      ...options,
    });
    brick.allocate();
    expect(brick.outputSize).toEqual(size);
    expect((await ofImages(brick, full([4, 5, ...(options?.imageSize ?? [6, 9])].map(Number)))).shape).toEqual([
      4,
      10,
      ...size,
    ]);
  });

  test('test_max_pooling and its kin, test_average_pooling and its kin', async () => {
    expect(await ofImages(new MaxPooling({ poolingSize: 3 }), full([5, 4, 17, 13]))).toEqual({
      shape: [5, 4, 5, 4],
      values: [1],
    });
    const shapes = [
      [new MaxPooling({ poolingSize: [3, 4], ignoreBorder: true }), [8, 3, 10, 13], [8, 3, 3, 3]],
      [new MaxPooling({ poolingSize: [5, 7], ignoreBorder: false }), [4, 6, 12, 15], [4, 6, 3, 3]],
      [new MaxPooling({ poolingSize: [6, 2], padding: [3, 1], ignoreBorder: true }), [2, 3, 6, 10], [2, 3, 2, 6]],
    ] as const;
    for (const [brick, before, after] of shapes) expect((await ofImages(brick, full(before))).shape).toEqual(after);
    const sixteen = Array.from({ length: 16 }, (_, at) => at);
    const tiled = float32([2, 3, 4, 4], Array.from({ length: 6 }, () => sixteen).flat());
    expect((await ofImages(new AveragePooling({ poolingSize: 2 }), tiled)).values).toEqual(
      [10, 18, 42, 50].map((sum) => sum / 4),
    );
    const padded = { poolingSize: 2, ignoreBorder: true, padding: 1 } as const;
    expect(
      (await ofImages(new AveragePooling({ ...padded, includePadding: true }), full([1, 1, 2, 2], 3))).values,
    ).toEqual([0.75]);
    expect(
      (await ofImages(new AveragePooling({ ...padded, includePadding: false }), full([1, 1, 2, 2], 3))).values,
    ).toEqual([3]);
  });

  test('test_convolutional_sequence and its kin', async () => {
    const second = new Convolutional({
      name: 'second',
      filterSize: 2,
      numFilters: 4,
      weightsInit: ones,
      useBias: false,
    });
    const layers = [
      new Convolutional({ filterSize: 3, numFilters: 5, weightsInit: ones, biasesInit: new Constant(5) }),
      new Rectifier(),
      new MaxPooling({ poolingSize: 3 }),
      second,
      new Rectifier({ name: 'last' }),
    ];
    const sequence = initialized(new ConvolutionalSequence(layers, { numChannels: 4, imageSize: [17, 13] }));
    expect(second.numChannels.value).toBe(5);
    expect(await ofImages(sequence, full([5, 4, 17, 13]))).toEqual({
      shape: [5, 4, 4, 2],
      values: [(9 * 4 + 5) * 4 * 5],
    });
    const poolings = new ConvolutionalSequence(
      [new AveragePooling({ poolingSize: 2, step: 2 }), new MaxPooling({ poolingSize: 4, step: 2 })],
      { numChannels: 3, imageSize: [16, 32] },
    );
    expect((await ofImages(poolings, full([2, 3, 16, 32]))).shape).toEqual([2, 3, 3, 7]);
    const raw = new ConvolutionalSequence(
      [
        new Convolutional({ name: 'a', filterSize: 3, numFilters: 4 }),
        new Rectifier(),
        new Convolutional({ name: 'b', filterSize: 5, numFilters: 3, step: 2 }),
        new Tanh(),
      ],
      { numChannels: 2, imageSize: [21, 39] },
    );
    expect((await ofImages(raw, full([10, 2, 21, 39]))).shape).toEqual([10, 3, 8, 17]);
    const dims = (only: readonly Brick[], numChannels: number, imageSize: [number, number]): unknown =>
      new ConvolutionalSequence(only, { numChannels, imageSize }).getDim('output');
    expect(dims([new Tanh()], 9, [4, 6])).toEqual([9, 4, 6]);
    expect(
      dims([new Convolutional({ filterSize: 7, numFilters: 5, borderMode: [1, 1] }), new Tanh()], 8, [8, 11]),
    ).toEqual([5, 4, 7]);
  });
});

describe('test_recurrent.py', () => {
  const two = new Constant(2);
  const tenths = (...values: number[]): number[] => values.map((value) => value / 10);
  const states = constant(float32([2, 3], tenths(1, 1, 0, 0, 1, 1)));
  const inputs = constant(float32([2, 3], tenths(1, 2, 3, 4, 5, 6)));
  /** 24 steps of 4 examples, of which the last is masked from the twelfth on. */
  const mask = constant(
    float32(
      [24, 4],
      Array.from({ length: 96 }, (_, at) => (at >= 48 && at % 4 === 3 ? 0 : 1)),
    ),
  );
  /** A row of each of the first 24 permutations of so many numbers, as Python has them. */
  const permutations = (count: number): number[][] => {
    const of = (items: readonly number[]): number[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item) => of(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
    const last = of(Array.from({ length: 4 }, (_, at) => count - 4 + at));
    return last.map((rest) => [...Array.from({ length: count - 4 }, (_, at) => at), ...rest]);
  };

  test('TestSimpleRecurrent', async () => {
    const brick = initialized(new SimpleRecurrent({ dim: 3, weightsInit: two, activation: new Tanh() }));
    const step = brick.apply({ inputs, states, mask: constant(float32([2], [1, 0])) }, { iterate: false }).states;
    expectClose(
      (await run(step, [])).values,
      [0.46211715726000974, 0.5370495669980353, 0.6043677771171635, 0, 0.1, 0.1],
    );
    const sequence = permutations(4).flatMap((row) => row.flatMap((value) => tenths(value, value, value)));
    const all = await run(brick.apply({ inputs: constant(float32([24, 4, 3], sequence)), mask }).states, []);
    const sums = [0, 1, 2, 3].map((example) =>
      all.values.filter((_, at) => at % 12 === 3 * example).reduce((total, value) => total + value, 0),
    );
    expectClose(sums, [16.70147245941365, 22.701610219648007, 23.09940540981091, 23.25122515903807]);
  });

  test('TestLSTM, TestRecurrentStack.test_one_step of one layer', async () => {
    const brick = initialized(new LSTM({ dim: 3, weightsInit: two, biasesInit: new Constant(0) }));
    const wide = constant(float32([2, 12], tenths(...Array.from({ length: 24 }, (_, at) => at))));
    const expected = [
      0.4686320858142183, 0.5057424715169498, 0.4569215741886374, 0.659921163062895, 0.728205473033554,
      0.7357839326394051,
    ];
    const step = brick.apply({ inputs: wide, states, cells: states }, { iterate: false });
    expectClose((await run(step.states, [])).values, expected);
    const stack = new RecurrentStack({
      transitions: [new LSTM({ dim: 3 })],
      weightsInit: two,
      biasesInit: new Constant(0),
    });
    const ofStack = initialized(stack).apply({ inputs: wide, states, cells: states }, { iterate: false });
    expectClose((await run(ofStack['states'] ?? states, [])).values, expected);
    const sequence = permutations(12).flatMap((row) => Array.from({ length: 4 }, () => tenths(...row)).flat());
    const all = await run(brick.apply({ inputs: constant(float32([24, 4, 12], sequence)), mask }).states, []);
    const first = [0.21189860485291567, 0.25693398893507935, 0.30137334886172623];
    expectClose(all.values.slice(0, 12), [...first, ...first, ...first, ...first]);
    // The last example is as it was in the twelfth step.
    expectClose(all.values.slice(-3), [0.999999999550781, 0.9999999996105805, 0.999999999659831]);
    expect(all.values.slice(-3)).toEqual(all.values.slice(12 * 12 - 3, 12 * 12));
  });

  test('TestGatedRecurrent.test_one_step', async () => {
    const brick = new GatedRecurrent({ dim: 3, activation: new Tanh(), gateActivation: new Tanh(), weightsInit: two });
    const [h, i] = [tenths(1, 1, 0, 0, 1, 1), tenths(1, 2, 3, 4, 5, 6)];
    const gates = [0, 1].flatMap((row) => {
      const columns = [0, 1, 2].map((column) => 3 * row + column);
      return [...columns.map((at) => ((h[at] ?? 0) + (i[at] ?? 0)) / 2), ...columns.map((at) => -(i[at] ?? 0))];
    });
    const given = { inputs, states, gate_inputs: constant(float32([2, 6], gates)) };
    const { values } = await run(initialized(brick).apply(given, { iterate: false }).states, []);
    expectClose(
      values,
      [
        0.14399358849570937, 0.19471886137598443, 0.18920239150645643, 0.17615505800587047, 0.2898527577013427,
        0.34989011792784236,
      ],
    );
  });
});

describe('test_initialization.py', () => {
  const drawn = (scheme: Initialization, shape: readonly number[]): Numbers => [
    ...scheme.generate(new RandomState(1), shape).data,
  ];
  const ones = new Constant(1);

  test('test_constant', () => {
    expect(drawn(new Constant([1, 2, 3]), [7, 3])).toEqual(Array.from({ length: 7 }, () => [1, 2, 3]).flat());
    expect(drawn(new Constant(ndarray('float32', [3, 1], Float32Array.of(1, 2, 3))), [3, 2])).toEqual([
      1, 1, 2, 2, 3, 3,
    ]);
  });

  test('test_sparse', () => {
    const sum = (values: Numbers): number => values.reduce((total, value) => total + value, 0);
    for (const numInit of [3, 0.3]) {
      expect(sum(drawn(new Sparse({ numInit, weightsInit: ones }), [10, 10]))).toBe(30);
      expect(sum(drawn(new Sparse({ numInit, weightsInit: new Constant(0), sparseInit: ones }), [10, 10]))).toBe(70);
    }
  });

  test.each<readonly [number, readonly number[], readonly number[], number]>([
    [5, [1], [10, 11], 55],
    [3, [2], [7, 8, 9], 27],
    [5 / 6, [2, 3], [2, 3, 5, 7], 175],
    [3, [0, 1], [3, 5, 7, 11], 45],
    [0.5, [0, 2, 3], [2, 3, 2, 6], 24],
  ])('test_sparse_nd: %s values by the axes %s', (numInit, axis, shape, count) => {
    const values = drawn(new SparseND({ axis, numInit, weightsInit: ones }), shape);
    expect(values.filter((value) => value !== 0)).toHaveLength(count);
  });

  test.each([
    [50, 50],
    [50, 51],
    [51, 50],
  ])('test_orthogonal: %s by %s', (rows, columns) => {
    for (const scale of [1, 0.5]) {
      const values = drawn(new Orthogonal(scale), [rows, columns]);
      for (let row = 0; row < rows; row += 1) {
        const own = values.slice(row * columns, (row + 1) * columns);
        const length = own.reduce((total, value) => total + value * value, 0);
        expect(Math.abs(length - scale ** 2)).toBeLessThan(0.2);
      }
    }
  });
});
