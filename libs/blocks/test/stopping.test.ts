import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ndarray } from '@longrun/serialization';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  Checkpoint,
  CompositeExtension,
  EarlyStopping,
  FinishAfter,
  FinishIfNoImprovementAfter,
  onLogRecord,
  restoreSnapshot,
  Scale,
  SharedVariableModifier,
  SimpleExtension,
  Timestamp,
  TrackTheBest,
  TrainingExtension,
  writeSnapshot,
  type CallbackName,
  type LogRow,
  type MainLoop,
} from '../src/index.js';
import { tinyExperiment } from './tiny-experiment.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-stopping-'));
});
afterAll(() => rm(folder, { recursive: true }));

const EPOCH = 6;

/** Writes values to the log after each epoch, and stops training where it is told to. */
class Written extends TrainingExtension {
  readonly values: readonly number[];
  readonly stopAt: number | undefined;
  constructor(values: readonly number[], stopAt?: number) {
    super();
    this.values = values;
    this.stopAt = stopAt;
  }
  override afterBatch(): void {
    if (this.mainLoop.status.iterationsDone === this.stopAt) this.mainLoop.requestStop();
  }
  override afterEpoch(): void {
    const { log, status } = this.mainLoop;
    log.currentRow['score'] = this.values[status.epochsDone - 1] ?? Number.NaN;
  }
}

function experiment(values: readonly number[], extensions: readonly TrainingExtension[], stopAt?: number): MainLoop {
  return tinyExperiment({ epochs: 8, extensions: [new Written(values, stopAt), ...extensions] });
}

/** What was written to the log at the end of each epoch. */
function rowsOf({ log }: MainLoop): Readonly<LogRow>[] {
  return log.status.epochEnds.map((time) => log.rows.get(time) ?? {});
}

describe('TrackTheBest (1.15-40)', () => {
  test('tells of each value that is better than all before, and of no other', async () => {
    const mainLoop = experiment([3, 4, Number.NaN, 2, 2, -1, 0], [new TrackTheBest({ recordName: 'score' })]);
    await mainLoop.run();
    expect(rowsOf(mainLoop).map((row) => row['score_best_so_far'])).toEqual([
      true,
      undefined,
      undefined,
      true,
      undefined,
      true,
      undefined,
      undefined,
    ]);
    expect(mainLoop.status['best_score']).toBe(-1);
  });

  test('takes the larger where it is told to, under the name that it is given', async () => {
    const best = new TrackTheBest({ recordName: 'score', chooseBest: Math.max, notificationName: 'better' });
    const mainLoop = experiment([3, 4, 1], [best]);
    await mainLoop.run();
    expect(rowsOf(mainLoop).map((row) => row['better'])).toEqual([true, true, ...Array(6).fill(undefined)]);
  });
});

describe('early stopping', () => {
  const values = [5, 4, 4.5, 4.2, 4.1, 3, 9, 9];

  test('finishes after so many epochs without an improvement (1.15-35, 1.15-36)', async () => {
    const mainLoop = experiment(values, [new EarlyStopping({ recordName: 'score', epochs: 3 })]);
    expect(await mainLoop.run()).toBe('finished');
    expect(mainLoop.status.epochsDone).toBe(5);
    expect(rowsOf(mainLoop).map((row) => row['score_best_so_far_patience_epochs'])).toEqual([3, 3, 2, 1, 0]);
  });

  test('counts batches where it is told to, and finishes though it does not look at the very one', async () => {
    const mainLoop = experiment(values, [new EarlyStopping({ recordName: 'score', iterations: 2 * EPOCH + 1 })]);
    await mainLoop.run();
    expect(mainLoop.status.epochsDone).toBe(5);
    expect(rowsOf(mainLoop).at(-1)?.['score_best_so_far_patience_iterations']).toBe(2 * EPOCH + 1 - 3 * EPOCH);
  });

  test('has no patience to lose before there is anything to improve on', async () => {
    const mainLoop = experiment([], [new EarlyStopping({ recordName: 'score', epochs: 1 })]);
    await mainLoop.run();
    expect(mainLoop.status.epochsDone).toBe(8);
  });

  test('saves the best (1.15-32)', async () => {
    const checkpoints = path.join(folder, 'best');
    const checkpointExtension = new Checkpoint({ folder: checkpoints, keepLast: 1, afterTraining: false });
    const stopping = new EarlyStopping({ recordName: 'score', epochs: 3, checkpointExtension });
    await experiment(values, [stopping]).run();
    expect(await readdir(checkpoints)).toEqual([`step-${String(2 * EPOCH).padStart(12, '0')}`]);
  });

  test('ends where it ends undisturbed, wherever training was cut', async () => {
    const build = (stopAt?: number): MainLoop => {
      const extensions = [new EarlyStopping({ recordName: 'score', epochs: 3 }), new FinishAfter({ afterNEpochs: 20 })];
      return experiment(values, extensions, stopAt);
    };
    const undisturbed = build();
    await undisturbed.run();
    for (const cut of [EPOCH, EPOCH + 1, 3 * EPOCH, 4 * EPOCH + 2, 5 * EPOCH]) {
      const first = build(cut);
      expect(await first.run()).toBe('stopped');
      const snapshot = path.join(folder, `cut-${cut}`);
      await writeSnapshot(first, snapshot);
      const successor = build();
      await restoreSnapshot(successor, snapshot);
      expect(await successor.run()).toBe('finished');
      expect({ ...successor.status, resumedFrom: null }).toEqual(undisturbed.status);
      expect(await successor.arrays()).toEqual(await undisturbed.arrays());
    }
  });

  test.each([
    [{}, 'give either iterations or epochs'],
    [{ epochs: 1, iterations: 1 }, 'give either iterations or epochs'],
    [{ epochs: 0 }, '0 is no patience'],
  ])('of %j is refused', (patience, message) => {
    expect(() => new FinishIfNoImprovementAfter({ notificationName: 'better', ...patience })).toThrow(message);
  });
});

