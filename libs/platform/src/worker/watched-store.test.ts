import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStore, type ObjectStore } from '@longrun/serialization';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StoreStalled, WatchedStore } from './watched-store.js';

const SILENT_MS = 4_000;
let folder: string;
let real: FileStore;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-watched-'));
  real = await FileStore.open(join(folder, 'objects'));
  nowMs = 0;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

function watched(store: ObjectStore): WatchedStore {
  return new WatchedStore(store, { silentMs: SILENT_MS, now: () => nowMs });
}

/** Time passes, in which this process looks as often as it should. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    nowMs += 1_000;
    vi.advanceTimersByTime(1_000);
  }
}

const never = async (): Promise<never> => await new Promise(() => {});

/** A store that answers nothing, and what is said to it. */
const hung: ObjectStore = {
  url: 'file:///hung',
  get: never,
  download: never,
  put: never,
  readRegister: never,
  compareAndSet: never,
  delete: never,
  list: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
};

async function listed(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('a')) keys.push(key);
  return keys;
}

const operations: readonly (readonly [string, (store: ObjectStore) => Promise<unknown>])[] = [
  ['read a/b', async (store) => await store.get('a/b')],
  ['fetch a/b', async (store) => await store.download('a/b', join(folder, 'target'))],
  ['write a/b', async (store) => await store.put('a/b', Buffer.from('x'))],
  ['read r', async (store) => await store.readRegister('r')],
  ['set r', async (store) => await store.compareAndSet('r', null, Buffer.from('x'))],
  ['delete 2 objects', async (store) => await store.delete(['a/b', 'c'])],
  ['list a', async (store) => await listed(store)],
];

test.each(operations)('a store that does not answer is not waited for without end (%s)', async (what, ask) => {
  let error: unknown;
  const asked = ask(watched(hung)).catch((reason: unknown) => (error = reason));
  pass(SILENT_MS - 1_000);
  await Promise.resolve();
  expect(error).toBe(undefined);
  pass(1_000);
  await asked;
  expect(error).toEqual(
    new StoreStalled(`the object store file:///hung was to ${what} and has moved nothing for 4 s; see that it answers`),
  );
});

test.each(operations)('one that answers is what it is (%s)', async (_, ask) => {
  await real.put('a/b', Buffer.from('x'));
  await real.compareAndSet('r', null, Buffer.from('x'));
  const plain = await ask(real).catch((error: unknown) => error);
  await real.put('a/b', Buffer.from('x'));
  expect(await ask(watched(real)).catch((error: unknown) => error)).toEqual(plain);
  expect(vi.getTimerCount()).toBe(0);
});

test('a transfer may take as long as it likes while it moves', async () => {
  let move = (): void => {};
  let end = (): void => {};
  const slow: ObjectStore = {
    ...hung,
    put: async (key, body, options) => {
      move = () => options?.onMoved?.();
      await new Promise<void>((resolve) => (end = resolve));
      return await real.put(key, body);
    },
  };
  const putting = watched(slow).put('a/b', Buffer.from('x'));
  for (let round = 0; round < 100; round += 1) {
    pass(SILENT_MS - 1_000);
    move();
  }
  end();
  expect(await putting).toMatchObject({ sizeBytes: 1 });
});

test('time in which this process stood still is not that of the store', async () => {
  let end = (): void => {};
  const slow: ObjectStore = {
    ...hung,
    get: async (key) => {
      await new Promise<void>((resolve) => (end = resolve));
      return await real.get(key);
    },
  };
  const getting = watched(slow).get('absent');
  nowMs += 3_600_000;
  vi.advanceTimersByTime(1_000);
  end();
  expect(await getting).toBe(undefined);
});
