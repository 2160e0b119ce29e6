import { DatasetStream, IndexableDataset, SequentialScheme } from '@longrun/fuel';
import { RandomStreams } from '@longrun/serialization';
import { mean, tensor } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { float32, sequential, tinyDataset, tinyModel } from '../../test/tiny-experiment.js';
import { BATCH, EPOCH, small, Witness } from '../../test/witness.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { Tanh } from '../bricks/activations.js';
import { MLP } from '../bricks/mlp.js';
import { FinishAfter } from '../extensions/finish-after.js';
import { Constant } from '../initialization/constant.js';
import { TrainingLog } from '../log/training-log.js';
import { MainLoop } from './main-loop.js';

test('parameters that were given no values are refused, with what to call', async () => {
  const x = tensor('features', 'float32', ['batch', 3]);
  const mlp = new MLP([new Tanh()], { dims: [3, 2], weightsInit: new Constant(0), biasesInit: new Constant(0) });
  const untrained = new MainLoop({
    algorithm: new GradientDescent({ cost: mean(mlp.apply(x)) }),
    dataStream: sequential(tinyDataset(8), 4),
    engine: 'reference',
    extensions: [],
  });
  await expect(untrained.run()).rejects.toThrow(
    '/mlp/linear_0.W has no value, as its brick was not initialized; initialize /mlp before training, as in mlp.initialize(context.random)',
  );
});

describe('training finishes', () => {
  test('after the batch in which an extension asks for it', async () => {
    const witness = new Witness((callback, { log }) => {
      if (callback === 'afterBatch') log.currentRow['training_finish_requested'] = true;
    });
    const mainLoop = small([witness]);

    expect(await mainLoop.run()).toBe('finished');
    expect(witness.seen).toEqual(['beforeTraining', 'beforeEpoch', ...BATCH, 'afterTraining']);
    expect(mainLoop.log.currentRow).toEqual({ training_finish_requested: true, training_finished: true });
    expect(mainLoop.status.trainingFinished).toBe(true);
  });

  test.each([
    ['batch', ['beforeTraining', 'beforeEpoch', ...BATCH, 'afterTraining']],
    ['epoch', ['beforeTraining', ...EPOCH, 'afterTraining']],
  ] as const)('at the end of the %s when requestFinish says so', async (level, expected) => {
    const witness = new Witness((callback, mainLoop) => callback === 'beforeBatch' && mainLoop.requestFinish(level));

    expect(await small([witness]).run()).toBe('finished');
    expect(witness.seen).toEqual(expected);
  });

  test('once: running again does nothing', async () => {
    const witness = new Witness();
    const mainLoop = small([witness], { epochs: 1 });
    await mainLoop.run();
    const { length } = witness.seen;

    expect(await mainLoop.run()).toBe('finished');
    expect(witness.seen).toHaveLength(length);
  });

  test('at a known step where FinishAfter and the stream tell', () => {
    expect(small([], { epochs: 3 }).plannedIterations).toBe(6);
    expect(small([new FinishAfter({ afterNBatches: 5 })], { epochs: 3 }).plannedIterations).toBe(5);
    expect(small([new FinishAfter({ afterEpoch: true })], { epochs: 1 }).plannedIterations).toBe(2);
  });
});

describe('training stops', () => {
  test('at the step boundary, without afterTraining, and goes on with onResumption', async () => {
    const witness = new Witness((callback, mainLoop) => {
      if (callback === 'beforeBatch' && mainLoop.status.iterationsDone === 2) mainLoop.requestStop();
    });
    const mainLoop = small([witness]);

    expect(await mainLoop.run()).toBe('stopped');
    expect(witness.seen).toEqual(['beforeTraining', ...EPOCH, 'beforeEpoch', ...BATCH, 'onInterrupt']);
    expect(mainLoop.status.iterationsDone).toBe(3);
    expect(await mainLoop.run()).toBe('finished');
    expect(witness.seen.slice(11)).toEqual(['onResumption', ...BATCH, 'afterEpoch', 'afterTraining']);
  });

  test('between two epochs when that is the next boundary', async () => {
    const witness = new Witness((callback, mainLoop) => callback === 'afterEpoch' && mainLoop.requestStop());
    const mainLoop = small([witness]);

    expect(await mainLoop.run()).toBe('stopped');
    expect(witness.seen).toEqual(['beforeTraining', ...EPOCH, 'onInterrupt']);
  });

  test('when a signal is aborted, also before the first batch', async () => {
    const controller = new AbortController();
    const witness = new Witness((callback) => callback === 'afterBatch' && controller.abort());

    expect(await small([witness]).run({ signal: controller.signal })).toBe('stopped');
    expect(witness.seen).toEqual(['beforeTraining', 'beforeEpoch', ...BATCH, 'onInterrupt']);
    const untouched = small([]);
    expect(await untouched.run({ signal: controller.signal })).toBe('stopped');
    expect(untouched.status.iterationsDone).toBe(0);
    expect(await untouched.run()).toBe('finished');
  });

  test('and a callback that takes long can see that it is to', async () => {
    const seen: boolean[] = [];
    const witness = new Witness((callback, mainLoop) => {
      if (callback !== 'beforeBatch') return;
      seen.push(mainLoop.stopRequested);
      mainLoop.requestStop();
      seen.push(mainLoop.stopRequested);
    });
    const mainLoop = small([witness]);

    expect(await mainLoop.run()).toBe('stopped');
    expect(seen).toEqual([false, true]);
    expect(mainLoop.stopRequested).toBe(false);
  });

  test('and a request to finish in the same batch wins', async () => {
    const witness = new Witness((callback, mainLoop) => {
      if (callback !== 'afterBatch') return;
      mainLoop.requestStop();
      mainLoop.requestFinish('batch');
    });

    expect(await small([witness]).run()).toBe('finished');
  });

  test('soon, though steps never wait for anything', async () => {
    const mainLoop = small([], { epochs: 100_000 });
    setTimeout(() => mainLoop.requestStop(), 20);

    expect(await mainLoop.run()).toBe('stopped');
  });
});

