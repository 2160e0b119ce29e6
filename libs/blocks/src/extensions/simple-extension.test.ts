import { RandomStreams } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { sequential, tinyDataset, tinyModel } from '../../test/tiny-experiment.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { MainLoop } from '../main-loop/main-loop.js';
import { FinishAfter } from './finish-after.js';
import { SimpleExtension, type Conditions } from './simple-extension.js';
import { TrainingExtension, type CallbackContext, type CallbackName } from './training-extension.js';

class Recorder extends SimpleExtension {
  readonly done: string[] = [];
  override do(callback: CallbackName, _context: CallbackContext, args: readonly unknown[]): void {
    const { iterationsDone, epochsDone } = this.mainLoop.status;
    this.done.push(`${callback} ${iterationsDone}/${epochsDone}${args.length > 0 ? ` ${args.join()}` : ''}`);
  }
}

class Breaking extends TrainingExtension {
  override afterEpoch(): void {
    throw new Error('broken');
  }
}

/** Three epochs of two batches. */
function loop(extensions: readonly TrainingExtension[]): MainLoop {
  return new MainLoop({
    algorithm: new GradientDescent({ cost: tinyModel(new RandomStreams(1)).cost }),
    dataStream: sequential(tinyDataset(8), 4),
    engine: 'reference',
    threads: 1,
    extensions: [...extensions, new FinishAfter({ afterNEpochs: 3 })],
  });
}

async function doneOn(conditions: Conditions): Promise<string[]> {
  const recorder = new Recorder(conditions);
  await loop([recorder]).run();
  return recorder.done;
}

// Callback, iterations done and epochs done at each call.
test.each<[string, Conditions, string[]]>([
  ['none', {}, []],
  ['beforeTraining', { beforeTraining: true }, ['beforeTraining 0/0']],
  ['beforeFirstEpoch', { beforeFirstEpoch: true }, ['beforeEpoch 0/0']],
  ['beforeEpoch', { beforeEpoch: true }, ['beforeEpoch 0/0', 'beforeEpoch 2/1', 'beforeEpoch 4/2']],
  ['beforeBatch', { beforeBatch: true }, ['0/0', '1/0', '2/1', '3/1', '4/2', '5/2'].map((at) => `beforeBatch ${at}`)],
  ['afterBatch', { afterBatch: true }, ['1/0', '2/0', '3/1', '4/1', '5/2', '6/2'].map((at) => `afterBatch ${at}`)],
  ['afterEpoch', { afterEpoch: true }, ['afterEpoch 2/1', 'afterEpoch 4/2', 'afterEpoch 6/3']],
  ['afterTraining', { afterTraining: true }, ['afterTraining 6/3']],
  ['afterNEpochs', { afterNEpochs: 2 }, ['afterEpoch 4/2']],
  ['everyNEpochs', { everyNEpochs: 2 }, ['afterEpoch 4/2']],
  ['everyNEpochs of 1', { everyNEpochs: 1 }, ['afterEpoch 2/1', 'afterEpoch 4/2', 'afterEpoch 6/3']],
  ['afterNBatches', { afterNBatches: 5 }, ['afterBatch 5/2']],
  ['everyNBatches', { everyNBatches: 2 }, ['afterBatch 2/0', 'afterBatch 4/1', 'afterBatch 6/2']],
  ['false and undefined', { afterEpoch: false, afterNBatches: undefined }, []],
  [
    'several, each of which acts',
    { afterEpoch: true, everyNEpochs: 3, beforeTraining: true },
    ['beforeTraining 0/0', 'afterEpoch 2/1', 'afterEpoch 4/2', 'afterEpoch 6/3', 'afterEpoch 6/3'],
  ],
])('acts on %s', async (_, conditions, expected) => {
  expect(await doneOn(conditions)).toEqual(expected);
});

test('acts on errors, on a stop and on a resumption', async () => {
  const failing = new Recorder({ onError: true });
  await expect(loop([failing, new Breaking()]).run()).rejects.toThrow('broken');
  expect(failing.done).toEqual(['onError 2/1']);

  const stopped = new Recorder({ onInterrupt: true, onResumption: true });
  const mainLoop = loop([stopped]);
  mainLoop.requestStop();
  await mainLoop.run();
  await mainLoop.run();
  expect(stopped.done).toEqual(['onInterrupt 0/0', 'onResumption 0/0']);
});

describe('conditions', () => {
  test('that are defaults can be overruled', async () => {
    class ByDefault extends Recorder {
      constructor(conditions: Conditions = {}) {
        super(conditions);
        this.setConditions({ afterTraining: true, ...conditions });
      }
    }
    const [plain, overruled] = [new ByDefault(), new ByDefault({ afterTraining: false, beforeTraining: true })];
    await loop([plain, overruled]).run();

    expect(plain.done).toEqual(['afterTraining 6/3']);
    expect(overruled.done).toEqual(['beforeTraining 0/0']);
  });

  test('are replaced by setConditions', async () => {
    const recorder = new Recorder({ afterEpoch: true }).setConditions({ afterTraining: true });
    await loop([recorder]).run();

    expect(recorder.done).toEqual(['afterTraining 6/3']);
  });

  test('can be added, with a predicate and arguments', async () => {
    const recorder = new Recorder()
      .addCondition(['afterBatch'], { predicate: ({ status }) => status.iterationsDone > 4, arguments: ['late', 1] })
      .addCondition(['beforeTraining', 'afterTraining']);
    await loop([recorder]).run();

    expect(recorder.done).toEqual([
      'beforeTraining 0/0',
      'afterBatch 5/2 late,1',
      'afterBatch 6/2 late,1',
      'afterTraining 6/3',
    ]);
  });

  test('that do not exist are refused', () => {
    // Types forbid them; programs in JavaScript do not know that.
    const wrong: object = { afterLunch: true };
    const callbacks: unknown = ['after_lunch'];

    expect(() => new Recorder().setConditions(wrong)).toThrow(
      'Recorder: there is no condition afterLunch; there are beforeTraining',
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the point of the test
    expect(() => new Recorder().addCondition(callbacks as CallbackName[])).toThrow('there is no callback after_lunch');
  });

  test.each([0, -1, 1.5])('of %s times are refused', (count) => {
    expect(() => new Recorder({ everyNBatches: count })).toThrow(
      `Recorder: everyNBatches is ${count}; give a whole number of at least 1, or leave it out`,
    );
  });
});
