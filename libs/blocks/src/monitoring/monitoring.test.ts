import {
  DatasetStream,
  IndexableDataset,
  SequentialExampleScheme,
  SequentialScheme,
  type DataStream,
} from '@longrun/fuel';
import { ndarray, StateMismatch, type Json, type NdArray } from '@longrun/serialization';
import { add, constant, div, max, mean, mul, shared, sum, vector, type Variable } from '@longrun/tensor';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';

import { float32 } from '../../test/tiny-experiment.js';
import {
  aggregatedBy,
  batchConcatenate,
  batchMaximum,
  batchMean,
  batchMinimum,
  perplexity,
  takeLast,
} from './aggregation-scheme.js';
import { Aggregator, type Monitored } from './aggregator.js';
import { MonitoredQuantity } from './monitored-quantity.js';
import { MonitoredQuantityBuffer } from './monitored-quantity-buffer.js';
import { DatasetEvaluator } from './dataset-evaluator.js';

const x = vector('x');
const compute = { engine: 'reference', threads: 1 } as const;

function stream(values: readonly number[], batchSize: number): DataStream {
  const dataset = new IndexableDataset({ x: float32([values.length], values) });
  return new DatasetStream(dataset, new SequentialScheme(values.length, batchSize));
}

function named(variable: Variable, name: string): Variable {
  variable.name = name;
  return variable;
}

async function evaluated(variable: Variable, values: readonly number[], batchSize: number): Promise<unknown> {
  const evaluator = new DatasetEvaluator([named(variable, 'value')]);
  return (await evaluator.evaluate(stream(values, batchSize), compute)).get('value');
}

test('each batch is released once it is evaluated', async () => {
  const data = stream([1, 2, 3], 2);
  const next = vi.spyOn(data, 'next');
  await new DatasetEvaluator([named(mean(x), 'value')]).evaluate(data, compute);

  const batches = await Promise.all(next.mock.results.map(({ value }) => value));
  expect(batches.map((batch) => batch?.index)).toEqual([0, 1, undefined]);
  for (const batch of batches.slice(0, 2)) expect(() => batch?.columns).toThrow('after its release()');
});

describe('over batches of different sizes,', () => {
  // Batches (1, 2, 3) and (10).
  const values = [1, 2, 3, 10];

  test('the default is the mean over examples, not over batches', async () => {
    expect(await evaluated(mean(x), values, 3)).toBe(4);
  });

  test('batchMean divides sums, by 1 for each batch unless told otherwise', async () => {
    expect(await evaluated(batchMean(mean(x)), values, 3)).toBe(6);
    expect(await evaluated(batchMean(sum(x), sum(add(mul(x, 0), 1))), values, 3)).toBe(4);
  });

  test('perplexity is the exponential of a mean', async () => {
    const value = await evaluated(perplexity(sum(x), sum(add(mul(x, 0), 1))), values, 3);
    expect(value).toBeCloseTo(Math.exp(4), 6);
  });

  test('takeLast, batchMinimum and batchMaximum keep what they say', async () => {
    expect(await evaluated(takeLast(mean(x)), values, 3)).toBe(10);
    expect(await evaluated(batchMinimum(max(x)), values, 3)).toBe(3);
    expect(await evaluated(batchMaximum(mean(x)), [10, 2, 3, 1], 3)).toBe(5);
  });

  test('batchConcatenate keeps the values of all, along a new first axis (1.12-09)', async () => {
    expect(await evaluated(batchConcatenate(mul(sum(x), constant(float32([2], [1, 10])))), values, 3)).toEqual([
      [6, 60],
      [10, 100],
    ]);
  });

  test('a scheme of a program is its own', async () => {
    const spread = aggregatedBy(mean(x), {
      name: 'spread',
      requires: [max(x)],
      start: () => {
        let seen: number[] = [];
        return {
          add: ([value]) => void seen.push(Number(value?.data[0])),
          readOut: () => Math.max(...seen) - Math.min(...seen),
          state: () => seen,
          restore: (state) => void (seen = (state as number[]).map(Number)),
        };
      },
    });
    expect(await evaluated(spread, values, 3)).toBe(7);
  });

  test('what the graph does not compute is monitored beside variables (1.12-10, 1.12-11, 1.12-12, 1.12-13, 1.12-14)', async () => {
    const evaluator = new DatasetEvaluator([named(mean(x), 'mean'), new Median([max(x)])]);
    expect(Object.fromEntries(await evaluator.evaluate(stream([1, 5, 3], 1), compute))).toEqual({ mean: 3, median: 3 });
    expect(Object.fromEntries(await evaluator.evaluate(stream([7], 1), compute))).toEqual({ mean: 7, median: 7 });
  });

  test('arrays are aggregated element by element, with scalars beside them', async () => {
    const pair = mul(sum(x), constant(float32([2], [1, 10])));
    expect(await evaluated(batchMean(pair, sum(add(mul(x, 0), 1))), values, 3)).toEqual([4, 40]);
  });

  test('what does not depend on data is the value itself', async () => {
    const weight = shared(3, 'weight');
    const evaluator = new DatasetEvaluator([named(mul(weight, 2), 'weight'), named(mean(x), 'mean')]);
    expect(Object.fromEntries(await evaluator.evaluate(stream(values, 3), compute))).toEqual({ weight: 6, mean: 4 });
  });

  test('NaN is kept, not lost', async () => {
    expect(await evaluated(mean(div(x, 0)), [0, 1], 1)).toBeNaN();
  });
});