/** Notes what it is called for. */
class Noted extends SimpleExtension {
  readonly notes: string[];
  constructor(name: string, notes: string[]) {
    super({ name, afterEpoch: true, beforeTraining: true });
    this.notes = notes;
  }
  override do(callback: CallbackName): void {
    this.notes.push(`${this.name} ${callback}`);
  }
}

describe('CompositeExtension (1.15-22)', () => {
  class Both extends CompositeExtension {
    readonly notes: string[];
    constructor(notes: string[], runBeforeChildren: boolean) {
      super([new Noted('a', notes), new Noted('b', notes)], { beforeTraining: true, runBeforeChildren });
      this.notes = notes;
    }
    override do(callback: CallbackName): void {
      this.notes.push(`both ${callback}`);
    }
  }

  test.each([true, false])('calls those that it is made of, in order; itself first: %s', async (first) => {
    const notes: string[] = [];
    await tinyExperiment({ epochs: 1, extensions: [new Both(notes, first)] }).run();
    const children = ['a beforeTraining', 'b beforeTraining'];
    const before = first ? ['both beforeTraining', ...children] : [...children, 'both beforeTraining'];
    expect(notes).toEqual([...before, 'a afterEpoch', 'b afterEpoch']);
  });

  test('tells of what those do', () => {
    const variable = tinyExperiment().inventory.algorithm.values().next().value;
    if (variable === undefined) throw new Error('no variable');
    const composite = new CompositeExtension([
      new FinishAfter({ afterNEpochs: 4 }),
      new FinishAfter({ afterNBatches: 7 }),
      new SharedVariableModifier(variable, () => 1),
    ]);
    expect([composite.plannedEnd(5), composite.plannedEnd(1), composite.plannedEnd(null)]).toEqual([7, 4, 7]);
    expect(composite.updatedVariables).toEqual([variable]);
  });
});

test('Timestamp writes the time, by default before and after training and after each epoch (1.15-27)', async () => {
  const mainLoop = tinyExperiment({
    epochs: 2,
    extensions: [new Timestamp(), new Timestamp({ logRecord: 'day', separator: 'T' })],
  });
  await mainLoop.run();
  const marked = [...mainLoop.log.rows].filter(([, row]) => 'timestamp' in row).map(([time]) => time);
  expect(marked).toEqual([0, EPOCH, 2 * EPOCH]);
  expect(mainLoop.log.currentRow['timestamp']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(Date.parse(String(mainLoop.log.currentRow['day']))).toBeLessThanOrEqual(Date.now());
});

test('SharedVariableModifier changes a variable by what it was and how many batches are done (1.15-37)', async () => {
  const stepRule = new Scale({ learningRate: 1 });
  const seen: number[] = [];
  const halved = new SharedVariableModifier(
    stepRule.learningRate,
    (done, { data }) => {
      seen.push(done);
      return Number(data[0]) / 2;
    },
    { afterEpoch: true, afterBatch: false },
  );
  const mainLoop = tinyExperiment({ stepRule, epochs: 3, extensions: [halved] });
  await mainLoop.run();
  expect(seen).toEqual([EPOCH, 2 * EPOCH, 3 * EPOCH]);
  expect((await stepRule.learningRate.getValue()).data[0]).toBe(1 / 8);
  const whole = new SharedVariableModifier(stepRule.learningRate, () => ndarray('float64', [], Float64Array.of(3)));
  await tinyExperiment({ stepRule, epochs: 1, extensions: [whole] }).run();
  expect((await stepRule.learningRate.getValue()).data[0]).toBe(3);
});

test('onLogRecord holds when the row has the record', () => {
  const { log } = tinyExperiment();
  const holds = onLogRecord('better');
  expect(holds(log)).toBe(false);
  log.currentRow['better'] = true;
  expect(holds(log)).toBe(true);
});
