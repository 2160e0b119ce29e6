import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { entriesOf, rowsOfSteps, writeLogFile } from '../../test/log-of.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { readHead } from '../checkpoint/head.js';
import { acquireLease, type Lease, LeaseLost } from '../checkpoint/lease.js';
import type { Manifest } from '../checkpoint/manifest.js';
import { newestLog, newestManifest } from '../checkpoint/manifests.js';
import { sha256Of } from '../sha256.js';
import { openObjectStore } from '../store/open-object-store.js';
import { FINAL_TEXT_BYTES } from './compaction.js';
import type { LogFile } from './log-file.js';
import type { DamagedCopy, LogSegment } from './log-segment.js';
import { type LogPart, readLog } from './read-log.js';

const PREFIX = 'experiments/exp_1';

let folder: string;
let objects: string;
let store: UnreliableStore;
let checkpoints: CheckpointStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'log-'));
  objects = path.join(folder, 'objects');
  store = new UnreliableStore(await openObjectStore(`file:${objects}`));
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
});
afterEach(async () => {
  store.checkAllFailed();
  // What is done after a commit may still be under way.
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('a checkpoint has all rows of the run up to it, in their order', async () => {
  const first = await commit(10, 1);
  const second = await commit(25, 11);
  expect(first.log).toHaveLength(1);
  expect(second.log[0]).toEqual(first.log[0]);
  expect(second.log[1]).toMatchObject({ firstStep: 11, lastStep: 25, rows: rowsOfSteps(11, 25).length });
  expect(await entriesOf(store, first)).toEqual(rowsOfSteps(1, 10));
  expect(await entriesOf(store, second)).toEqual(rowsOfSteps(1, 25));
  expect(await newestManifest(store, PREFIX)).toEqual(second);
});

test('a snapshot without rows adds no segment', async () => {
  const { log } = await commit(10, 1);
  expect((await checkpoints.commit(lease, await snapshot(11))).log).toEqual(log);
  expect((await commit(12, 13)).log).toEqual(log);
});

test('of a file only the rows of the steps that are asked for are taken', async () => {
  const files = [...(await rows(1, 20)), ...(await rows(21, 30))].map(({ path: file }, index) => ({
    path: file,
    ...(index === 0 ? { fromStep: 5 } : { beforeStep: 28 }),
  }));
  const manifest = await checkpoints.commit(lease, { ...(await snapshot(28)), log: files });
  expect(await entriesOf(store, manifest)).toEqual(rowsOfSteps(5, 27));
  expect(manifest.log).toMatchObject([{ firstStep: 5, lastStep: 27 }]);
  const none = [{ path: files[0]?.path ?? '', fromStep: 28 }];
  expect((await checkpoints.commit(lease, { ...(await snapshot(29)), log: none })).log).toEqual(manifest.log);
});

test('rows after a step can be read alone, and segments before it are not asked for', async () => {
  await commit(10, 1);
  const manifest = await commit(20, 11);
  store.calls.length = 0;
  const entries = [];
  for await (const part of readLog(store, manifest, { afterStep: 14 })) entries.push(...(part.entries ?? []));
  expect(entries).toEqual(rowsOfSteps(15, 20));
  expect(store.calls).toEqual([`get ${manifest.log[1]?.keys[0]}`]);
});

test('many rows come in parts of which none is large', async () => {
  const manifest = await commit(20_000, 1);
  const parts: (readonly unknown[])[] = [];
  for await (const part of readLog(store, manifest)) parts.push(part.entries ?? []);
  expect(parts.flat()).toEqual(rowsOfSteps(1, 20_000));
  for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(400_000);
});

test('a copy that is damaged or missing is passed over for the other one, and said', async () => {
  const manifest = await commit(10, 1);
  const [segment] = manifest.log;
  await damage(segment?.keys[0]);
  const damaged: DamagedCopy[] = [];
  const parts = await read(manifest, (copy) => damaged.push(copy));
  expect(parts).toEqual([{ entries: rowsOfSteps(1, 10) }]);
  expect(damaged).toEqual([
    { key: segment?.keys[0], reason: `${segment?.keys[0]} has other bytes than were committed` },
  ]);
});

test('a segment that is lost is said, and what follows it comes', async () => {
  await commit(10, 1);
  const manifest = await commit(20, 11);
  const [segment] = manifest.log;
  await damage(segment?.keys[0]);
  await rm(path.join(objects, segment?.keys[1] ?? ''));
  expect(await read(manifest)).toEqual([
    {
      lost: segment,
      reason:
        `${segment?.rows} log rows of steps 1 to 10 are lost: ${segment?.keys[0]} has other bytes than were ` +
        `committed; ${segment?.keys[1]} is missing`,
    },
    { entries: rowsOfSteps(11, 20) },
  ]);
});

test('a store that fails says nothing about a segment', async () => {
  const manifest = await commit(10, 1);
  const error = new Error('the network is down');
  store.failNext({ method: 'get', when: 'before', error });
  expect(await entriesOf(store, manifest)).toEqual(rowsOfSteps(1, 10));
  store.failNext({ method: 'get', when: 'before', error });
  store.failNext({ method: 'get', when: 'before', error });
  await expect(entriesOf(store, manifest)).rejects.toBe(error);
});

test('damage of the log rejects no checkpoint, and the log goes on after it', async () => {
  const { log } = await commit(10, 1);
  for (const key of log[0]?.keys ?? []) await damage(key);
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  const restored = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect(restored).toMatchObject({ manifest: { step: 10 }, rejected: [] });
  lease = successor;
  // Enough that it would be merged if it could be.
  let manifest = restored.manifest;
  for (let step = 11; step <= 30; step += 1) manifest = await commit(step, step);
  expect(manifest?.log[0]).toEqual(log[0]);
  const [lost, ...rest] = await read(manifest ?? { log: [] });
  expect(lost).toMatchObject({ lost: log[0] });
  expect(rest.flatMap(({ entries }) => entries ?? [])).toEqual(rowsOfSteps(11, 30));
  expect(manifest?.log.length).toBeLessThan(14);
});

test('a segment that cannot be asked for is merged later', async () => {
  for (let step = 1; step <= 7; step += 1) await commit(step, step);
  for (let copy = 1; copy <= 2; copy += 1) {
    store.failNext({ method: 'get', when: 'before', error: new Error('the network is down') });
  }
  const manifest = await commit(8, 8);
  expect(manifest.log).toHaveLength(8);
  expect(await entriesOf(store, manifest)).toEqual(rowsOfSteps(1, 8));
  const next = await commit(9, 9);
  expect(next.log).toHaveLength(2);
  expect(await entriesOf(store, next)).toEqual(rowsOfSteps(1, 9));
});

test('whoever goes on from an older checkpoint goes on from its log', async () => {
  await commit(10, 1);
  const newer = await commit(20, 11);
  await damage(newer.files[0]?.blobKey);
  lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  const restored = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect(restored).toMatchObject({ manifest: { step: 10 }, rejected: [{ step: 20 }] });
  expect(await entriesOf(store, await commit(15, 11))).toEqual(rowsOfSteps(1, 15));
});

test.each([
  ['version 1', { version: 1, epoch: 1 }],
  ['the first of version 2', { version: 2, fence: 1 }],
])('a checkpoint of a build that kept no log is gone on from: %s', async (_, layout) => {
  const { createdAt, environment, files } = await commit(10, 1);
  const bytes = Buffer.from(JSON.stringify({ ...layout, step: 10, createdAt, environment, files }));
  const manifestKey = `${PREFIX}/checkpoints/10-1-2.json`;
  await store.put(manifestKey, bytes);
  await lease.write((head) => ({ ...head, checkpoints: [{ manifestKey, sha256: sha256Of(bytes), step: 10 }] }));
  const restored = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect(restored).toMatchObject({ manifest: { version: 2, fence: 1, step: 10, log: [] }, rejected: [] });
  expect(await entriesOf(store, await commit(20, 11))).toEqual(rowsOfSteps(11, 20));
});

test('with no checkpoint left to go on from, the log begins anew', async () => {
  const { files } = await commit(10, 1);
  await damage(files[0]?.blobKey);
  lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  expect((await checkpoints.newestValid(path.join(folder, 'restored'))).manifest).toBeUndefined();
  expect(await entriesOf(store, await commit(5, 1))).toEqual(rowsOfSteps(1, 5));
});

test.each(['before', 'after'] as const)(
  'a commit that failed %s its head was written, tried again, has its rows once',
  async (when) => {
    await checkpoints.commit(lease, { ...(await snapshot(10)), log: await rows(1, 10) });
    const next = { ...(await snapshot(20)), log: await rows(11, 20) };
    store.failNext({ method: 'compareAndSet', when, error: new Error('the network is down') });
    await expect(checkpoints.commit(lease, next)).rejects.toThrow('the network is down');
    await lease.exclusive(async () => await lease.reread());
    expect(await entriesOf(store, await checkpoints.commit(lease, next))).toEqual(rowsOfSteps(1, 20));
  },
);

test('the first commit of a store that has restored nothing, tried again, has its rows once', async () => {
  await commit(10, 1);
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  const next = { ...(await snapshot(20)), log: await rows(11, 20) };
  store.failNext({ method: 'compareAndSet', when: 'after', error: new Error('the network is down') });
  await expect(checkpoints.commit(lease, next)).rejects.toThrow('the network is down');
  await lease.exclusive(async () => await lease.reread());
  expect(await entriesOf(store, await checkpoints.commit(lease, next))).toEqual(rowsOfSteps(1, 20));
});

test('both copies of a segment are written before the manifest that lists it', async () => {
  store.calls.length = 0;
  const manifest = await commit(1, 1);
  const [{ keys: [first, second] } = { keys: ['', ''] }] = manifest.log;
  expect(store.calls.filter((call) => call.startsWith('put ') && !call.includes('/blobs/'))).toEqual([
    `put ${first}`,
    `put ${second}`,
    `put ${PREFIX}/checkpoints/1-1.json`,
  ]);
});

test('after many commits the manifest is short, nothing is kept that no checkpoint needs, and every row is there', async () => {
  for (let step = 1; step <= 150; step += 1) {
    // Now and then another worker goes on.
    if (step % 40 === 0) {
      lease = await acquireLease(store, PREFIX, { fence: lease.fence + 1, holder: 'next' });
      checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
      await checkpoints.newestValid(path.join(folder, 'restored'));
    }
    const { log } = await commit(step, step);
    expect(log.length).toBeLessThanOrEqual(7 * 4);
  }
  const manifest = await newestManifest(store, PREFIX);
  expect(await entriesOf(store, manifest)).toEqual(rowsOfSteps(1, 150));
  expect(await segmentsStored()).toEqual(await segmentsNamed());
});

test('what killed fences left of a log is removed by the first commit of a later one', async () => {
  await commit(10, 1);
  const left = [`${PREFIX}/log/a/1/${'0'.repeat(64)}`, `${PREFIX}/log/b/1/${'0'.repeat(64)}`];
  const making = `${PREFIX}/log/a/2/${'0'.repeat(64)}`;
  for (const key of [...left, making]) await store.put(key, Buffer.from('by a worker that was killed before its head'));
  lease = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  await commit(20, 11);
  expect(await segmentsStored()).toEqual([...(await segmentsNamed()), making].toSorted());
});

test.each([
  ['before its first checkpoint', 0],
  ['after a checkpoint', 10],
])('an attempt that ends %s leaves every row, and no other checkpoint', async (_, committed) => {
  if (committed > 0) await commit(committed, 1);
  const { checkpoints: before } = lease.head();
  await checkpoints.keepLog(lease, await rows(committed + 1, 17));
  await lease.end({ reason: 'cancelled' });
  expect(await readHead(store, PREFIX)).toMatchObject({
    checkpoints: before,
    log: { fence: 1 },
    outcome: { reason: 'cancelled' },
  });
  expect(await entriesOf(store, await newestLog(store, PREFIX))).toEqual(rowsOfSteps(1, 17));
  expect((await newestManifest(store, PREFIX))?.step).toBe(committed === 0 ? undefined : committed);
});

test('with an outcome there is nothing to keep any more', async () => {
  await checkpoints.commit(lease, await snapshot(10), { outcome: 'done' });
  await expect(checkpoints.keepLog(lease, await rows(11, 12))).rejects.toThrow(LeaseLost);
  expect(lease.head().log).toBeNull();
});

test('the log that an attempt left stays until a later one commits a checkpoint, and then its objects go', async () => {
  await commit(10, 1);
  await checkpoints.keepLog(lease, await rows(11, 17));
  await takeOver();
  expect(await entriesOf(store, await newestLog(store, PREFIX))).toEqual(rowsOfSteps(1, 17));
  const manifest = await commit(13, 11);
  expect(lease.head().log).toBeNull();
  expect(await newestLog(store, PREFIX)).toEqual(manifest);
  expect(await entriesOf(store, manifest)).toEqual(rowsOfSteps(1, 13));
  expect(await segmentsStored()).toEqual(await segmentsNamed());
});

test.each([
  ['its own rows', 13],
  ['nothing', 10],
])(
  'an attempt that goes on from the same checkpoint and leaves %s leaves nothing of the one before',
  async (_, last) => {
    await commit(10, 1);
    await checkpoints.keepLog(lease, await rows(11, 17));
    await takeOver();
    await checkpoints.keepLog(lease, last > 10 ? await rows(11, last) : []);
    await checkpoints.settled();
    expect(await entriesOf(store, await newestLog(store, PREFIX))).toEqual(rowsOfSteps(1, last));
    const kept = (lease.head().log?.log ?? []).flatMap(({ keys }) => keys);
    expect(await segmentsStored()).toEqual([...new Set([...(await segmentsNamed()), ...kept])].toSorted());
  },
);

test.each(['before', 'after'] as const)(
  'a log whose keeping failed %s its head was written, kept again, has its rows once',
  async (when) => {
    await commit(10, 1);
    const files = await rows(11, 17);
    store.failNext({ method: 'compareAndSet', when, error: new Error('the network is down') });
    await expect(checkpoints.keepLog(lease, files)).rejects.toThrow('the network is down');
    await checkpoints.keepLog(lease, files);
    expect(await entriesOf(store, await newestLog(store, PREFIX))).toEqual(rowsOfSteps(1, 17));
    // It is no checkpoint: a commit has the rows from the last one on.
    expect(await entriesOf(store, await commit(20, 11))).toEqual(rowsOfSteps(1, 20));
  },
);

test('a damaged log keeps no attempt from leaving what it has', async () => {
  let manifest: Manifest | undefined;
  for (let step = 1; step <= 7; step += 1) manifest = await commit(step, step);
  for (const { keys } of manifest?.log.slice(0, 2) ?? []) for (const key of keys) await damage(key);
  await checkpoints.keepLog(lease, await rows(8, 9));
  const parts = await read((await newestLog(store, PREFIX)) ?? { log: [] });
  expect(parts.filter(({ lost }) => lost !== undefined)).toHaveLength(2);
  expect(parts.flatMap(({ entries }) => entries ?? [])).toEqual(rowsOfSteps(3, 9));
});

test('of many steps without a checkpoint the log that is left is short', async () => {
  await checkpoints.keepLog(lease, await rows(1, 20_000));
  expect(lease.head().log?.log.length).toBeLessThan(7 * 4);
  expect(await entriesOf(store, await newestLog(store, PREFIX))).toEqual(rowsOfSteps(1, 20_000));
});

test.each([0, 1] as const)(
  'a copy %i that is damaged or missing is written again by the commits that follow',
  async (which) => {
    // Final: it is neither merged nor read for another reason.
    const [final] = (await commitFinal()).log;
    const [small] = (await commit(20_001, 20_001)).log.slice(1);
    const bad = final?.keys[which] ?? '';
    await damage(bad);
    await rm(path.join(objects, small?.keys[which] ?? ''));
    const misses: string[] = [];
    const miss = ({ key }: DamagedCopy): unknown => misses.push(key);
    let manifest = await newestManifest(store, PREFIX);
    await read(manifest ?? { log: [] }, miss);
    expect(misses).toEqual(which === 0 ? [bad, small?.keys[0]] : []);
    for (let step = 20_002; step <= 20_006; step += 1) manifest = await commit(step, step);
    for (const segment of [final, small]) {
      for (const key of segment?.keys ?? [])
        expect(sha256Of((await store.get(key)) ?? Buffer.of())).toBe(segment?.sha256);
    }
    expect(manifest?.log.slice(0, 2)).toEqual([final, small]);
    // What was good before may go now.
    for (const segment of [final, small]) await damage(segment?.keys[1 - which]);
    expect(await entriesOf(store, manifest)).toEqual(rowsOfSteps(1, 20_006));
  },
);

test('a copy is not written again while none is whole, nor if the store fails, and no commit fails for it', async () => {
  const [first] = (await commit(1, 1)).log;
  const [, second] = (await commit(2, 2)).log;
  for (const key of first?.keys ?? []) await damage(key);
  await damage(second?.keys[0]);
  await takeOver();
  await commit(3, 3);
  // The first segment had its turn; now it is the second one's.
  store.failNext({ method: 'get', when: 'before', error: new Error('the network is down') });
  const manifest = await commit(4, 4);
  expect(manifest.log).toHaveLength(4);
  for (let step = 5; step <= 7; step += 1) await commit(step, step);
  expect(sha256Of((await store.get(second?.keys[0] ?? '')) ?? Buffer.of())).toBe(second?.sha256);
  for (const key of first?.keys ?? []) expect(sha256Of((await store.get(key)) ?? Buffer.of())).not.toBe(first?.sha256);
});

test('who reads a log that nobody writes any more can have its damaged copies written again', async () => {
  const [segment] = (await commit(10, 1)).log;
  await damage(segment?.keys[1]);
  await lease.end('done');
  const log = (await newestLog(store, PREFIX)) ?? { log: [] };
  const read1 = [];
  for await (const part of readLog(store, log, { mend: true })) read1.push(part);
  expect(read1).toEqual([{ entries: rowsOfSteps(1, 10) }]);
  await damage(segment?.keys[0]);
  store.failNext({ method: 'put', when: 'before', error: new Error('read only') });
  const read2 = [];
  for await (const part of readLog(store, log, { mend: true })) read2.push(part);
  expect(read2).toEqual(read1);
});

test('a file of something else than entries is refused with the line', async () => {
  const file = path.join(folder, 'rows.ndjson');
  for (const line of ['{"step":1,"row":{"cost"', '{"step":-1,"row":{}}', '{"step":1,"row":[]}', '[]', 'null', '']) {
    await writeFile(file, `{"step":1,"row":{}}\n${line}\n`);
    await expect(checkpoints.commit(lease, { ...(await snapshot(1)), log: [{ path: file }] })).rejects.toThrow(
      `log line ${JSON.stringify(line)} is no entry; give {"step":`,
    );
  }
  expect((await readHead(store, PREFIX))?.checkpoints).toEqual([]);
});

/** Commits a checkpoint with the rows from `firstStep` to its step, and waits for what is done after it. */
async function commit(step: number, firstStep: number): Promise<Manifest> {
  const manifest = await checkpoints.commit(lease, { ...(await snapshot(step)), log: await rows(firstStep, step) });
  await checkpoints.settled();
  return manifest;
}

/** Commits a checkpoint of step 20,000 with so many bytes of rows up to it that their segment is final. */
async function commitFinal(): Promise<Manifest> {
  const manifest = await commit(20_000, 1);
  expect(manifest.log[0]?.textBytes).toBeGreaterThan(FINAL_TEXT_BYTES);
  return manifest;
}

/** Another worker goes on. */
async function takeOver(): Promise<void> {
  lease = await acquireLease(store, PREFIX, { fence: lease.fence + 1, holder: 'next' });
  checkpoints = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  await checkpoints.newestValid(path.join(folder, 'restored'));
}

async function snapshot(step: number): ReturnType<typeof writeSnapshotFiles> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, { state: `contents of ${step}` });
}

