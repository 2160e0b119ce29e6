import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DatasetStream, type Delivery, type DataStream, Mapping, SequentialScheme } from '../src/index.js';
import { advance, build, chains, END, record, saved, shown } from './chains.js';
import { toyDataset } from './toy.js';

test('each delivery has its place and the state after it, from which another stream goes on, whatever this one did since', async () => {
  await fc.assert(
    fc.asyncProperty(chains, async (chain) => {
      const stream = build(chain);
      const events = await record(build(chain), 30);
      const deliveries = new Map<number, Delivery>();
      for (const [step, event] of events.entries()) {
        if (event === 'next epoch') await stream.nextEpoch();
        const delivery = event === 'next epoch' ? undefined : await stream.next();
        if (delivery !== undefined) deliveries.set(step, delivery);
      }
      const places: string[] = [];
      const rests: unknown[] = [];
      const expected: unknown[] = [];
      for (const [step, delivery] of deliveries) {
        places.push(`${delivery.epoch}/${delivery.index}`);
        if (step % 7 !== 0 && step + 1 < events.length) continue;
        const another = build(chain);
        another.restore(saved(delivery));
        const next = events.slice(step + 1, step + 3);
        rests.push(saved(another), await record(another, next.length));
        expected.push(saved(delivery), next);
      }
      expect(places).toEqual(placesOf(events));
      expect(JSON.stringify(rests)).toBe(JSON.stringify(expected));
    }),
    { numRuns: 100 },
  );
});

test('what is asked for at once comes in the order asked for, and meanwhile the state is that before', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.integer({ min: 2, max: 12 }), async (chain, count) => {
      const one = build(chain);
      const expected: string[] = [];
      for (let i = 0; i < count; i += 1) expected.push(await advance(one, false));
      const stream = build(chain);
      const before = saved(stream);

      const asked = Array.from({ length: count }, () => advance(stream, false));

      expect(saved(stream)).toEqual(before);
      expect(await Promise.all(asked)).toEqual(expected);
      expect(saved(stream)).toEqual(saved(one));
    }),
    { numRuns: 100 },
  );
});

/** Those that deliveries count up to, epoch by epoch. */
function placesOf(events: readonly string[]): readonly string[] {
  const places: string[] = [];
  let [epoch, index] = [0, 0];
  for (const event of events) {
    if (event === 'next epoch') [epoch, index] = [epoch + 1, 0];
    else if (event !== END) {
      places.push(`${epoch}/${index}`);
      index += 1;
    }
  }
  return places;
}

const batches = (): DataStream => new DatasetStream(toyDataset(6), new SequentialScheme(6, 2));

test('the next epoch, too, comes in its turn', async () => {
  const stream = batches();

  const [first, , again] = await Promise.all([stream.next(), stream.nextEpoch(), stream.next()]);

  expect(first).toMatchObject({ epoch: 0, index: 0 });
  expect(again).toMatchObject({ epoch: 1, index: 0 });
});

test('a state is not restored while a batch is being read', async () => {
  const stream = batches();
  const reading = stream.next();

  expect(() => stream.restore(saved(stream))).toThrow('DatasetStream: a batch is being read; await next()');
  await reading;
  stream.restore(saved(stream));
  expect(await stream.next()).toMatchObject({ index: 1 });
});

test('what a function throws for is tried again, and nothing is passed over', async () => {
  let failures = 1;
  const stream = new Mapping(batches(), (columns, { index }) => {
    failures -= Number(index === 1);
    if (index === 1 && failures === 0) throw new Error('no memory');
    return columns;
  });

  await stream.next();
  const failed = Promise.allSettled([stream.next(), stream.next()]);
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(await stream.next()).toMatchObject({ index: 2 });
  expect(await advance(stream, false)).toBe(END);
});

test('2.4-09: a stream that is closed gives nothing, and is closed once', async () => {
  const stream = batches();
  const first = stream.next();
  await Promise.all([stream.close(), stream.close()]);

  expect(shown((await first) ?? { columns: new Map() })).toContain('targets');
  await expect(stream.next()).rejects.toThrow('DatasetStream: the stream is closed; build it anew');
});
