import { DatasetStream, IndexableDataset, SequentialScheme, type Batch } from '@longrun/fuel';
import { ndarray, type NdArray, RandomStreams, StateMismatch } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { float32, sequential, tinyDataset, tinyExperiment, tinyModel } from '../../test/tiny-experiment.js';
import { mean, tensor } from '@longrun/tensor';
import { Tanh } from '../bricks/activations.js';
import { MLP } from '../bricks/mlp.js';
import { Constant } from '../initialization/constant.js';
import { Adam } from '../algorithms/step-rules/adam.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { DataStreamMonitoring } from '../extensions/monitoring.js';
import { FinishAfter } from '../extensions/finish-after.js';
import {
  CALLBACK_NAMES,
  TrainingExtension,
  type CallbackContext,
  type CallbackName,
} from '../extensions/training-extension.js';
import type { LogRow } from '../log/log-value.js';
import { TrainingLog } from '../log/training-log.js';
import type { MainLoopArrays } from './training-state.js';
import { MainLoop } from './main-loop.js';
import type { TrainingContext } from './training-context.js';
import { elementsOf } from '../snapshot/named-arrays.js';

/** Notes the callbacks it gets, and does something at one of them. */
class Witness extends TrainingExtension {
  readonly seen: string[] = [];
  readonly withBatch = new Set<string>();
  readonly at: (callback: CallbackName, mainLoop: TrainingContext) => void;
  readonly events: string[];
  constructor(
    at: (callback: CallbackName, mainLoop: TrainingContext) => void = () => undefined,
    events: string[] = [],
    name = 'Witness',
  ) {
    super({ name });
    this.at = at;
    this.events = events;
  }
  override dispatch(callback: CallbackName, context: CallbackContext): void {
    this.seen.push(callback);
    this.events.push(`${this.name} ${callback}`);
    if (context.batch !== undefined) this.withBatch.add(callback);
    this.at(callback, this.mainLoop);
  }
}

/** Two epochs of two batches. */
function small(
  extensions: readonly TrainingExtension[],
  options: { epochs?: number; log?: TrainingLog } = {},
): MainLoop {
  const random = new RandomStreams(1);
  const { cost } = tinyModel(random);
  return new MainLoop({
    algorithm: new GradientDescent({ cost }),
    dataStream: sequential(tinyDataset(8), 4),
    engine: 'reference',
    threads: 1,
    extensions: [...extensions, new FinishAfter({ afterNEpochs: options.epochs ?? 2 })],
    ...(options.log === undefined ? {} : { log: options.log }),
  });
}

const BATCH = ['beforeBatch', 'afterBatch'];
const EPOCH = ['beforeEpoch', ...BATCH, ...BATCH, 'afterEpoch'];

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

