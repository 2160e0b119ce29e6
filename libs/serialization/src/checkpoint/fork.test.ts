import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { flipBit } from '../../test/flip-bit.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { encodeLogEntry, type LogEntry } from '../log/log-entry.js';
import { readLog } from '../log/read-log.js';
import type { ObjectStore } from '../store/object-store.js';
import { openObjectStore } from '../store/open-object-store.js';
import { type StoreOperation, StoreAround } from '../store/store-around.js';
import { CheckpointAbsent } from './checkpoint-reader.js';
import { CheckpointStore } from './checkpoint-store.js';
import { FORK_FENCE, type Fork, forkCheckpoint } from './fork.js';
import { type CheckpointEntry, readHead } from './head.js';
import { acquireLease } from './lease.js';
import type { Manifest } from './manifest.js';
import { newestManifest } from './manifests.js';
import { CorruptBlob } from './stored-files.js';

const PARENT = 'experiments/exp_1';
const CHILD = 'experiments/exp_2';

let folder: string;
let store: ObjectStore;
let given: Manifest;
let fork: Fork;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fork-'));
  store = await openObjectStore(`file:${folder}/objects`);
  const lease = await acquireLease(store, PARENT, { fence: 1, holder: 'worker-a' });
  const checkpoints = new CheckpointStore(store, PARENT);
  const log = path.join(folder, 'log');
  // That of a run that has ended has the row of its own step.
  await writeFile(log, [0, 1, 2, 3].map((step) => encodeLogEntry({ step, row: { cost: 1 / (1 + step) } })).join(''));
  const snapshot = await writeSnapshotFiles(folder, 3, { 'state.json': 'state', 'W.bin': 'weights' });
  const outcome = 'succeeded';
  given = await checkpoints.commit(lease, { ...snapshot, programSha256: 'a', log: [{ path: log }] }, { outcome });
  await checkpoints.settled();
  const { sha256 } = await newest(PARENT);
  const origin = { experiment: 'exp_1', step: 3, sha256, changed: ['program'] };
  fork = { fromPrefix: PARENT, origin, programSha256: 'b', holder: 'record' };
});
afterEach(async () => {
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('a run begins from a copy of another one, which has no part in it any more', async () => {
  expect(await forkCheckpoint(store, CHILD, fork)).toEqual([]);
  await store.delete(await keysOf(PARENT));

  const lease = await acquireLease(store, CHILD, { fence: 1, holder: 'worker-b' });
  const checkpoints = new CheckpointStore(store, CHILD);
  const { manifest } = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect(manifest).toMatchObject({ step: 3, fence: FORK_FENCE, programSha256: 'b', from: fork.origin });
  const named = ({ files }: Manifest): unknown =>
    files.map(({ name, sha256, sizeBytes }) => ({ name, sha256, sizeBytes }));
  expect(manifest === undefined ? undefined : named(manifest)).toEqual(named(given));
  expect((await entriesOf(CHILD)).map(({ step }) => step)).toEqual([0, 1, 2]);

  const later = await writeSnapshotFiles(folder, 4, { 'state.json': 'later' });
  const log = path.join(folder, 'rest');
  await writeFile(log, encodeLogEntry({ step: 3, row: { cost: 0 } }));
  await checkpoints.commit(lease, { ...later, from: manifest?.from, log: [{ path: log }] });
  expect((await entriesOf(CHILD)).map(({ step }) => step)).toEqual([0, 1, 2, 3]);
  expect((await newestManifest(store, CHILD))?.from).toEqual(fork.origin);
});

test('interrupted at any operation of the store it is done again, and leaves nothing behind', async () => {
  let operations = 0;
  for (let cut = 1; ; cut += 1) {
    const cutOff = new CutOff(store, cut);
    const isDone = await forkCheckpoint(cutOff, CHILD, fork).then(
      () => true,
      () => false,
    );
    operations = cut;
    if (isDone && !cutOff.isCut) break;
    await forkCheckpoint(store, CHILD, fork);
    const head = await readHead(store, CHILD);
    expect(head?.checkpoints).toHaveLength(1);
    const lease = await acquireLease(store, CHILD, { fence: 1, holder: 'worker-b' });
    const checkpoints = new CheckpointStore(store, CHILD);
    expect((await checkpoints.newestValid(path.join(folder, 'restored'))).rejected).toEqual([]);
    // Before the first write what was copied in vain is removed.
    await checkpoints.keepLog(lease, []);
    const kinds = (await keysOf(CHILD)).map((key) => key.split('/')[2]);
    expect(kinds.toSorted()).toEqual(['blobs', 'blobs', 'checkpoints', 'head.json', 'log', 'log']);
    await store.delete(await keysOf(CHILD));
  }
  expect(operations).toBeGreaterThan(10);
});

test('where there is a checkpoint, or the other one has gone or is damaged, nothing changes', async () => {
  await forkCheckpoint(store, CHILD, fork);
  const head = await readHead(store, CHILD);
  await flipBit(path.join(folder, 'objects', given.files[0]?.blobKey ?? ''));
  await forkCheckpoint(store, CHILD, fork);
  expect(await readHead(store, CHILD)).toEqual(head);

  const third = 'experiments/exp_3';
  await expect(forkCheckpoint(store, third, fork)).rejects.toThrow(CorruptBlob);
  const origin = { ...fork.origin, sha256: 'other' };
  await expect(forkCheckpoint(store, third, { ...fork, origin })).rejects.toThrow(CheckpointAbsent);
  expect(await readHead(store, third)).toBeUndefined();
});

async function newest(prefix: string): Promise<CheckpointEntry> {
  const [entry] = (await readHead(store, prefix))?.checkpoints ?? [];
  if (entry === undefined) throw new Error(`${prefix} has no checkpoint`);
  return entry;
}

async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(`${prefix}/`)) keys.push(key);
  return keys;
}

async function entriesOf(prefix: string): Promise<LogEntry[]> {
  const manifest = await newestManifest(store, prefix);
  const entries: LogEntry[] = [];
  if (manifest !== undefined) for await (const part of readLog(store, manifest)) entries.push(...(part.entries ?? []));
  return entries;
}

/** A store that fails from one of its operations on, as for a process that is killed there. */
class CutOff extends StoreAround {
  #left: number;
  isCut = false;

  constructor(inner: ObjectStore, cut: number) {
    super(inner);
    this.#left = cut;
  }

  protected override async around<T>(
    _operation: StoreOperation,
    options: object,
    perform: (options: object) => Promise<T>,
  ): Promise<T> {
    this.#left -= 1;
    this.isCut ||= this.#left <= 0;
    if (this.isCut) throw new Error('killed');
    return await perform(options);
  }
}
