import { copyOf, RandomKey, RandomStreams } from '@longrun/serialization';
import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { END, advance, build, chains, record, saved, shown, type Chain } from '../../test/chains.js';
import { dense, drain, toyDataset } from '../../test/toy.js';
import {
  DatasetStream,
  type DataStream,
  type Delivery,
  H5Dataset,
  Mapping,
  Mixture,
  ParallelMapping,
  Prefetch,
  SequentialScheme,
  ShuffledScheme,
  ThreadStream,
} from '../index.js';
import { BufferRing } from './buffer-ring.js';
import { buildStream } from './build-stream.js';

const goldens = new URL('../../test/goldens/', import.meta.url).pathname;
const module = new URL('../../test/children/threaded.mjs', import.meta.url).href;

afterEach(() => vi.restoreAllMocks());

const batches = (): DataStream => new DatasetStream(toyDataset(12), new SequentialScheme(12, 2));

test('a batch lies in the memory of one that was released, and never of one that was not', async () => {
  const stream = batches();
  const [first, second] = [await stream.next(), await stream.next()];
  const [held, given] = [dense(first, 'features'), dense(second, 'features')];
  const before = copyOf(held);
  second?.release();
  second?.release();
  const others = await drain(stream);

  expect(others.map((batch) => dense(batch, 'features').data.buffer === given.data.buffer)).toEqual([
    true,
    ...others.slice(1).map(() => false),
  ]);
  expect(held).toEqual(before);
  expect(() => second?.columns).toThrow('asked for after its release(), when others lie in their memory; copy before');
});

test('what shares memory with a batch below keeps it until it is released, and what does not gives it back at once', async () => {
  const views = new Mapping(batches(), (columns) => columns);
  const copies = new Mapping(
    batches(),
    (columns) => new Map([...columns].map(([source]) => [source, copyOf(dense({ columns }, source))])),
  );
  const give = vi.spyOn(BufferRing.prototype, 'give');

  const view = await views.next();
  expect(give).not.toHaveBeenCalled();
  const { buffer } = dense(view, 'features').data;
  view?.release();
  expect(give).toHaveBeenCalledWith(buffer);
  give.mockClear();
  await copies.next();
  expect(give).toHaveBeenCalledTimes(2);
});

test('a ring gives arrays of about a size the same memory, and keeps no more than it says', () => {
  const ring = new BufferRing();
  const array = ring.take('float32', [1000, 3]);
  ring.give(array.data.buffer as ArrayBuffer);
  expect(ring.take('uint8', [11_900]).data).toMatchObject({ buffer: array.data.buffer, byteOffset: 0, length: 11_900 });
  expect(ring.take('uint8', [11_900]).data.buffer).not.toBe(array.data.buffer);
  expect(ring.take('int64', [0, 3])).toMatchObject({ shape: [0, 3], data: { length: 0 } });

  const large = Array.from({ length: 5 }, () => ring.take('uint8', [2 ** 25]).data.buffer as ArrayBuffer);
  for (const buffer of large) ring.give(buffer);
  const again = Array.from({ length: 3 }, () => ring.take('uint8', [2 ** 25]).data.buffer);
  expect(again.map((buffer) => large.includes(buffer as ArrayBuffer))).toEqual([true, true, false]);
});

test.each([
  ['fuel.hdf5', 'train'],
  ['layouts.hdf5', 'all'],
  ['ragged-fuel.hdf5', 'test'],
])('a dataset reads into memory that it is given what it reads without: %s', async (file, split) => {
  for (const loadInMemory of [false, true]) {
    const dataset = await H5Dataset.open(`${goldens}${file}`, { whichSets: [split], loadInMemory });
    const ring = new BufferRing();
    for (const request of [{ start: 0, stop: 2 }, Uint32Array.of(2, 0, 1, 1), 2]) {
      const loan = ring.lend();
      const into = await dataset.getData(request, loan.memory);
      const own = await dataset.getData(request);
      expect(into).toEqual(own);
      const buffers = buffersIn(own);
      for (const buffer of buffersIn(into)) {
        expect(buffers).not.toContain(buffer);
        new Uint8Array(buffer).fill(POISON);
      }
      expect(await dataset.getData(request)).toEqual(own);
      loan.release();
    }
    await dataset.close();
  }
});

const POISON = 0xa5;

