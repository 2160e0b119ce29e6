import { pbkdf2Sync } from 'node:crypto';
import { existsSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Adam,
  Constant,
  DataStreamMonitoring,
  defineExperiment,
  FinishAfter,
  GradientDescent,
  InvalidParams,
  IsotropicGaussian,
  MainLoop,
  MisclassificationRate,
  MLP,
  Rectifier,
  Softmax,
  TrainingDataMonitoring,
  TrainingExtension,
} from '@longrun/blocks';
import { MESSAGES_FD } from '@longrun/contracts';
import { DatasetStream, Flatten, H5Dataset, SequentialScheme, ShuffledScheme, uint8PixelsToFloat } from '@longrun/fuel';
import { flatten, mean, tensor } from '@longrun/tensor';
import { z } from 'zod';

/**
 * A small classifier that can be told to go slowly, to wait, and to fail in one way or another after a batch. It is tested on the dataset of the
 * role `valid`, if there is one.
 */
export default defineExperiment({
  name: 'digits',
  params: z.strictObject({
    epochs: z.int().min(1).default(2),
    /** Units of the hidden layer. */
    hidden: z.int().min(1).default(12),
    learningRate: z.number().positive().default(0.01),
    pauseMs: z.number().min(0).default(0),
    /** After which step it waits for which file. */
    holds: z.array(z.strictObject({ step: z.int(), file: z.string() })).default([]),
    /** Pause before each batch of an evaluation. */
    testPauseMs: z.number().min(0).default(0),
    /** Whether the cost of each batch is logged. */
    logsCost: z.boolean().default(true),
    fault: z
      .strictObject({
        kind: z.enum([
          'throw',
          'exit',
          'block',
          'loop',
          'await',
          'native',
          'nan',
          'heap',
          'refuse',
          'largeRow',
          'foreignRows',
          'fill',
          'killWorker',
          'killWorkerOften',
        ]),
        step: z.int(),
      })
      .optional(),
  }),
  async build(context) {
    const { params, random, dataset, datasets, target } = context;
    if (params.fault?.kind === 'refuse')
      throw new InvalidParams('digits', [{ path: ['fault'], message: 'this dataset does not go with it' }]);
    const open = async ({ path }, split, scheme) => {
      const opened = await H5Dataset.open(path, {
        whichSets: [split],
        defaultTransformers: uint8PixelsToFloat(['features']),
      });
      return new Flatten(DatasetStream.defaultStream(opened, scheme(opened.examplesCount)));
    };
    const shuffled = (count) => new ShuffledScheme(count, 8, { random: random.stream('shuffle') });
    const train = await open(dataset, 'train', shuffled);
    const test = await open(datasets.valid ?? dataset, 'test', (count) => new SequentialScheme(count, 8));
    if (params.testPauseMs > 0) slowDown(test, params.testPauseMs);

    const features = tensor('features', 'float32', [null, 16]);
    const labels = flatten(tensor('targets', 'uint8', [null, 1]));
    const mlp = new MLP([new Rectifier(), null], {
      dims: [16, params.hidden, 3],
      weightsInit: new IsotropicGaussian(0.3),
      biasesInit: new Constant(0),
    });
    mlp.initialize(random);
    const logits = mlp.apply(features);
    const cost = mean(new Softmax().categoricalCrossEntropy(labels, logits));
    cost.name = 'cost';
    const error = new MisclassificationRate().apply(labels, logits);
    error.name = 'error';

    return new MainLoop({
      algorithm: new GradientDescent({ cost, stepRule: new Adam({ learningRate: params.learningRate }) }),
      dataStream: train,
      random,
      ...target,
      extensions: [
        ...(params.logsCost
          ? [new TrainingDataMonitoring({ name: 'BatchCost', variables: [cost], prefix: 'batch', afterBatch: true })]
          : []),
        new DataStreamMonitoring({ variables: [cost, error], dataStream: test, prefix: 'test' }),
        new FinishAfter({ afterNEpochs: params.epochs }),
        new Behaviour(params, context.output('filler')),
        new BatchTable(context.output('batches.csv')),
        ...context.extensions(),
      ],
    });
  },
});