describe('callbacks', () => {
  test('come in the order of Blocks', async () => {
    const witness = new Witness();

    expect(await small([witness]).run()).toBe('finished');
    expect(witness.seen).toEqual(['beforeTraining', ...EPOCH, ...EPOCH, 'afterTraining']);
    expect([...witness.withBatch]).toEqual(BATCH);
  });

  test('reach the extensions in the order of the list', async () => {
    const events: string[] = [];
    const [first, second] = ['a', 'b'].map((name) => new Witness(undefined, events, name));
    if (first === undefined || second === undefined) throw new Error('no witnesses');
    await small([first, second], { epochs: 1 }).run();

    expect(events.slice(0, 6)).toEqual([
      'a beforeTraining',
      'b beforeTraining',
      'a beforeEpoch',
      'b beforeEpoch',
      'a beforeBatch',
      'b beforeBatch',
    ]);
  });

  test('see the step: before it the old count, after it the new', async () => {
    const counts: [string, number, number][] = [];
    const witness = new Witness((callback, { status }) =>
      counts.push([callback, status.iterationsDone, status.epochsDone]),
    );
    await small([witness], { epochs: 1 }).run();

    expect(counts).toEqual([
      ['beforeTraining', 0, 0],
      ['beforeEpoch', 0, 0],
      ['beforeBatch', 0, 0],
      ['afterBatch', 1, 0],
      ['beforeBatch', 1, 0],
      ['afterBatch', 2, 0],
      ['afterEpoch', 2, 1],
      ['afterTraining', 2, 1],
    ]);
  });

  test('are called by the methods of their names', async () => {
    const called: string[] = [];
    class Methods extends TrainingExtension {}
    for (const callback of CALLBACK_NAMES) {
      Object.assign(Methods.prototype, { [callback]: () => void called.push(callback) });
    }
    await small([new Methods()], { epochs: 1 }).run();

    expect(called).toEqual(['beforeTraining', ...EPOCH, 'afterTraining']);
  });

  test('may be asynchronous: the next waits for them', async () => {
    const events: string[] = [];
    class Slow extends TrainingExtension {
      override async afterBatch(): Promise<void> {
        await new Promise((resolve) => void setTimeout(resolve, 5));
        events.push('slow');
      }
    }
    await small([new Slow(), new Witness((callback) => callback === 'afterBatch' && events.push('next'))], {
      epochs: 1,
    }).run();

    expect(events).toEqual(['slow', 'next', 'slow', 'next']);
  });
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

describe('a state', () => {
  test('to finish is kept: training that was to finish does not go on', async () => {
    let saved: Parameters<MainLoop['restore']>[0] | undefined;
    const saver = new Witness((callback, mainLoop) => {
      if (callback !== 'afterBatch' || mainLoop.status.iterationsDone !== 3) return;
      mainLoop.atStepBoundary(async () => {
        saved = { state: JSON.parse(JSON.stringify(mainLoop.state())), ...(await mainLoop.arrays()) };
      });
    });
    await tinyExperiment({ extensions: [saver, new FinishAfter({ afterNBatches: 3 })] }).run();
    if (saved === undefined) throw new Error('nothing was saved');
    const successor = tinyExperiment({ extensions: [new FinishAfter({ afterNBatches: 3 })] });
    successor.restore(saved);

    expect(successor.status.trainingFinished).toBe(false);
    expect(await successor.run()).toBe('finished');
    expect(successor.status.iterationsDone).toBe(3);
  });

  test('of training that has finished is gone on from by another run as if there had been no end', async () => {
    const rowsOf = new Map<number, LogRow[]>();
    const trained = async (epochs: number, before?: Parameters<MainLoop['restore']>[0]) => {
      const closer = new Witness((callback, { log }) => {
        if (callback === 'afterTraining') log.currentRow['closed'] = true;
      });
      const mainLoop = tinyExperiment({ epochs, extensions: [closer] });
      const rows: LogRow[] = [];
      mainLoop.log.onRow((_time, row) => rows.push({ ...row }));
      rowsOf.set(epochs, rows);
      if (before !== undefined) mainLoop.restore(before, { fork: { otherDatasets: false } });
      await mainLoop.run();
      return { state: JSON.parse(JSON.stringify(mainLoop.state())), ...(await mainLoop.arrays()) };
    };
    const whole = await trained(4);
    const wholeRows = rowsOf.get(4);
    const first = await trained(2);
    const gone = await trained(4, first);

    expect(gone.parameters).toEqual(whole.parameters);
    expect(gone.algorithm).toEqual(whole.algorithm);
    expect([...(rowsOf.get(2) ?? []).slice(0, -1), ...(rowsOf.get(4) ?? [])]).toEqual(wholeRows);
    // An end that is behind it is its end: it comes again.
    const again = await trained(1, first);
    expect(again.parameters).toEqual(first.parameters);
    expect(rowsOf.get(1)).toEqual(rowsOf.get(2)?.slice(-1));
  });

  test('of another run leaves hyperparameters that are built anew, and no others', async () => {
    const first = tinyExperiment({ stepRule: new Adam({ learningRate: 0.05, beta1: 0.8 }) });
    // As an extension may.
    first.inventory.algorithm.get('adam.beta1')?.setValue(float64(0.7));
    first.inventory.algorithm.get('adam.learning_rate')?.setValue(float64(0.01));
    const { state, arrays } = await savedBy(first);
    const second = tinyExperiment({ stepRule: new Adam({ learningRate: 0.25, beta1: 0.8 }) });
    const valuesOf = async () =>
      await Promise.all(
        ['adam.learning_rate', 'adam.beta1'].map(async (name) => {
          const value = await second.inventory.algorithm.get(name)?.getValue();
          return value?.data[0];
        }),
      );
    second.restore({ state, ...arrays }, { fork: { otherDatasets: false } });
    expect(await valuesOf()).toEqual([0.25, 0.7]);
    second.restore({ state, ...arrays });
    expect(await valuesOf()).toEqual([0.01, 0.7]);
  });

  test('of another program is refused, saying what differs', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const wider = tinyExperiment({ hidden: 7 });
    const before = (await wider.arrays()).parameters.get('/mlp/linear_1.b');

    expect(() => wider.restore({ state, ...arrays })).toThrow(
      /does not fit the parameters of the model: \/mlp\/linear_0.W is float32 \(3, 5\) in it but float32 \(3, 7\) here/,
    );
    expect((await wider.arrays()).parameters.get('/mlp/linear_1.b')).toEqual(before);
  });

  test('with other arrays is refused, saying which', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const parameters = new Map(arrays.parameters);
    parameters.delete('/mlp/linear_0.W');
    parameters.set('/mlp/linear_9.W', float32([1], [0]));

    expect(() => tinyExperiment().restore({ state, ...arrays, parameters })).toThrow(
      '/mlp/linear_0.W (float32 (3, 5)) is missing from it; /mlp/linear_9.W is in it but not here. ' +
        'Resume with the program, params and step rule that it was saved with, or start anew',
    );
    expect(() => tinyExperiment().restore({ state, ...arrays, algorithm: new Map() })).toThrow(
      'does not fit the variables of the algorithm: adam.time (float64 ()) is missing from it',
    );
  });

  test('with other extensions, another seed or another version is refused', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const extension = new DataStreamMonitoring({
      name: 'More',
      variables: [],
      dataStream: sequential(tinyDataset(4), 2),
    });

    expect(() => tinyExperiment({ extensions: [extension] }).restore({ state, ...arrays })).toThrow(
      'the extensions with a state differ from those that were saved (only now: More; only then: none)',
    );
    expect(() => tinyExperiment({ seed: 2 }).restore({ state, ...arrays })).toThrow(StateMismatch);
    expect(() => tinyExperiment().restore({ state: { ...state, version: 6 }, ...arrays })).toThrow(
      'MainLoop: saved state has version 6, this build reads 1..5',
    );
    expect(() => tinyExperiment().restore({ state: { version: 1 }, ...arrays })).toThrow(
      'MainLoop: the saved state has nothing for log',
    );
  });

  test('with random streams needs a main loop that has them', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const { cost } = tinyModel(new RandomStreams(1));
    const other = new MainLoop({
      algorithm: new GradientDescent({ cost }),
      dataStream: sequential(tinyDataset(22), 4),
    });

    const { algorithm } = await other.arrays();
    expect(() => other.restore({ state, parameters: arrays.parameters, algorithm })).toThrow(StateMismatch);
  });

  test('stays small however long training was', async () => {
    const sizes = await Promise.all(
      [1, 40].map(async (epochs) => JSON.stringify((await savedBy(tinyExperiment({ epochs }))).state).length),
    );

    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) + 400);
  });

  test('is taken at no cost: pinned arrays are references that later steps do not change, until they are released', async () => {
    const mainLoop = tinyExperiment({
      extensions: [new Witness((callback, loop) => callback === 'afterBatch' && loop.requestStop())],
    });
    await mainLoop.run();
    const { parameters, algorithm } = await mainLoop.arrays();
    const [pinned, again] = [mainLoop.pinnedArrays(), mainLoop.pinnedArrays()];
    for (const [name, value] of pinned.parameters) expect(again.parameters.get(name)).toBe(value);
    await again.release();
    await mainLoop.run();

    const taken = await elementsOf(pinned.parameters);
    expect(taken).toEqual(parameters);
    expect(await elementsOf(pinned.algorithm)).toEqual(algorithm);
    expect((await mainLoop.arrays()).parameters).not.toEqual(parameters);
    await pinned.release();
    for (const { data } of taken.values()) expect(data).toHaveLength(0);
    await expect(pinned.release()).rejects.toThrow('PinnedArrays: release() was called twice');
    expect((await mainLoop.arrays()).algorithm.get('adam.time')?.data).toHaveLength(1);
  });
});

/** A float64 scalar. */
function float64(value: number): NdArray<'float64'> {
  return ndarray('float64', [], Float64Array.of(value));
}

async function savedBy(mainLoop: MainLoop): Promise<{ state: ReturnType<MainLoop['state']>; arrays: MainLoopArrays }> {
  await mainLoop.run();
  return { state: mainLoop.state(), arrays: await mainLoop.arrays() };
}

test('a batch of the stream is what extensions get', async () => {
  const batches: Batch[] = [];
  const sources: string[][] = [];
  class Keeper extends TrainingExtension {
    override beforeBatch(batch: Batch): void {
      batches.push(batch);
    }
    override afterBatch(batch: Batch): void {
      expect(batches.at(-1)).toBe(batch);
      sources.push([...batch.columns.keys()]);
    }
  }
  await small([new Keeper()], { epochs: 1 }).run();

  expect(sources).toEqual([
    ['features', 'targets'],
    ['features', 'targets'],
  ]);
  for (const batch of batches) expect(() => batch.columns).toThrow(/after its release\(\).*copyOf/);
});
