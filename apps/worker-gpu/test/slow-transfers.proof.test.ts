import { until } from '@longrun/platform/testing';
import { type ObjectStore, type StoreOperation, type TransferOptions, WatchedStore } from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SlowStore } from './slow-store.js';
import { type LocalWorkerOptions, World } from './world.js';

let world: World;
let store: SlowStore;

beforeAll(async () => {
  world = await World.begin();
});

// What was left to itself ends with the test.
afterEach(() => store.release());

afterAll(async () => {
  await world.end();
});

/** Nobody has it yet, for what is given up is not kept either. */
const DATASET = 'others';
const isDataset = (key: string): boolean => key.startsWith('datasets/');
const isBlob = (key: string): boolean => key.includes('/blobs/');

interface SlowWorkerOptions extends Pick<LocalWorkerOptions, 'now'> {
  /** Default: a store that is waited for as long as always. */
  readonly storeOf?: (isSlow: (key: string) => boolean) => ObjectStore;
}

/** A worker whose transfers of some files take for ever. */
async function slowWorker(
  isSlow: (key: string) => boolean,
  { storeOf = slowStore, ...options }: SlowWorkerOptions = {},
): Promise<() => Promise<void>> {
  return await world.localWorker({ workerId: 'slow', store: storeOf(isSlow), graceMs: 500, ...options });
}

function slowStore(isSlow: (key: string) => boolean): SlowStore {
  store = new SlowStore(world.store, isSlow);
  return store;
}

/** The same, given up soon where it is slow. A busy disk may take its time for the rest. */
function impatientStore(isSlow: (key: string) => boolean): ObjectStore {
  return new ImpatientStore(slowStore(isSlow));
}

class ImpatientStore extends WatchedStore {
  readonly #slow: SlowStore;

  constructor(slow: SlowStore) {
    super(slow, { silentMs: 3_000 });
    this.#slow = slow;
  }

  protected override async around<T>(
    operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    return this.#slow.slows(operation) ? await super.around(operation, options, perform) : await perform(options);
  }
}

test('a worker that stops gives back what it is still fetching the data of', async () => {
  const stop = await slowWorker(isDataset);
  const id = await world.submit({ epochs: 1 }, { dataset: DATASET });
  await until(() => store.isWaitedFor);
  await stop();
  const { attempts } = await world.when(id, (experiment) => experiment.attempts[0]?.endedAt != null);
  expect(attempts[0]).toMatchObject({ reason: 'preempted' });
  await world.platform.experiments.cancel(id);
});

test('a worker that stops gives back what it does not get committed within its grace', async () => {
  const stop = await slowWorker(isBlob);
  const id = await world.submit({ epochs: 1 }, { checkpoint: { everyBatches: 1000 } });
  await until(() => store.isWaitedFor);
  await stop();
  const { attempts } = await world.when(id, (experiment) => experiment.attempts[0]?.endedAt != null);
  expect(attempts[0]).toMatchObject({ reason: 'preempted' });
  await world.platform.experiments.cancel(id);
});

test.each([
  ['fetched', isDataset, { dataset: DATASET }],
  ['committed', isBlob, {}],
])('an experiment that is cancelled does not wait for what is being %s', async (_, isSlow, spec) => {
  const stop = await slowWorker(isSlow);
  const id = await world.submit({ epochs: 100_000, pauseMs: 5 }, { checkpoint: { everyBatches: 1 }, ...spec });
  await until(() => store.isWaitedFor);
  await world.platform.experiments.cancel(id);
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'cancelled', checkpoints: [] });
  expect((await world.head(id)).outcome).toMatchObject({ reason: 'cancelled' });
  await stop();
});

test.each([
  ['fetched', 'fetch the dataset datasets/', isDataset, { dataset: DATASET }],
  ['committed', 'commit the checkpoint of step ', isBlob, {}],
])('a store that moves nothing of what is %s ends the attempt, and is blamed for it', async (_, what, isSlow, spec) => {
  const stop = await slowWorker(isSlow, { storeOf: impatientStore });
  const id = await world.submit(
    { epochs: 100_000, pauseMs: 5 },
    { checkpoint: { everyBatches: 1 }, retry: { maxFailures: 0 }, ...spec },
  );
  const ended = await world.whenEnded(id);
  expect(store.isWaitedFor).toBe(true);
  expect(ended).toMatchObject({ status: 'failed', reason: 'storage_error', checkpoints: [] });
  expect(ended.message).toContain(`Could not ${what}`);
  expect(ended.message).toContain(' and has moved nothing for 3 s');
  await stop();
});

test.each([
  // Only the end of its time can end it.
  ['fetched', isDataset, { dataset: DATASET }, slowStore],
  // The store is given up after its time.
  ['committed', isBlob, {}, impatientStore],
])('what is being %s does not keep an experiment beyond its time', async (_, isSlow, spec, storeOf) => {
  const wallTimeSeconds = 600;
  // Its time is up as soon as the store is waited for.
  const now = (): number => (store.isWaitedFor ? wallTimeSeconds * 1000 : 0);
  const stop = await slowWorker(isSlow, { storeOf, now });
  const id = await world.submit(
    { epochs: 100_000, pauseMs: 5 },
    { checkpoint: { everyBatches: 1 }, limits: { wallTimeSeconds }, ...spec },
  );
  const ended = await world.whenEnded(id);
  expect(store.isWaitedFor).toBe(true);
  expect(ended).toMatchObject({ status: 'failed', reason: 'timed_out', checkpoints: [] });
  expect(ended.attempts).toHaveLength(1);
  expect(ended.message).toContain(`It has run for the ${wallTimeSeconds} s that limits.wallTimeSeconds allows`);
  expect((await world.head(id)).outcome).toMatchObject({ reason: 'timed_out' });
  await stop();
});
