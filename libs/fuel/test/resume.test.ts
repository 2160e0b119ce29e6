import { assertResumable, RandomStreams, StateMismatch, type VersionedState } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  Batching,
  ConstantScheme,
  DatasetStream,
  Flatten,
  SequentialExampleScheme,
  SequentialScheme,
  ShuffledScheme,
  Unpack,
} from '../src/index.js';
import { advance, build, chains, END, record, saved } from './chains.js';
import { toyDataset } from './toy.js';

test('a stream that is saved and restored at any points gives what it would have given without', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.array(fc.nat(60), { maxLength: 6 }), async (chain, cuts) => {
      const steps = 60;
      const uncut = await record(build(chain), steps);

      const cut: string[] = [];
      let stream = build(chain);
      let ended = false;
      for (let step = 0; step < steps; step += 1) {
        for (const _ of cuts.filter((at) => at === step)) {
          const state = saved(stream);
          stream = build(chain);
          stream.restore(state);
          expect(JSON.stringify(saved(stream))).toBe(JSON.stringify(state));
        }
        const event = await advance(stream, ended);
        ended = event === END;
        cut.push(event);
      }

      expect(cut.join('\n')).toBe(uncut.join('\n'));
    }),
    { numRuns: 300 },
  );
});

test('a stream can be taken back to any point it has been at', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), async (chain, returns) => {
      const steps = 40;
      const stream = build(chain);
      const states: VersionedState[] = [];
      const events: string[] = [];
      for (let step = 0; step < steps; step += 1) {
        states.push(saved(stream));
        events.push(await advance(stream, events.at(-1) === END));
      }

      for (const at of returns) {
        const state = states[at];
        if (state === undefined) continue;
        stream.restore(state);
        const again: string[] = [];
        for (let step = at; step < Math.min(at + 7, steps); step += 1) {
          again.push(await advance(stream, (again.at(-1) ?? events[step - 1]) === END));
        }
        expect(again).toEqual(events.slice(at, at + 7));
      }
    }),
    { numRuns: 200 },
  );
});

test('a stream can be saved before each batch and each end of an epoch', async () => {
  await assertResumable(
    () => {
      const random = new RandomStreams(5).stream('order');
      const examples = new Unpack(new DatasetStream(toyDataset(10), new ShuffledScheme(10, 4, { random })));
      return new Batching(examples, new ConstantScheme(3));
    },
    { epochs: 3 },
  );
});

test('a state is small, whatever the dataset and however far the stream', async () => {
  const random = new RandomStreams(3).stream('order');
  const stream = new Batching(
    new Unpack(new Flatten(new DatasetStream(toyDataset(5000), new ShuffledScheme(5000, 7, { random })))),
    new ConstantScheme(32),
  );
  for (let i = 0; i < 100; i += 1) await stream.next();

  expect(JSON.stringify(stream.state()).length).toBeLessThan(1000);
});

test('a state of a version to come is refused at every level, and leaves the stream as it was', async () => {
  const stream = new Batching(
    new Unpack(new DatasetStream(toyDataset(9), new SequentialScheme(9, 4))),
    new ConstantScheme(2),
  );
  await stream.next();
  const state = saved(stream);

  const below = stateIn(state);
  for (const wrong of [
    { ...state, version: 99 },
    { ...state, stream: { ...below, version: 99 } },
    { ...state, stream: { ...below, stream: { ...stateIn(below), version: 99 } } },
  ]) {
    expect(() => stream.restore(wrong)).toThrow(StateMismatch);
    expect(() => stream.restore(wrong)).toThrow(/version 99/);
  }

  expect(saved(stream)).toEqual(state);
});

test('a state of other transformers is refused', async () => {
  const dataset = toyDataset(9);
  const examples = new DatasetStream(dataset, new SequentialExampleScheme(9));
  const batching = new Batching(new DatasetStream(dataset, new SequentialExampleScheme(9)), new ConstantScheme(2));

  expect(() => batching.restore(examples.state())).toThrow(/Batching: the saved state is that of "DatasetStream"/);
  expect(() => examples.restore(batching.state())).toThrow(/DatasetStream: the saved state is that of "Batching"/);
});

function stateIn(state: VersionedState): VersionedState {
  const { stream } = state;
  if (typeof stream !== 'object' || stream === null || !('version' in stream))
    throw new Error('there is no state below');
  return stream as VersionedState;
}