describe('an evaluator', () => {
  test('goes through the stream once and leaves it at the start of the next epoch', async () => {
    const data = stream([1, 2, 3], 2);
    const evaluator = new DatasetEvaluator([named(mean(x), 'mean')]);
    const first = await evaluator.evaluate(data, compute);
    const second = await evaluator.evaluate(data, compute);

    expect([first.get('mean'), second.get('mean')]).toEqual([2, 2]);
  });

  test('makes updates with each batch', async () => {
    const counter = shared(0, 'counter');
    const evaluator = new DatasetEvaluator([named(mean(x), 'mean')], {
      updates: new Map([[counter, add(counter, 1)]]),
    });
    await evaluator.evaluate(stream([1, 2, 3], 2), compute);

    expect((await counter.getValue()).data[0]).toBe(2);
  });

  test('gives what is transient back the value that it had, also where it fails, and holds no other', async () => {
    const counter = shared(7, 'counter');
    const counted = takeLast(add(counter, 1));
    const evaluator = new DatasetEvaluator([named(counted, 'counted')], {
      updates: new Map([[counter, add(counter, 1)]]),
      transient: [counter],
    });
    const first = counter.pin();
    const evaluate = async (values: readonly number[]): Promise<unknown> =>
      (await evaluator.evaluate(stream(values, 2), compute)).get('counted');
    expect([await evaluate([1, 2, 3]), await evaluate([1, 2, 3])]).toEqual([9, 9]);
    await expect(evaluate([])).rejects.toThrow('no batches');
    expect((await counter.getValue()).data[0]).toBe(7);

    counter.setValue(ndarray('float32', []));
    first.release();
    expect(() => first.retain()).toThrow('after its last handle was released');
    expect(await evaluate([1, 2, 3])).toBe(2);
  });

  test('refuses a stream without batches', async () => {
    const evaluator = new DatasetEvaluator([named(mean(x), 'mean')]);
    await expect(evaluator.evaluate(stream([], 2), compute)).rejects.toThrow('the data stream gave no batches');
  });

  test('counts single examples as one each', async () => {
    const dataset = new IndexableDataset({ x: float32([3, 2], [1, 2, 3, 4, 5, 6]) });
    const examples = new DatasetStream(dataset, new SequentialExampleScheme(3));
    const evaluator = new DatasetEvaluator([named(sum(x), 'sum')]);

    expect((await evaluator.evaluate(examples, compute)).get('sum')).toBe(7);
  });

  test('needs names that tell variables apart', () => {
    expect(() => new DatasetEvaluator([sum(x)])).toThrow('a variable has no name, which would be that of its record');
    expect(() => new MonitoredQuantityBuffer('Monitor', [named(sum(x), 'a'), named(mean(x), 'a')])).toThrow(
      'Monitor: two variables are named a; give one another name',
    );
  });
});

