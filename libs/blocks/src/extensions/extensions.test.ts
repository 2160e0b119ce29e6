import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { RandomStreams } from '@longrun/serialization';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { sequential, tinyDataset, tinyExperiment, tinyModel } from '../../test/tiny-experiment.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { MainLoop } from '../main-loop/main-loop.js';
import { restoreSnapshot, writeSnapshot } from '../snapshot/snapshot.js';
import { newestSnapshot, type FinishedSnapshot } from '../snapshot/snapshot-folder.js';
import { Checkpoint, type CheckpointOptions } from './checkpoint.js';
import { FinishAfter } from './finish-after.js';
import { DataStreamMonitoring, TrainingDataMonitoring } from './monitoring.js';
import { Printing } from './printing.js';
import { ProgressBar } from './progress-bar.js';
import { Reporting, type TrainingProgress } from './reporting.js';
import { Timing } from './timing.js';
import { TrainingExtension } from './training-extension.js';

/** Three epochs of two batches, of 5 and 2 examples. */
function loop(extensions: (cost: ReturnType<typeof tinyModel>) => readonly TrainingExtension[], epochs = 3): MainLoop {
  const model = tinyModel(new RandomStreams(1));
  return new MainLoop({
    algorithm: new GradientDescent({ cost: model.cost }),
    dataStream: sequential(tinyDataset(7), 5),
    engine: 'reference',
    threads: 1,
    extensions: [...extensions(model), new FinishAfter({ afterNEpochs: epochs })],
  });
}

class StopAt extends TrainingExtension {
  readonly step: number;

  constructor(step: number) {
    super();
    this.step = step;
  }
  override afterBatch(): void {
    if (this.mainLoop.status.iterationsDone === this.step) this.mainLoop.requestStop();
  }
}

class FailAt extends TrainingExtension {
  readonly step: number;

  constructor(step: number) {
    super();
    this.step = step;
  }
  override beforeBatch(): void {
    if (this.mainLoop.status.iterationsDone === this.step - 1) throw new Error(`failed at ${this.step}`);
  }
}

describe('monitoring of a data stream', () => {
  test('is before the first epoch and after each, with prefix and suffix', async () => {
    const mainLoop = loop(({ cost, misclassificationRate }) => [
      new DataStreamMonitoring({
        variables: [cost, misclassificationRate],
        dataStream: sequential(tinyDataset(7), 3),
        prefix: 'valid',
        suffix: 'all',
      }),
    ]);
    await mainLoop.run();

    const monitored = [...mainLoop.log.rows].filter(([, row]) => 'valid_cost_all' in row).map(([time]) => time);
    expect(monitored).toEqual([0, 2, 4, 6]);
    expect(mainLoop.log.row(0)).toHaveProperty('valid_misclassification_rate_all');
  });

  test('is the mean over examples: the batch size does not matter', async () => {
    const mainLoop = loop(({ cost }) => [
      new DataStreamMonitoring({ variables: [cost], dataStream: sequential(tinyDataset(7), 7), prefix: 'whole' }),
      new DataStreamMonitoring({
        name: 'B',
        variables: [cost],
        dataStream: sequential(tinyDataset(7), 4),
        prefix: 'parts',
      }),
    ]);
    await mainLoop.run();

    for (const time of [0, 2, 4, 6]) {
      const { whole_cost: whole, parts_cost: parts } = mainLoop.log.row(time);
      expect(Number(parts)).toBeCloseTo(Number(whole), 6);
    }
  });

  test('does not take the stream of training', () => {
    const stream = sequential(tinyDataset(7), 5);
    const { cost } = tinyModel(new RandomStreams(1));
    const monitoring = new DataStreamMonitoring({ variables: [cost], dataStream: stream });

    expect(
      () => new MainLoop({ algorithm: new GradientDescent({ cost }), dataStream: stream, extensions: [monitoring] }),
    ).toThrow('the data stream is that of training, which monitoring would use up; make another one');
  });
});

