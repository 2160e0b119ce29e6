import type { Batch } from '@longrun/fuel';
import { describe, expect, test } from 'vitest';

import { BATCH, EPOCH, small, Witness } from '../../test/witness.js';
import { ExtensionList } from '../extensions/extension-list.js';
import { CALLBACK_NAMES, TrainingExtension } from '../extensions/training-extension.js';
import { MockMainLoop } from '../testing/mock-main-loop.js';
import { Callbacks } from './callbacks.js';
import { LoopProfile } from './loop-profile.js';
import { ForwardingWatch } from './training-watch.js';

test('extensions that have nothing to wait for are called at once, those after one that has once it is done', async () => {
  const events: string[] = [];
  const [first, last] = [new Witness(undefined, events, 'first'), new Witness(undefined, events, 'last')];
  const callbacksOf = (...extensions: TrainingExtension[]) => {
    for (const extension of extensions) extension.attach(new MockMainLoop());
    return new Callbacks(new ExtensionList(extensions), new LoopProfile(), new ForwardingWatch());
  };
  class Slow extends TrainingExtension {
    override async beforeEpoch(): Promise<void> {
      await Promise.resolve();
      events.push('slow');
    }
  }
  const [quick, slow] = [callbacksOf(first), callbacksOf(new Slow(), last)];

  expect(quick.dispatch('beforeEpoch')).toBeUndefined();
  const pending = slow.dispatch('beforeEpoch');
  slow.atStepBoundary(() => void events.push('boundary'));
  expect(events).toEqual(['first beforeEpoch']);
  await pending;
  expect(events).toEqual(['first beforeEpoch', 'slow', 'last beforeEpoch', 'boundary']);
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
