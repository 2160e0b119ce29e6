import { readFileSync } from 'node:fs';

import { RandomState, RandomStreams } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  Convolutional,
  Dropout,
  GatedRecurrent,
  GlorotNormal,
  GlorotUniform,
  HeNormal,
  HeUniform,
  IsotropicGaussian,
  LookupTable,
  LSTM,
  MLP,
  Orthogonal,
  PermutationMatrix,
  Selector,
  Sparse,
  SparseND,
  Tanh,
  Uniform,
  type Brick,
  type Initialization,
  type RandomNumbers,
} from '../src/index.js';

interface FanCase {
  readonly shape: readonly number[];
  readonly glorotStd: number;
  readonly glorotBound: number;
  readonly heStd: number;
  readonly heStdOut: number;
  readonly heBound: number;
}

/** See make-initialization.py. */
const golden: {
  readonly schemes: Readonly<Record<string, readonly number[]>>;
  readonly bricks: Readonly<Record<string, readonly number[]>>;
  readonly fans: readonly FanCase[];
} = JSON.parse(readFileSync(new URL('goldens/initialization.json', import.meta.url), 'utf8'));
const SEED = 1234;

/** Within so many units of 2^-52 of the largest number. */
function expectClose(actual: Iterable<number>, expected: readonly number[] | undefined, units: number): void {
  const values = [...actual];
  expect(values).toHaveLength(expected?.length ?? -1);
  const largest = Math.max(...values.map(Math.abs));
  for (const [at, value] of expected?.entries() ?? []) {
    expect(Math.abs((values[at] ?? Number.NaN) - value)).toBeLessThanOrEqual(units * 2 ** -52 * largest);
  }
}

describe('by a RandomState a scheme gives the numbers that the original drew by NumPy:', () => {
  const normal = new IsotropicGaussian();
  const places = (): RandomState => new RandomState(7);
  // Normal numbers: the logarithms of libraries differ by up to two units; orthogonal ones: LAPACK's order of rounding.
  test.each<readonly [string, Initialization, readonly number[], number]>([
    ['gaussian', new IsotropicGaussian(2, 0.5), [3, 5], 4],
    ['uniform', new Uniform({ mean: 1, width: 3 }), [3, 5], 0],
    ['uniformStd', new Uniform({ std: 0.5 }), [3, 5], 0],
    ['square', new Orthogonal(0.5), [6, 6], 64],
    ['tall', new Orthogonal(), [5, 3], 64],
    ['wide', new Orthogonal(), [3, 5], 64],
    ['sparse', new Sparse({ numInit: 3, weightsInit: normal, places: places() }), [4, 7], 4],
    ['sparseND', new SparseND({ axis: [0, 2], numInit: 3, weightsInit: normal, places: places() }), [2, 3, 2, 2], 4],
    ['permutation', new PermutationMatrix(), [6, 6], 0],
  ])('%s (1.10)', (name, scheme, shape, units) => {
    expectClose(scheme.generate(new RandomState(SEED), shape).data, golden.schemes[name], units);
  });

  test('places come from the generator of the values where no other is given', () => {
    const scheme = new Sparse({ numInit: 3, weightsInit: normal });
    const [one, other] = [new RandomState(SEED), new RandomState(SEED)].map((random) =>
      scheme.generate(random, [4, 7]),
    );
    expect(one).toEqual(other);
    const kept = (values: Iterable<number>): number[] =>
      [...values].filter((value) => value !== 0).toSorted((a, b) => a - b);
    expect(kept(one?.data ?? [])).toEqual(
      kept(golden.schemes['sparse'] ?? []).map((value) => expect.closeTo(value, 12)),
    );
  });
});

test('by a RandomState bricks draw in turn: children first, biases before weights, blocks of gates one by one', async () => {
  const random = new RandomState(SEED);
  const init = { weightsInit: new IsotropicGaussian(0.1), biasesInit: new IsotropicGaussian(0.1) };
  const bricks: readonly Brick[] = [
    new MLP([new Tanh(), null], { dims: [3, 4, 2], ...init }),
    new Dropout({ dropProbability: 0.5 }),
    new Convolutional({ filterSize: 2, numFilters: 2, numChannels: 3, ...init }),
    new LookupTable({ length: 5, dim: 2, ...init }),
    new LSTM({ dim: 2, ...init }),
    new GatedRecurrent({ dim: 3, weightsInit: new Orthogonal() }),
  ];
  for (const brick of bricks) brick.initialize(random);
  const parameters = new Selector(bricks).getParameters();
  for (const [name, expected] of Object.entries(golden.bricks)) {
    const value = await parameters.get(name)?.getValue();
    expect(Array.from(value?.data ?? [], Number)).toEqual(expected.map((number) => expect.closeTo(number, 6)));
  }
  const streams = new RandomStreams(SEED);
  bricks[0]?.initialize(streams);
  const other = await parameters.get('/mlp/linear_0.W')?.getValue();
  expect(Number(other?.data[0])).not.toBeCloseTo(golden.bricks['/mlp/linear_0.W']?.[0] ?? 0, 6);
});

describe('as wide as PyTorch draws it:', () => {
  /** How much wider than one of width 1 a scheme draws, which is the same for each number. */
  const width = (scheme: Initialization, unit: Initialization, shape: readonly number[]): number => {
    const random = (): RandomNumbers => new RandomStreams(1).stream('weights');
    const [drawn, one] = [scheme, unit].map((each) => each.generate(random(), shape).data);
    return (drawn?.[0] ?? 0) / (one?.[0] ?? 0);
  };
  const [normal, uniform] = [new IsotropicGaussian(), new Uniform({ width: 2 })];

  test.each(golden.fans)('$shape', ({ shape, ...expected }) => {
    // PyTorch has drawn float32.
    const close = (value: number): unknown => expect.closeTo(value, 5);
    expect({
      glorotStd: width(new GlorotNormal(1.5), normal, shape),
      glorotBound: width(new GlorotUniform(1.5), uniform, shape),
      heStd: width(new HeNormal(), normal, shape),
      heStdOut: width(new HeNormal({ fan: 'out', gain: 1 }), normal, shape),
      heBound: width(new HeUniform(), uniform, shape),
    }).toEqual({
      glorotStd: close(expected.glorotStd),
      glorotBound: close(expected.glorotBound),
      heStd: close(expected.heStd),
      heStdOut: close(expected.heStdOut),
      heBound: close(expected.heBound),
    });
  });

  test('of what has no inputs and outputs, or a gain that cannot be, is refused', () => {
    const random = new RandomStreams(1).stream('weights');
    expect(() => new GlorotUniform().generate(random, [8])).toThrow(
      'GlorotUniform: the shape is (8); only matrices and filters have inputs and outputs',
    );
    expect(() => new HeUniform().generate(random, [])).toThrow('HeUniform: the shape is ()');
    expect(() => new GlorotNormal(-1)).toThrow('GlorotNormal: gain is -1; give a number of at least 0');
    expect(() => new HeNormal({ gain: Number.NaN })).toThrow('HeNormal: gain is NaN');
  });
});