async function rows(firstStep: number, lastStep: number): Promise<readonly LogFile[]> {
  return writeLogFile(path.join(folder, 'rows'), `${firstStep}-${lastStep}`, rowsOfSteps(firstStep, lastStep));
}

async function read(
  manifest: Pick<Manifest, 'log'>,
  onDamagedCopy: (copy: DamagedCopy) => void = () => undefined,
): Promise<LogPart[]> {
  const parts: LogPart[] = [];
  for await (const part of readLog(store, manifest, { onDamagedCopy })) parts.push(part);
  return parts;
}

/** Keys of the segments that the head's checkpoints list. */
async function segmentsNamed(): Promise<string[]> {
  const keys = new Set<string>();
  for (const { manifestKey } of lease.head().checkpoints) {
    const bytes = Buffer.from((await store.get(manifestKey)) ?? []);
    const manifest = JSON.parse(bytes.toString()) as { readonly log: readonly LogSegment[] };
    for (const segment of manifest.log) for (const key of segment.keys) keys.add(key);
  }
  return [...keys].toSorted();
}

async function segmentsStored(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(`${PREFIX}/log/`)) keys.push(key);
  return keys.toSorted();
}

/** Flips a bit of an object. */
async function damage(key: string | undefined): Promise<void> {
  const file = path.join(objects, key ?? '');
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
}