describe('monitoring of training data', () => {
  test('has the values before the update, weighted by examples, since the last time', async () => {
    const mainLoop = loop(({ cost }) => [
      new TrainingDataMonitoring({ name: 'A', variables: [cost], prefix: 'batch', afterBatch: true }),
      new TrainingDataMonitoring({ name: 'B', variables: [cost], prefix: 'epoch', afterEpoch: true }),
      new DataStreamMonitoring({ variables: [cost], dataStream: sequential(tinyDataset(5), 5), prefix: 'first_five' }),
    ]);
    await mainLoop.run();
    const at = (time: number, record: string): number => Number(mainLoop.log.row(time)[record]);

    // The first batch is the first five examples, seen with the parameters from before the first update.
    expect(at(1, 'batch_cost')).toBeCloseTo(at(0, 'first_five_cost'), 6);
    for (const epochEnd of [2, 4, 6]) {
      const mean = (5 * at(epochEnd - 1, 'batch_cost') + 2 * at(epochEnd, 'batch_cost')) / 7;
      expect(at(epochEnd, 'epoch_cost')).toBeCloseTo(mean, 6);
    }
  });

  test('writes nothing where there was no batch', async () => {
    const mainLoop = loop(({ cost }) => [
      new TrainingDataMonitoring({ variables: [cost], prefix: 'train', beforeFirstEpoch: true, afterTraining: true }),
    ]);
    await mainLoop.run();

    expect([...mainLoop.log.rows].filter(([, row]) => 'train_cost' in row).map(([time]) => time)).toEqual([6]);
  });
});

describe('printing', () => {
  test('shows status and records, but not names that start with _', async () => {
    const printed: string[] = [];
    const mainLoop = loop(
      ({ cost }) => [
        new TrainingDataMonitoring({ variables: [cost], afterEpoch: true }),
        new Printing({ write: (text) => printed.push(text) }),
      ],
      1,
    );
    mainLoop.log.row(2)['_hidden'] = 5;
    await mainLoop.run();

    const titles = printed.map((text) => text.split('\n')[2]);
    expect(titles).toEqual(['BEFORE EPOCH', 'AFTER EPOCH', 'AFTER TRAINING']);
    expect(printed[1]).toMatch(/^\n-{79}\nAFTER EPOCH\n-{79}\nTraining status:\n/);
    expect(printed[1]).toContain('\t iterationsDone: 2\n');
    expect(printed[1]).toContain('Log records from the iteration 2:\n');
    expect(printed[1]).toMatch(/\t cost: 0\.\d+\n/);
    expect(printed.join()).not.toContain('_hidden');
  });
});