test('whatever is released and whatever is held, batches come as they would, and those held keep their bytes', async () => {
  let [areReused, poisoned] = [false, 0];
  // oxlint-disable-next-line typescript/unbound-method -- called with its ring
  const { give } = BufferRing.prototype;
  vi.spyOn(BufferRing.prototype, 'give').mockImplementation(function poison(this: BufferRing, buffer) {
    if (!areReused) return;
    poisoned += 1;
    new Uint8Array(buffer).fill(POISON);
    give.call(this, buffer);
  });
  const steps = 30;
  const releases = fc.array(fc.boolean(), { minLength: steps, maxLength: steps });
  await fc.assert(
    fc.asyncProperty(pipelines, releases, fc.nat(steps - 1), async (pipeline, isReleased, cut) => {
      areReused = false;
      const expected = await record(built(pipeline), steps);
      areReused = true;
      let stream = built(pipeline);
      const [events, held] = [[] as string[], new Map<Delivery, string>()];
      for (let step = 0; step < steps; step += 1) {
        if (step === cut) {
          const another = built(pipeline);
          another.restore(saved(stream));
          stream = another;
        }
        if (events.at(-1) === END) {
          events.push(await advance(stream, true));
          continue;
        }
        const delivery = await stream.next();
        const text = delivery === undefined ? END : `${delivery.epoch}/${delivery.index}: ${shown(delivery)}`;
        events.push(text);
        if (delivery === undefined) continue;
        if (isReleased[step]) delivery.release();
        else held.set(delivery, shown(delivery));
      }
      expect(events).toEqual(expected);
      for (const [delivery, text] of held) expect(shown(delivery)).toBe(text);
    }),
    { numRuns: 100 },
  );
  expect(poisoned).toBeGreaterThan(500);
});

/** A chain, of which two may be mixed, and that may be read ahead. */
interface Pipeline {
  readonly chain: Chain;
  readonly isMixed: boolean;
  readonly isAhead: boolean;
}

const pipelines: fc.Arbitrary<Pipeline> = fc.record({
  chain: chains.filter(({ examples }) => examples > 0),
  isMixed: fc.boolean(),
  isAhead: fc.boolean(),
});

function built({ chain, isMixed, isAhead }: Pipeline): DataStream {
  const stream = isMixed ? mixed(chain) : build(chain);
  return isAhead ? new Prefetch(stream, 2) : stream;
}

function mixed({ examples, batchSize, seed }: Chain): DataStream {
  const random = new RandomStreams(seed).stream('order');
  const dataset = toyDataset(examples);
  const streams = [
    new DatasetStream(dataset, new SequentialScheme(examples, batchSize)),
    new DatasetStream(dataset, new ShuffledScheme(examples, batchSize, { random })),
  ];
  return new Mixture(streams, { weights: [1, 2], key: new RandomKey(seed, 'mixed'), perEpoch: 9 });
}

test('what threads read and map lies in memory that goes back to them once it is released', async () => {
  const argument = { count: 40, size: 4 };
  const start = { module, execArgv: [] };
  const read = (): Promise<DataStream> => buildStream({ module, factory: 'images', argument });
  const alone = await drain(await read());
  const streams: readonly DataStream[] = [
    await ThreadStream.start({ ...start, factory: 'images', argument, ahead: 2 }),
    await ParallelMapping.start(await read(), { ...start, factory: 'adding', argument: { seed: 3 }, threads: 2 }),
  ];
  for (const stream of streams) {
    const [held, gone] = [[] as Delivery[], [] as ArrayBufferLike[]];
    for (let batch = await stream.next(), at = 0; batch !== undefined; batch = await stream.next(), at += 1) {
      expect(dense(batch, 'images')).toEqual(dense(alone[at], 'images'));
      if (at % 3 === 0) held.push(batch);
      else {
        gone.push(...buffersIn(batch));
        batch.release();
      }
    }
    // What was released last has not been sent back yet.
    expect(gone.slice(0, 4).map(({ byteLength }) => byteLength)).toEqual([0, 0, 0, 0]);
    for (const batch of held) expect(dense(batch, 'images')).toEqual(dense(alone[batch.index], 'images'));
    await stream.close();
  }
});

function buffersIn({ columns }: Pick<Delivery, 'columns'>): ArrayBufferLike[] {
  return [...columns.values()].map((column) => ('offsets' in column ? column.values : column).data.buffer);
}
