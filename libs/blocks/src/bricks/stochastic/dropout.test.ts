import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import { lmatrix, matrix, mean, scan, square, tensor, vector, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { GradientDescent } from '../../algorithms/gradient-descent.js';
import { ComputationGraph } from '../../graph/computation-graph.js';
import { Model } from '../../graph/model.js';
import { Constant } from '../../initialization/constant.js';
import { DROPOUT, OUTPUT } from '../../roles.js';
import { select } from '../../selection/selection.js';
import { applyTrainingMode } from '../../transformations/training-mode.js';
import { Tanh } from '../activations.js';
import { Linear } from '../linear.js';
import { LookupTable } from '../lookup-table.js';
import { BatchNormalization } from '../normalization/batch-normalization.js';
import { FeedforwardSequence } from '../feedforward-sequence.js';
import { batchNormalization, trainingMode } from '../training-mode.js';
import { Dropout } from './dropout.js';
import { EmbeddingDropout } from './embedding-dropout.js';

const x = vector('x');
const ones = ndarray('float32', [2000], new Float32Array(2000).fill(1));

/** What a graph gives in each of some runs, in which its updates are made. */
async function runs(output: Variable, given: NdArray, count: number, engine = 'reference'): Promise<number[][]> {
  const f = await new ComputationGraph(output).getFunction({ engine, threads: 1 });
  const values: number[][] = [];
  for (let run = 0; run < count; run += 1) values.push(Array.from((await f.run([given]))[0]?.data ?? [], Number));
  await f.dispose();
  return values;
}

function made(name: string, seed = 1, dropProbability = 0.2): Dropout {
  const dropout = new Dropout({ name, dropProbability });
  dropout.initialize(new RandomStreams(seed));
  return dropout;
}

function outputOf(graph: ComputationGraph): Variable {
  const [output] = graph.outputs;
  if (output === undefined) throw new Error('a graph has an output');
  return output;
}

describe('dropout (1.8-04, 1.8-11)', () => {
  test('gives what it is given in evaluation, and draws nothing', async () => {
    const output = made('d').apply(x);
    expect(await runs(output, ones, 1)).toEqual([Array(2000).fill(1)]);
    expect([...new ComputationGraph(output).updates]).toEqual([]);
  });

  test('drops in training, each time others, so that means stay', async () => {
    const dropout = made('d');
    const [first = [], second = []] = await runs(
      trainingMode(dropout, () => dropout.apply(x)),
      ones,
      2,
    );
    expect([...new Set(first)].toSorted((a, b) => a - b)).toEqual([0, 1.25]);
    expect(first.filter((value) => value === 0).length / 2000).toBeCloseTo(0.2, 1);
    expect(first).not.toEqual(second);
  });

  test('becomes the same by a change of the graph, which is made once', async () => {
    const [one, other] = [made('d'), made('d')];
    const change = applyTrainingMode(new ComputationGraph(one.apply(x)));
    expect(change.changes).toHaveLength(1);
    expect(select(change.graph).role(DROPOUT).count).toBe(1);
    expect(select(change.graph).role(OUTPUT).brick(one).name('output').count).toBe(1);
    const built = trainingMode(other, () => other.apply(x));
    expect(await runs(outputOf(change.graph), ones, 2)).toEqual(await runs(built, ones, 2));
    expect(applyTrainingMode(change.graph).changes).toEqual([]);
    expect(applyTrainingMode(new ComputationGraph(built)).changes).toEqual([]);
  });

  test('drops of two applications, of two bricks and of two seeds are independent; of the same they are equal', async () => {
    const brick = made('d');
    const dropped = async (dropout: Dropout): Promise<string> =>
      String(
        (
          await runs(
            trainingMode(dropout, () => dropout.apply(x)),
            ones,
            1,
          )
        )[0],
      );
    const same = await dropped(brick);
    const others = [dropped(brick), dropped(made('e')), dropped(made('d', 2))];
    expect(new Set([same, ...(await Promise.all(others))]).size).toBe(4);
    expect(await dropped(made('d'))).toBe(same);
    const seeded = new Dropout({ name: 'd', dropProbability: 0.2, seed: 1 });
    seeded.initialize(new RandomStreams(5));
    expect(await dropped(seeded)).toBe(same);
    // Both have to be kept.
    const twice = made('d', 1, 0.5);
    const [values = []] = await runs(
      trainingMode(twice, () => twice.apply(twice.apply(x))),
      ones,
      1,
    );
    expect(values.filter((value) => value === 4).length / 2000).toBeCloseTo(0.25, 1);
    expect([...new ComputationGraph(trainingMode(twice, () => twice.apply(twice.apply(x)))).updates]).toHaveLength(1);
  });

  test('drops the same on each engine', async () => {
    const dropout = made('d');
    const output = trainingMode(dropout, () => dropout.apply(x));
    const few = ndarray('float32', [9], new Float32Array(9).fill(1));
    const [first, second] = [await runs(output, few, 3, 'reference'), await runs(output, few, 6, 'onnxruntime')];
    // The state goes on from one function to the next.
    expect(second.slice(0, 3)).not.toEqual(first);
    dropout.initialize(new RandomStreams(1));
    expect(await runs(output, few, 3, 'onnxruntime')).toEqual(first);
  });

  test('shares axes: one mask for all steps of a sequence', async () => {
    const dropout = new Dropout({ dropProbability: 0.5, sharedAxes: [0] });
    const sequence = ndarray('float32', [3, 2, 8], new Float32Array(48).fill(1));
    const [values = []] = await runs(
      trainingMode(dropout, () => dropout.apply(tensor('s', 'float32', [null, null, null]))),
      sequence,
      1,
    );
    expect(values.slice(16, 32)).toEqual(values.slice(0, 16));
    expect(values.slice(32)).toEqual(values.slice(0, 16));
    expect(new Set(values).size).toBe(2);
    expect(values.slice(0, 8)).not.toEqual(values.slice(8, 16));
  });

  test('is trained with: the state goes with training and not with the model', () => {
    const linear = new Linear({ inputDim: 2, outputDim: 1, weightsInit: new Constant(1), biasesInit: new Constant(0) });
    const dropout = made('d');
    const sequence = new FeedforwardSequence([linear.application('apply'), dropout.application('apply')]);
    const cost = mean(square(trainingMode(sequence, () => sequence.apply(matrix('features')))));
    const algorithm = new GradientDescent({ cost });
    expect(algorithm.updates.has(dropout.randomState)).toBe(true);
    expect([...new Model(cost).getPersistentDict().keys()]).toEqual([
      '/feedforwardsequence/linear.W',
      '/feedforwardsequence/linear.b',
    ]);
  });

  test('is copied with its probability, and the copy draws for itself', async () => {
    const copy = new Dropout({ dropProbability: 0.75, sharedAxes: [1], seed: 3 }).copy('twin');
    expect([copy.dropProbability, copy.sharedAxes, copy.seed, copy.name]).toEqual([0.75, [1], 3, 'twin']);
    const [one, twin] = [new Dropout({ dropProbability: 0.5 }), new Dropout({ dropProbability: 0.5 }).copy('twin')];
    const dropped = (brick: Dropout) =>
      runs(
        trainingMode(brick, () => brick.apply(x)),
        ones,
        1,
      );
    expect(await dropped(one)).not.toEqual(await dropped(twin));
  });

  test.each([-0.1, 1, Number.NaN])('with probability %s is refused', (dropProbability) => {
    expect(() => new Dropout({ dropProbability })).toThrow(
      `dropout: dropProbability is ${dropProbability}; give one from 0 to below 1`,
    );
  });

  test('of integers, or along axes that are not there, is refused', () => {
    const [dropout, shared] = [made('d'), new Dropout({ dropProbability: 0.5, sharedAxes: [1] })];
    expect(() => trainingMode(dropout, () => dropout.apply(lmatrix('i')))).toThrow(
      '/d: d_apply_input is int64; only floats',
    );
    expect(() => trainingMode(shared, () => shared.apply(x))).toThrow(
      'sharedAxes has 1, but dropout_apply_input has the axes 0 to 0',
    );
  });
});

describe('dropout within a scan', () => {
  const steps = (dropout: Dropout): Variable => scan((row) => dropout.apply(row), { sequences: [matrix('m')] })[0] ?? x;

  test('gives what it is given in evaluation', async () => {
    const rows = ndarray('float32', [2, 2], Float32Array.of(1, 2, 3, 4));
    expect(await runs(steps(made('d')), rows, 1)).toEqual([[1, 2, 3, 4]]);
  });

  test('is refused in training, for it could not draw anew', () => {
    const dropout = made('d');
    const message = '/d draws random numbers within a step of a scan, where they would be the same in each step';
    expect(() => trainingMode(dropout, () => steps(dropout))).toThrow(message);
    expect(() => applyTrainingMode(new ComputationGraph(steps(dropout)))).toThrow(message);
    // And outside of it again, although the step has failed.
    expect(() => trainingMode(dropout, () => dropout.apply(x))).not.toThrow();
  });
});

describe('embedding dropout', () => {
  const indices = lmatrix('indices');
  const words = ndarray('int64', [2, 3], BigInt64Array.of(0n, 1n, 2n, 1n, 0n, 3n));
  const embedding = (): EmbeddingDropout => {
    const table = new LookupTable({ length: 50, dim: 2, weightsInit: new Constant(3) });
    const brick = new EmbeddingDropout(table, { dropProbability: 0.5 });
    brick.initialize(new RandomStreams(1));
    return brick;
  };

  test('drops whole rows of the table, the same wherever they are looked up, and scales the others', async () => {
    const brick = embedding();
    const [row0, row1] = [new Set<unknown>(), new Set<unknown>()];
    for (const values of await runs(
      trainingMode(brick, () => brick.apply(indices)),
      words,
      12,
    )) {
      const rows = Array.from({ length: 6 }, (_, at) => values.slice(2 * at, 2 * at + 2));
      for (const [first, second] of rows) expect(first).toBe(second);
      expect(rows[4]).toEqual(rows[0]);
      expect(rows[3]).toEqual(rows[1]);
      for (const value of values) expect([0, 6]).toContain(value);
      row0.add(rows[0]?.[0]);
      row1.add(rows[1]?.[0]);
    }
    expect([row0.size, row1.size]).toEqual([2, 2]);
  });

  test('is the table in evaluation, becomes the same by a change of the graph, and is copied with its table', async () => {
    const [one, other] = [embedding(), embedding()];
    const output = one.apply(indices);
    expect(await runs(output, words, 1)).toEqual([Array(12).fill(3)]);
    const change = applyTrainingMode(new ComputationGraph(output));
    const built = trainingMode(other, () => other.apply(indices));
    expect(await runs(outputOf(change.graph), words, 2)).toEqual(await runs(built, words, 2));
    const copy = new EmbeddingDropout(new LookupTable({ length: 5, dim: 2 }), { dropProbability: 0.5 }).copy('twin');
    expect([copy.getDim('output'), copy.getDim('indices'), copy.table.length.value]).toEqual([2, 0, 5]);
  });
});

test('training mode is of all bricks below, of batch normalizations alone where these are meant', () => {
  const [normalization, dropout] = [new BatchNormalization({ inputDim: 2 }), made('d')];
  const whole = new FeedforwardSequence([
    normalization.application('apply'),
    dropout.application('apply'),
    new Tanh().application('apply'),
  ]);
  const features = matrix('features');
  const trained = (output: Variable): number[] => [
    select(output).role(DROPOUT).count,
    applyTrainingMode(new ComputationGraph(output)).changes.length,
  ];
  expect(trained(whole.apply(features))).toEqual([0, 3]);
  expect(trained(batchNormalization(whole, () => whole.apply(features)))).toEqual([0, 1]);
  expect(trained(trainingMode([whole], () => whole.apply(features)))).toEqual([1, 0]);
  expect(trained(trainingMode(dropout, () => whole.apply(features)))).toEqual([1, 2]);
});