describe('a failure', () => {
  test('is told to onError, written to the log, and thrown; afterTraining is not called', async () => {
    const rows: unknown[] = [];
    const witness = new Witness((callback) => {
      if (callback === 'afterBatch') throw new Error('the disk is on fire');
    });
    const mainLoop = small([witness]);
    mainLoop.log.onRow((_, row) => rows.push(row));

    await expect(mainLoop.run()).rejects.toThrow('the disk is on fire');
    expect(witness.seen).toEqual(['beforeTraining', 'beforeEpoch', ...BATCH, 'onError']);
    expect(String(mainLoop.log.currentRow['got_exception'])).toContain('the disk is on fire');
    expect(rows).toEqual([mainLoop.log.currentRow]);
  });

  test('in onError does not hide the first', async () => {
    const witness = new Witness((callback) => {
      if (callback === 'afterBatch') throw new Error('first');
      if (callback === 'onError') throw new Error('second');
    });

    await expect(small([witness]).run()).rejects.toThrow('first');
  });

  test('of the data names what does not fit', async () => {
    const wrong = new IndexableDataset({
      features: float32(
        [2, 4],
        Array.from({ length: 8 }, () => 0),
      ),
      targets: float32([2], [0, 1]),
    });
    const mainLoop = new MainLoop({
      algorithm: new GradientDescent({ cost: tinyModel(new RandomStreams(1)).cost }),
      dataStream: sequential(wrong, 2),
      engine: 'reference',
    });

    await expect(mainLoop.run()).rejects.toThrow(
      /Source (features|targets) of the batch (has shape \(2, 4\) but input of \/mlp.apply takes \(null, 3\)|is float32 but)/,
    );
  });

  test('is an epoch without batches', async () => {
    const mainLoop = new MainLoop({
      algorithm: new GradientDescent({ cost: tinyModel(new RandomStreams(1)).cost }),
      dataStream: new DatasetStream(tinyDataset(4), new SequentialScheme(0, 2)),
      engine: 'reference',
    });

    await expect(mainLoop.run()).rejects.toThrow('MainLoop: the data stream gave no batches in this epoch');
  });

  test('is running twice at a time', async () => {
    const mainLoop = small([], { epochs: 1 });
    const running = mainLoop.run();

    await expect(mainLoop.run()).rejects.toThrow('run() is going on already; await it');
    const contents = { state: mainLoop.state(), ...(await mainLoop.arrays()) };
    expect(() => mainLoop.restore(contents)).toThrow('restore() while run()');
    await running;
  });
});

describe('extensions', () => {
  test('are found by name, if there is exactly one', () => {
    const mainLoop = small([new Witness(), new Witness(undefined, [], 'a'), new Witness(undefined, [], 'a')]);

    expect(mainLoop.findExtension('Witness')).toBe(mainLoop.extensions[0]);
    expect(() => mainLoop.findExtension('b')).toThrow(
      'There is no extension named b; there are Witness, a, a, FinishAfter',
    );
    expect(() => mainLoop.findExtension('a')).toThrow('There are 2 extensions named a; give each a name of its own');
  });

  test('belong to one main loop', () => {
    const witness = new Witness();
    expect(() => witness.mainLoop).toThrow('Witness belongs to no main loop; give it to one');
    small([witness]);
    expect(() => small([witness])).toThrow('Witness belongs to a main loop already; make another one');
  });

  test('see a complete state at the step boundary, wherever they stand in the list', async () => {
    const states: unknown[] = [];
    const saver = new Witness((callback, mainLoop) => {
      if (callback === 'afterBatch') mainLoop.atStepBoundary(() => void states.push(mainLoop.state()));
    });
    const writer = new Witness(
      (callback, { log }) => {
        if (callback === 'afterBatch') log.currentRow['late'] = 1;
      },
      [],
      'writer',
    );
    await small([saver, writer], { epochs: 1 }).run();

    expect(states).toHaveLength(2);
    for (const state of states) expect(JSON.stringify(state)).toContain('"late":1');
  });
});

describe('rows', () => {
  test('are handed out when nothing will be added to them, each once, the last at the end', async () => {
    const log = new TrainingLog();
    const heard: [number, unknown][] = [];
    log.onRow((time, row) => heard.push([time, { ...row }]));
    const witness = new Witness((callback, mainLoop) => {
      mainLoop.log.currentRow[callback] = true;
    });
    await small([witness], { epochs: 1, log }).run();

    expect(heard).toEqual([
      [0, { beforeTraining: true, beforeEpoch: true, beforeBatch: true }],
      [1, { afterBatch: true, beforeBatch: true }],
      [
        2,
        {
          afterBatch: true,
          afterEpoch: true,
          training_finish_requested: true,
          training_finished: true,
          afterTraining: true,
        },
      ],
    ]);
  });

  test('that are not complete are not handed out on a stop', async () => {
    const log = new TrainingLog();
    const heard: number[] = [];
    log.onRow((time) => heard.push(time));
    const witness = new Witness((callback, mainLoop) => {
      mainLoop.log.currentRow[callback] = true;
      if (mainLoop.status.iterationsDone === 1) mainLoop.requestStop();
    });
    await small([witness], { log }).run();

    expect(heard).toEqual([0]);
  });
});
