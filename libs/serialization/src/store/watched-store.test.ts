import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FileStore } from './file-store.js';
import type { ObjectStore, TransferOptions } from './object-store.js';
import { StoreAround, type StoreOperation } from './store-around.js';
import { StoreStalled, WatchedStore } from './watched-store.js';

const SILENT_MS = 4_000;
let folder: string;
let real: FileStore;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-watched-'));
  real = new FileStore(join(folder, 'objects'));
  await real.probe();
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

/** A store that does nothing, or what a test says, when it is asked, and keeps what it was asked with. */
class HungStore extends StoreAround {
  asked: TransferOptions = {};
  #go: () => void = () => {};

  protected override async around<T>(
    _operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    this.asked = options;
    await new Promise<void>((resolve) => (this.#go = resolve));
    return await perform(options);
  }

  /** It answers. */
  goOn(): void {
    this.#go();
  }
}

async function piecesOf(store: ObjectStore, key: string): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of store.openRead(key)) pieces.push(Buffer.from(piece).toString());
  return pieces;
}

async function listed(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('a')) keys.push(key);
  return keys;
}

const operations: readonly (readonly [string, (store: ObjectStore) => Promise<unknown>])[] = [
  ['read a/b', async (store) => await store.get('a/b')],
  ['read a/b', async (store) => await piecesOf(store, 'a/b')],
  ['look at a/b', async (store) => await store.head('a/b')],
  ['sign a/b', async (store) => await store.downloadUrl('a/b', { validMs: 1_000 })],
  ['prove what it can do', async (store) => await store.probe()],
  ['sweep', async (store) => await store.sweep()],
  ['fetch a/b', async (store) => await store.download('a/b', join(folder, 'target'))],
  ['write a/b', async (store) => await store.put('a/b', Buffer.from('x'))],
  ['read r', async (store) => await store.readRegister('r')],
  ['set r', async (store) => await store.compareAndSet('r', null, Buffer.from('x'))],
  ['delete 2 objects', async (store) => await store.delete(['a/b', 'c'])],
  ['list a', async (store) => await listed(store)],
];

test.each(operations)('a store that does not answer is not waited for without end (%s)', async (what, ask) => {
  const hung = new HungStore(real);
  let error: unknown;
  const asked = ask(watched(hung)).catch((reason: unknown) => (error = reason));
  pass(SILENT_MS - 1_000);
  await Promise.resolve();
  expect(error).toBe(undefined);
  pass(1_000);
  await asked;
  expect(error).toEqual(
    new StoreStalled(`the object store ${real.url} was to ${what} and has moved nothing for 4 s; see that it answers`),
  );
  // Whoever does it is told to let go.
  expect(hung.asked.signal?.reason).toBe(error);
});

test.each(operations)('whoever leaves is not kept, and says why (%s)', async (_, ask) => {
  const leaving = new AbortController();
  const hung = new HungStore(real);
  const asked = ask(new Leaving(watched(hung), leaving.signal)).catch((error: unknown) => error);
  await vi.waitFor(() => expect(hung.asked.signal).toBeDefined());
  const reason = new Error('the worker ends');
  leaving.abort(reason);
  expect(await asked).toBe(reason);
  expect(hung.asked.signal?.reason).toBe(reason);
  expect(vi.getTimerCount()).toBe(0);
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
  const slow = new HungStore(real);
  const putting = watched(slow).put('a/b', Buffer.from('x'));
  for (let round = 0; round < 100; round += 1) {
    pass(SILENT_MS - 1_000);
    slow.asked.onMoved?.();
  }
  slow.goOn();
  expect(await putting).toMatchObject({ sizeBytes: 1 });
});

test('time in which this process stood still is not that of the store', async () => {
  const slow = new HungStore(real);
  const getting = watched(slow).get('absent');
  nowMs += 3_600_000;
  vi.advanceTimersByTime(1_000);
  slow.goOn();
  expect(await getting).toBe(undefined);
});

/** Gives each operation a signal. */
class Leaving extends StoreAround {
  readonly #signal: AbortSignal;

  constructor(store: ObjectStore, signal: AbortSignal) {
    super(store);
    this.#signal = signal;
  }

  protected override async around<T>(
    _operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    return await perform({ ...options, signal: this.#signal });
  }
}