describe('the progress bar', () => {
  test('is redrawn on a terminal, and ends each epoch', async () => {
    const written: string[] = [];
    const stream = { isTTY: true, write: (text: string) => written.push(text) };
    await loop(() => [new ProgressBar({ stream, everyMs: 0 })], 2).run();

    const clean = written.map((text) => text.replace('\r\u001B[K', '').replace(/, .*\n?$/, ''));
    expect(clean.map((text) => text.trimEnd())).toEqual([
      'Epoch 0 |###############               | 1/2',
      'Epoch 0 |##############################| 2/2',
      'Epoch 0 |##############################| 2/2',
      'Epoch 1 |###############               | 1/2',
      'Epoch 1 |##############################| 2/2',
      'Epoch 1 |##############################| 2/2',
    ]);
    expect(written.filter((text) => text.endsWith('\n'))).toHaveLength(2);
  });

  test('is a line for each epoch elsewhere', async () => {
    const written: string[] = [];
    await loop(
      () => [new ProgressBar({ stream: { write: (text: string) => written.push(text) }, everyMs: 0 })],
      3,
    ).run();

    expect(written).toHaveLength(3);
    expect(written[2]).toMatch(/^Epoch 2 \|#{30}\| 2\/2, [\d.]+ steps\/s, took [\d.]+ s\n$/);
  });
});

describe('timing', () => {
  test('adds up what epochs take, also over a resumption', async () => {
    const first = loop(() => [new Timing({ prefix: 'main' }), new StopAt(3)]);
    await first.run();
    const second = loop(() => [new Timing({ prefix: 'main' })]);
    second.restore({ state: JSON.parse(JSON.stringify(first.state())), ...(await first.arrays()) });
    await second.run();
    const [one, three] = [first.log.row(2), second.log.row(6)];
    const at = (row: typeof one, record: string): number => Number(row[`main_time_${record}`]);

    expect(first.log.row(0)).toHaveProperty('main_time_initialization');
    expect(at(one, 'train_this_epoch')).toBe(at(one, 'train_total'));
    const epochs = [one, second.log.row(4), three].reduce((total, row) => total + at(row, 'train_this_epoch'), 0);
    expect(at(three, 'train_total')).toBeCloseTo(epochs, 9);
    expect(at(three, 'train_total')).toBeGreaterThan(at(one, 'train_total'));
    expect(at(three, 'read_data_total')).toBeGreaterThan(0);
  });

  test('can be written for each batch', async () => {
    const mainLoop = loop(() => [new Timing({ afterBatch: true })], 1);
    await mainLoop.run();

    const total = [1, 2].reduce((sum, time) => sum + Number(mainLoop.log.row(time)['time_train_this_batch']), 0);
    expect(Number(mainLoop.log.row(2)['time_train_total'])).toBeCloseTo(total, 9);
  });
});

describe('reporting', () => {
  test('tells how far training is, and hands over the rows', async () => {
    const [progress, rows]: [TrainingProgress[], number[]] = [[], []];
    let clockMs = 0;
    const options = {
      onProgress: (at: TrainingProgress) => progress.push(at),
      onLogRow: (step: number) => rows.push(step),
    };
    await loop(({ cost }) => [
      new Reporting({ ...options, progressEveryMs: 0, now: () => (clockMs += 125) }),
      new TrainingDataMonitoring({ variables: [cost], afterBatch: true }),
    ]).run();

    expect(rows).toEqual([1, 2, 3, 4, 5, 6]);
    expect(progress[0]).toEqual({ step: 0, epoch: 0, stepsPerEpoch: 2, totalSteps: 6, stepsPerSecond: 0 });
    expect(progress.at(-1)).toMatchObject({ step: 6, epoch: 3, stepsPerEpoch: 2, totalSteps: 6 });
    expect(progress.map(({ step }) => step)).toEqual([0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 6]);
    // Two looks at the clock a batch, one an epoch.
    expect(progress.at(-1)?.stepsPerSecond).toBeCloseTo(6 / (0.125 * 17), 0);
  });

  test('does not tell more often than it should', async () => {
    const steps: number[] = [];
    await loop(() => [new Reporting({ onProgress: ({ step }) => steps.push(step), progressEveryMs: 60_000 })]).run();

    expect(steps).toEqual([0, 2, 4, 6, 6]);
  });
});

describe('checkpoints', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'longrun-checkpoint-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const checkpointed = (options: Partial<CheckpointOptions>, ...others: TrainingExtension[]): MainLoop =>
    tinyExperiment({ extensions: [new Checkpoint({ folder, ...options }), ...others] });

  /** The steps whose snapshots were handed over; where training does not wait for it, each takes longer than two steps. */
  const taken = async (whenBusy: 'wait' | 'skip'): Promise<number[]> => {
    const steps: number[] = [];
    let running = 0;
    const mainLoop = checkpointed({
      everyNBatches: 1,
      whenBusy,
      onSnapshot: async ({ step }) => {
        running += 1;
        expect(running).toBe(1);
        const until = whenBusy === 'skip' ? Math.min(step + 2, 18) : step;
        do await new Promise((resolve) => void setTimeout(resolve, 1));
        while (mainLoop.status.iterationsDone < until);
        steps.push(step);
        running -= 1;
      },
    });
    await mainLoop.run();
    return steps;
  };

  test('are taken after training by default, and can be gone on from', async () => {
    const first = checkpointed({});
    await first.run();

    expect(await readdir(folder)).toEqual(['step-000000000018-final']);
    const newest = await newestSnapshot(folder);
    const second = checkpointed({});
    expect(await restoreSnapshot(second, newest ?? '')).toEqual({ step: 18, environmentChanged: [] });
    expect(await second.run()).toBe('finished');
    expect(second.status.iterationsDone).toBe(18);
    expect(first.log.currentRow['saved_to']).toBe(newest);
  });

  test('are the newest few', async () => {
    await checkpointed({ everyNBatches: 4, keepLast: 2, afterTraining: false }).run();

    expect((await readdir(folder)).toSorted()).toEqual(['step-000000000012', 'step-000000000016']);
  });

  test('are the newest few of all that training has left, however often it was stopped, and no others', async () => {
    const policy = { everyNBatches: 2, keepLast: 2, afterTraining: false };
    await writeSnapshot(checkpointed({}), path.join(folder, 'step-000000000001'));
    for (const step of [5, 9]) {
      const mainLoop = checkpointed(policy, new StopAt(step));
      if (step === 9) await restoreSnapshot(mainLoop, path.join(folder, 'step-000000000004'));
      expect(await mainLoop.run()).toBe('stopped');
    }

    expect((await readdir(folder)).toSorted()).toEqual(['step-000000000001', 'step-000000000006', 'step-000000000008']);
  });

  test('are the newest few of a main loop that is taken back, and goes on, too', async () => {
    const mainLoop = checkpointed({ everyNBatches: 2, keepLast: 3, afterTraining: false }, new StopAt(11));
    expect(await mainLoop.run()).toBe('stopped');
    await restoreSnapshot(mainLoop, path.join(folder, 'step-000000000006'));
    expect(await mainLoop.run()).toBe('stopped');

    expect((await readdir(folder)).toSorted()).toEqual(
      [6, 8, 10].map((step) => `step-${String(step).padStart(12, '0')}`),
    );
  });

  test('are one for each step, whatever the conditions', async () => {
    const seen: number[] = [];
    await checkpointed({
      everyNBatches: 3,
      afterEpoch: true,
      keepLast: 99,
      onSnapshot: ({ step }) => void seen.push(step),
    }).run();

    expect(seen).toEqual([3, 6, 9, 12, 15, 18, 18]);
    expect(await newestSnapshot(folder)).toBe(path.join(folder, 'step-000000000018-final'));
  });

  test('wait for the one before unless they are to be skipped', async () => {
    expect(await taken('wait')).toEqual([...Array.from({ length: 18 }, (_, at) => at + 1), 18]);
    const skipped = await taken('skip');
    expect(skipped.length).toBeLessThan(18);
    expect(skipped.at(-1)).toBe(18);
  });

  test('are handed over with their files, and are complete then', async () => {
    const snapshots: FinishedSnapshot[] = [];
    const sizes: number[] = [];
    await checkpointed({
      everyNBatches: 5,
      afterTraining: false,
      keepLast: 1,
      logRecord: null,
      onSnapshot: async (snapshot) => {
        snapshots.push(snapshot);
        for (const file of snapshot.files) sizes.push((await readFile(file.path)).byteLength);
      },
    }).run();

    expect(snapshots.map(({ step }) => step)).toEqual([5, 10, 15]);
    expect(snapshots[0]?.files.map(({ name }) => name)).toEqual([
      'parameters.safetensors',
      'algorithm.safetensors',
      'state.json',
    ]);
    expect(sizes).toEqual(snapshots.flatMap(({ files }) => files.map(({ sizeBytes }) => sizeBytes)));
  });

  test('that cannot be written fail training, and say where', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');

    await expect(checkpointed({ folder: file, everyNBatches: 2 }).run()).rejects.toThrow(
      `Checkpoint: a snapshot could not be written to ${file}`,
    );
    await expect(checkpointed({ folder: file }).run()).rejects.toThrow('a snapshot could not be written');
  });

  test('that fail as well do not hide why training failed', async () => {
    const checkpoint = new Checkpoint({ folder: path.join(folder, 'file'), afterNBatches: 4 });
    await writeFile(path.join(folder, 'file'), '');

    await expect(tinyExperiment({ extensions: [new FailAt(5), checkpoint] }).run()).rejects.toThrow('failed at 5');
  });

  test('that a host refuses fail training', async () => {
    const refusing = checkpointed({
      afterNBatches: 18,
      afterTraining: false,
      onSnapshot: () => {
        throw new Error('no room');
      },
    });

    await expect(refusing.run()).rejects.toMatchObject({ cause: new Error('no room') });
  });

  test('are not taken where there is no step boundary', () => {
    expect(() => new Checkpoint({ folder, beforeBatch: true })).toThrow(
      'Checkpoint: beforeBatch is not at a step boundary, so there is no state to go on from; use everyNBatches',
    );
    expect(() => new Checkpoint({ folder, onError: true })).toThrow('onError is not at a step boundary');
    // Its batch would be lost.
    expect(() => new Checkpoint({ folder }).addCondition(['afterBatch', 'beforeBatch'])).toThrow(
      'beforeBatch is not at a step boundary',
    );
    expect(() => checkpointed({ keepLast: 0 })).toThrow('Checkpoint: keepLast is 0; give a whole number of at least 1');
  });

  test('are none in a folder that is not there', async () => {
    expect(await newestSnapshot(path.join(folder, 'nowhere'))).toBeUndefined();
  });
});
