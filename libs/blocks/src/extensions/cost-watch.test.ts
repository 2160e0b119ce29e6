import { ndarray, RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { sequential, tinyDataset, tinyModel } from '../../test/tiny-experiment.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { MainLoop } from '../main-loop/main-loop.js';
import type { LogValue } from '../log/log-value.js';
import { CostWatch, Diverged, type NonFiniteCost } from './cost-watch.js';
import { FinishAfter } from './finish-after.js';
import { TrainingExtension } from './training-extension.js';

/** Breaks the parameters, or writes a record, after a step. */
class Break extends TrainingExtension {
  readonly #step: number;
  readonly #record: readonly [string, LogValue] | undefined;

  constructor(step: number, record?: readonly [string, LogValue]) {
    super();
    this.#step = step;
    this.#record = record;
  }

  override afterBatch(): void {
    const { algorithm, status, log } = this.mainLoop;
    if (status.iterationsDone !== this.#step) return;
    if (this.#record !== undefined) {
      log.currentRow[this.#record[0]] = this.#record[1];
      return;
    }
    for (const parameter of algorithm.parameters) {
      const value = ndarray('float32', parameter.valueType.shape);
      value.data.fill(Number.NaN);
      parameter.setValue(value);
    }
  }
}

/** Six batches, of which nothing is logged. */
function loop(broken: TrainingExtension, options: { readonly stops?: boolean } = {}): [MainLoop, NonFiniteCost[]] {
  const found: NonFiniteCost[] = [];
  const mainLoop = new MainLoop({
    algorithm: new GradientDescent({ cost: tinyModel(new RandomStreams(1)).cost }),
    dataStream: sequential(tinyDataset(12), 2),
    engine: 'reference',
    threads: 1,
    extensions: [
      broken,
      new FinishAfter({ afterNEpochs: 1 }),
      new CostWatch({ ...options, onNonFinite: (one) => found.push(one) }),
    ],
  });
  return [mainLoop, found];
}

test('the first cost that is not finite is said at its own step, once, though nobody logs it', async () => {
  const [mainLoop, found] = loop(new Break(2));
  expect(await mainLoop.run()).toBe('finished');
  expect(found).toEqual([{ step: 3, record: 'cost', value: Number.NaN }]);
  expect(mainLoop.status.iterationsDone).toBe(6);
});

test('told to, it ends training there', async () => {
  const [mainLoop, found] = loop(new Break(2), { stops: true });
  await expect(mainLoop.run()).rejects.toThrow(new Diverged({ step: 3, record: 'cost', value: Number.NaN }));
  expect(found).toHaveLength(1);
  expect(mainLoop.status.iterationsDone).toBe(3);
});

test.each(['valid_cost', 'train_loss', 'cost'])('a record %s is one of a cost', async (record) => {
  const [mainLoop, found] = loop(new Break(4, [record, -Infinity]));
  await mainLoop.run();
  expect(found).toEqual([{ step: 4, record, value: -Infinity }]);
});

test.each<[string, LogValue]>([
  ['best', Infinity],
  ['glossary', Number.NaN],
  ['lossless', Number.NaN],
  ['valid_cost', 'NaN'],
  ['valid_cost', 1e300],
])('a record %s of %s is none, or finite', async (record, value) => {
  const [mainLoop, found] = loop(new Break(4, [record, value]));
  await mainLoop.run();
  expect(found).toEqual([]);
});