/** The median of what is required over batches. */
class Median extends MonitoredQuantity {
  #seen: number[] = [];

  constructor(requires: readonly Variable[]) {
    super({ name: 'median', requires });
  }

  override initialize(): void {
    this.#seen = [];
  }

  override aggregate(value: NdArray): void {
    this.#seen.push(Number(value.data[0]));
  }

  override getAggregatedValue(): number {
    return this.#seen.toSorted((a, b) => a - b)[Math.floor(this.#seen.length / 2)] ?? Number.NaN;
  }

  override state(): number[] {
    return this.#seen;
  }

  override restore(state: Json): void {
    this.#seen = z.array(z.number()).parse(state);
  }
}

describe('what is monitored', () => {
  test.each<[string, () => Monitored]>([
    ['a mean', () => named(mean(x), 'm')],
    ['all batches', () => named(batchConcatenate(mean(x)), 'm')],
    ['a quantity', () => new Median([mean(x)])],
  ])('goes on from its saved state: %s', (_, make) => {
    const [first, second] = [make(), make()].map((one) => new MonitoredQuantityBuffer('Monitor', [one]));
    const batch = (value: number) => [(): NdArray => scalarOf(value), 1] as const;
    for (const value of [4, 8, 2]) first?.aggregate(...batch(value));
    second?.restore(JSON.parse(JSON.stringify(first?.state())));
    for (const buffer of [first, second]) buffer?.aggregate(...batch(9));
    expect(second?.getAggregatedValues()).toEqual(first?.getAggregatedValues());
    expect(first?.getAggregatedValues().size).toBe(1);
  });

  test('refuses the state of other variables', () => {
    const [first, second] = ['a', 'b'].map((name) => new MonitoredQuantityBuffer('Monitor', [named(mean(x), name)]));
    expect(() => second?.restore({ ...first?.state() })).toThrow(
      'monitor the variables that were monitored when it was saved',
    );
  });
});

describe('an aggregator', () => {
  test('goes on from its saved state', () => {
    const [first, second] = [new Aggregator('m', mean(x)), new Aggregator('m', mean(x))];
    first.add([scalarOf(1)], 3);
    second.restore(JSON.parse(JSON.stringify(first.state())));
    for (const aggregator of [first, second]) aggregator.add([scalarOf(5)], 1);

    expect([first.readOut(), second.readOut()]).toEqual([2, 2]);
  });

  test.each([Number.NaN, Infinity, -Infinity, -0])('saves %s as it is', (value) => {
    const [first, second] = [takeLast(mean(x)), takeLast(mean(x))].map((variable) => new Aggregator('m', variable));
    first?.add([scalarOf(value)], 1);
    second?.restore(JSON.parse(JSON.stringify(first?.state())));

    expect(second?.readOut()).toBe(value);
  });

  test('refuses the state of another scheme', () => {
    expect(() => new Aggregator('m', mean(x)).restore(new Aggregator('m', takeLast(mean(x))).state())).toThrow(
      StateMismatch,
    );
  });

  test('has nothing to tell before there was a batch', () => {
    const aggregator = new Aggregator('m', mean(x));
    expect(aggregator.isEmpty).toBe(true);
    expect(() => aggregator.readOut()).toThrow('m: there is no value yet, as there was no batch');
    aggregator.add([scalarOf(1)], 1);
    expect(aggregator.isEmpty).toBe(false);
    aggregator.reset();
    expect(aggregator.isEmpty).toBe(true);
  });

  test('refuses values that change their shape', () => {
    const aggregator = new Aggregator('m', x);
    aggregator.add([ndarray('float32', [2])], 2);
    expect(() => aggregator.add([ndarray('float32', [3])], 3)).toThrow(
      'm has shape (3,) in this batch but had (2,) in those before; monitor a scalar, such as its mean',
    );
  });

  test('sums integers of 64 bits', () => {
    const aggregator = new Aggregator('m', mean(x));
    aggregator.add([ndarray('int64', [], BigInt64Array.of(7n))], 2);
    expect(aggregator.readOut()).toBe(7);
  });
});

function scalarOf(value: number): NdArray {
  return float32([], [value]);
}