/** Has each batch of a stream come late. */
function slowDown(stream, pauseMs) {
  const next = stream.next.bind(stream);
  stream.next = async () => {
    await sleep(pauseMs);
    return await next();
  };
}

/** Writes the cost of each batch. */
class BatchTable extends TrainingExtension {
  #table;

  constructor(table) {
    super();
    this.#table = table;
    table.append('step,cost\n');
  }

  afterBatch() {
    const { log, status } = this.mainLoop;
    this.#table.append(`${status.iterationsDone},${String(log.currentRow.batch_cost)}\n`);
  }
}

class Behaviour extends TrainingExtension {
  #params;
  #filler;
  /** Of this process. */
  #batches = 0;

  constructor(params, filler) {
    super();
    this.#params = params;
    this.#filler = filler;
  }

  async beforeBatch() {
    const { fault, holds, pauseMs } = this.#params;
    if (pauseMs > 0) await sleep(pauseMs);
    const { iterationsDone } = this.mainLoop.status;
    for (const { file } of holds.filter(({ step }) => iterationsDone >= step))
      while (!existsSync(file) && !this.mainLoop.stopRequested) await sleep(10);
    if (fault?.kind === 'killWorkerOften' && this.#batches === fault.step) {
      // Until what was snapshot is committed.
      await sleep(5_000);
      process.kill(process.ppid, 'SIGKILL');
    }
    this.#batches += 1;
  }

  async afterBatch() {
    const { fault } = this.#params;
    const { iterationsDone } = this.mainLoop.status;
    if (fault?.kind === 'largeRow' && iterationsDone === fault.step + 1) this.#logSamples(1024 * 1024);
    if (fault === undefined || iterationsDone !== fault.step) return;
    switch (fault.kind) {
      case 'throw':
        console.error('about to divide by zero');
        throw new RangeError(`the cost is lost at step ${iterationsDone}`);
      case 'exit':
        process.exit(5);
        break;
      case 'block':
        console.log(`the step that never ends, in process ${process.pid}`);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        break;
      case 'loop':
        console.log('the loop that never ends');
        this.#turn();
        break;
      case 'await':
        console.log('the promise that never comes');
        await new Promise(() => {});
        break;
      case 'native':
        console.log('the call that never returns');
        pbkdf2Sync('password', 'salt', 2 ** 31 - 1, 64, 'sha512');
        break;
      case 'nan':
        for (const parameter of this.mainLoop.algorithm.parameters) {
          const { shape, dtype, data } = await parameter.getValue();
          parameter.setValue({ shape, dtype, data: data.map(() => Number.NaN) });
        }
        break;
      case 'largeRow':
        this.#logSamples(50 * 1024 * 1024);
        break;
      case 'foreignRows':
        // They do not go through the trainer's own reporting.
        for (const list of ['one', 'two'])
          say({
            type: 'log_row',
            step: fault.step,
            row: { [list]: Array.from({ length: 500_000 }, () => 1) },
          });
        break;
      case 'fill':
        // To its last byte, or so that it says so where the disk is large.
        for (let megabytes = 0; megabytes < 64; megabytes += 1) this.#filler.append(new Uint8Array(2 ** 20));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      case 'killWorker':
        process.kill(process.ppid, 'SIGKILL');
        break;
      case 'heap': {
        const kept = [];
        for (;;) kept.push({ kept: kept.length });
      }
    }
  }

  #turn() {
    for (let turns = 0; ; turns += 1) if (turns < 0) return;
  }

  #logSamples(characters) {
    this.mainLoop.log.currentRow.samples = 'x'.repeat(characters);
  }
}

/** Speaks to the worker as if it were the trainer, between two of its messages. */
function say(message) {
  for (let rest = Buffer.from(`${JSON.stringify(message)}\n`); rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(MESSAGES_FD, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
