import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { flipBit } from '../../test/flip-bit.js';
import { StateMismatch } from '../state.js';
import { openObjectStore } from '../store/open-object-store.js';
import { PreconditionFailed } from '../store/object-store.js';
import { UnreliableStore } from '../../test/unreliable-store.js';
import { numberedKey, plainKey, plainKeysUnder } from '../../test/plain-key.js';
import { writeSnapshotFiles } from '../../test/snapshot-folder.js';
import { CheckpointStore } from './checkpoint-store.js';
import { sha256Of } from '../sha256.js';
import { readHead } from './head.js';
import { acquireLease, type Lease, LeaseLost, LeaseRefused } from './lease.js';
import type { Snapshot } from './snapshot.js';

const PREFIX = 'experiments/exp_1';

let folder: string;
let objects: string;
let store: UnreliableStore;
let checkpoints: CheckpointStore;
let lease: Lease;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'checkpoints-'));
  objects = path.join(folder, 'objects');
  store = new UnreliableStore(await openObjectStore(`file:${objects}`));
  checkpoints = new CheckpointStore(store, PREFIX);
  lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
});
afterEach(async () => {
  store.checkAllFailed();
  // What is done after a commit may still be under way.
  await rm(folder, { recursive: true, maxRetries: 20 });
});

test('what was committed comes back, each file with the bytes it had', async () => {
  const manifest = await checkpoints.commit(lease, await snapshotAt(100, { 'a.json': '{}', 'empty.bin': '' }));
  const newest = await checkpoints.newestValid(path.join(folder, 'restored'));
  expect(newest).toEqual({ manifest, folder: path.join(folder, 'restored', '100-1'), rejected: [] });
  expect(manifest).toMatchObject({ version: 2, step: 100, fence: 1, environment: { engine: 'reference' } });
  expect((await readdir(newest.folder ?? '')).toSorted()).toEqual(['a.json', 'empty.bin']);
  expect(await readFile(path.join(newest.folder ?? '', 'a.json'), 'utf8')).toBe('{}');
});

test('a file that is not as large as it was announced is not even read', async () => {
  const snapshot = await snapshotAt(100, { state: 'five!' });
  const [state] = snapshot.files;
  if (state === undefined) throw new Error('The snapshot has no file');
  const files = [{ ...state, sha256: sha256Of(Buffer.from('five!')), sizeBytes: 5 }];
  await truncate(state.path, 2 ** 30);
  store.calls.length = 0;
  await expect(checkpoints.commit(lease, { ...snapshot, files })).rejects.toThrow(
    /snapshot file .*state has 1073741824 bytes but was announced with 5 bytes; leave a snapshot alone/,
  );
  expect(store.calls).toEqual([]);
});

test('who gives a commit up waits for no upload, and the lease is free for its end', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const leaves = new AbortController();
  const uploading = store.hangNext('put');
  const commit = checkpoints.commit(lease, await snapshotAt(200), { signal: leaves.signal });
  await uploading;
  leaves.abort(new Error('it was cancelled'));
  await expect(commit).rejects.toThrow('it was cancelled');
  await lease.end('cancelled');
  expect(await readHead(store, PREFIX)).toMatchObject({ outcome: 'cancelled', checkpoints: [{ step: 100 }] });
});

test('several uploads are in flight: one that hangs keeps neither the other files nor the log from the store', async () => {
  const leaves = new AbortController();
  const snapshot = await snapshotAt(100, { a: 'one', b: 'two', c: 'three' });
  const spool = path.join(folder, 'rows');
  await writeFile(spool, '{"step":100,"row":{"cost":1}}\n');
  store.calls.length = 0;
  const uploading = store.hangNext('put');
  const commit = checkpoints.commit(lease, { ...snapshot, log: [{ path: spool }] }, { signal: leaves.signal });
  commit.catch(() => undefined);
  await uploading;
  const blobs = ['one', 'two', 'three'].map((content) => `put ${blob(content)}`);
  await expect.poll(() => plainCalls(/^put /u)).toEqual(expect.arrayContaining(blobs));
  await expect.poll(() => plainCalls(/^put /u).length).toBeGreaterThan(blobs.length);
  leaves.abort(new Error('it was cancelled'));
  await expect(commit).rejects.toThrow('it was cancelled');
});

test('a commit of many files, with what is logged, warns of no leak', async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', warned);
  const contents = Array.from({ length: 8 }, (_, index) => [`file-${index}`, `content ${index}`]);
  const spool = path.join(folder, 'rows');
  await writeFile(spool, '{"step":100,"row":{"cost":1}}\n');
  const snapshot = { ...(await snapshotAt(100, Object.fromEntries(contents))), log: [{ path: spool }] };
  await checkpoints.commit(lease, snapshot, { signal: new AbortController().signal });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

test('a commit stops its upload as soon as the lease is known to be lost', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const uploading = store.hangNext('put');
  const commit = checkpoints.commit(lease, await snapshotAt(200));
  await uploading;
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  expect(await lease.isHeld()).toBe(false);
  await expect(commit).rejects.toThrow(LeaseLost);
  await checkpoints.settled();
  expect(await readHead(store, PREFIX)).toEqual(successor.head());
});

test('a commit with an outcome ends the signal of its lease, and is none the less a commit', async () => {
  const manifest = await checkpoints.commit(lease, await snapshotAt(100), { outcome: 'done' });
  expect(lease.signal.reason).toMatchObject({ name: 'LeaseLost', reason: 'ended' });
  await checkpoints.settled();
  expect(await checkpoints.newestValid(path.join(folder, 'restored'))).toMatchObject({ manifest, rejected: [] });
});

test('without any checkpoint there is none', async () => {
  expect(await checkpoints.newestValid(folder)).toEqual({ manifest: undefined, rejected: [] });
  expect(await new CheckpointStore(store, 'experiments/other').newestValid(folder)).toEqual({
    manifest: undefined,
    rejected: [],
  });
});

test('the order is blobs, manifest, head, and only then the removal of older ones', async () => {
  const few = new CheckpointStore(store, PREFIX, { keepLast: 1 });
  await few.commit(lease, await snapshotAt(1, { a: 'one', b: 'same' }));
  await few.settled();
  store.calls.length = 0;
  await few.commit(lease, await snapshotAt(2, { a: 'two', b: 'same' }));
  await few.settled();
  expect(plainCalls(/^(put|compareAndSet|delete) /u)).toEqual([
    `put ${blob('two')}`,
    `put ${blob('two')}`,
    `put ${PREFIX}/checkpoints/2-1.json`,
    `put ${PREFIX}/checkpoints/2-1-again.json`,
    `compareAndSet ${PREFIX}/head.json`,
    `delete ${blob('one')} ${blob('one')} ${PREFIX}/checkpoints/1-1-again.json ${PREFIX}/checkpoints/1-1.json`,
  ]);
});

test('a worker that was written off cannot commit', async () => {
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  await checkpoints.commit(successor, await snapshotAt(200));
  await expect(checkpoints.commit(lease, await snapshotAt(300))).rejects.toThrow(LeaseLost);
  await expect(checkpoints.commit(lease, await snapshotAt(300), { outcome: 'done' })).rejects.toThrow(LeaseLost);
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: 2, checkpoints: [{ step: 200 }], outcome: null });
});

test('a successor goes on from the checkpoints of those before it', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  expect(successor.head().checkpoints).toMatchObject([{ step: 100 }]);
  const theirs = new CheckpointStore(store, PREFIX);
  await theirs.commit(successor, await snapshotAt(200));
  expect((await readHead(store, PREFIX))?.checkpoints.map(({ step }) => step)).toEqual([200, 100]);
});

test('the outcome is set in the same compare-and-set as the last checkpoint', async () => {
  store.calls.length = 0;
  await checkpoints.commit(lease, await snapshotAt(500), { outcome: { status: 'succeeded' } });
  expect(store.calls.filter((call) => call.startsWith('compareAndSet'))).toHaveLength(1);
  expect(await readHead(store, PREFIX)).toMatchObject({
    checkpoints: [{ step: 500 }],
    outcome: { status: 'succeeded' },
  });
  await expect(checkpoints.commit(lease, await snapshotAt(600))).rejects.toThrow(
    'fence 1 (worker-a) has ended with outcome {"status":"succeeded"}; nothing more can be written',
  );
  await expect(acquireLease(store, PREFIX, { fence: 2, holder: 'b' })).rejects.toThrow(LeaseRefused);
  expect((await checkpoints.newestValid(path.join(folder, 'r'))).manifest?.step).toBe(500);
});

test('a final commit under a lost lease sets neither checkpoint nor outcome', async () => {
  await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  await expect(checkpoints.commit(lease, await snapshotAt(500), { outcome: 'done' })).rejects.toThrow(LeaseLost);
  expect(await readHead(store, PREFIX)).toMatchObject({ fence: 2, checkpoints: [], outcome: null });
});

test('the final checkpoint may be of the step that was committed last', async () => {
  await checkpoints.commit(lease, await snapshotAt(100, { state: 'periodic' }));
  await checkpoints.commit(lease, await snapshotAt(100, { state: 'final' }), { outcome: 'done' });
  expect((await readHead(store, PREFIX))?.checkpoints).toMatchObject([
    { step: 100, manifestKey: expect.stringMatching(/\/checkpoints\/100-1-\d+\.json$/) as unknown },
  ]);
  const { folder: restored = '' } = await checkpoints.newestValid(path.join(folder, 'r'));
  expect(await readFile(path.join(restored, 'state'), 'utf8')).toBe('final');
  await checkpoints.settled();
  expect(await stored()).toEqual([blob('final'), `${PREFIX}/checkpoints/100-1-again.json`]);
});

test.each([
  [
    'truncated',
    (file: string) => truncate(file, 3),
    /^file state has 3 bytes but 8 were committed \(object .*\/blobs\/1\/[0-9a-f]{64}-\d+\)$/,
  ],
  [
    'with a flipped bit',
    flipBit,
    /^file state has SHA-256 [0-9a-f]{64} but [0-9a-f]{64} was committed .*: its bytes have changed$/,
  ],
  ['missing', (file: string) => rm(file), /^file state is missing: there is no object .*\/blobs\/1\/[0-9a-f]{64}-\d+$/],
])('a newest blob that is %s is detected, and the checkpoint before it is used', async (_, damage, reason) => {
  await checkpoints.commit(lease, await snapshotAt(100, { state: 'contents of 100' }));
  await checkpoints.commit(lease, await snapshotAt(200, { state: 'contents' }));
  await damage(path.join(objects, await numberedKey(store, blob('contents'))));

  const newest = await checkpoints.newestValid(path.join(folder, 'r'));
  expect(newest.manifest?.step).toBe(100);
  expect(newest.rejected).toEqual([
    { manifestKey: `${PREFIX}/checkpoints/200-1.json`, step: 200, reason: expect.stringMatching(reason) },
  ]);
  expect(await readdir(path.join(folder, 'r'))).toEqual(['100-1']);
});

test.each([
  [
    'with a flipped bit',
    flipBit,
    /^manifest .*\/200-1\.json has SHA-256 [0-9a-f]{64} but the head says [0-9a-f]{64}: its bytes have changed$/,
  ],
  ['truncated', (file: string) => truncate(file, 0), /^manifest .*\/200-1\.json has SHA-256 e3b0c442/],
  ['missing', (file: string) => rm(file), /^manifest .*\/200-1\.json is missing$/],
])('a newest manifest that is %s is detected, and the checkpoint before it is used', async (_, damage, reason) => {
  await checkpoints.commit(lease, await snapshotAt(100));
  await checkpoints.commit(lease, await snapshotAt(200));
  await damage(path.join(objects, `${PREFIX}/checkpoints/200-1.json`));

  const newest = await checkpoints.newestValid(path.join(folder, 'r'));
  expect(newest.manifest?.step).toBe(100);
  expect(newest.rejected).toEqual([
    { manifestKey: `${PREFIX}/checkpoints/200-1.json`, step: 200, reason: expect.stringMatching(reason) },
  ]);
});

test('where all are damaged there is none, and each is reported', async () => {
  for (const step of [100, 200]) {
    await checkpoints.commit(lease, await snapshotAt(step, { state: `s${step}` }));
    await flipBit(path.join(objects, await numberedKey(store, blob(`s${step}`))));
  }
  const newest = await checkpoints.newestValid(path.join(folder, 'r'));
  expect(newest.manifest).toBeUndefined();
  expect(newest.rejected.map(({ step }) => step)).toEqual([200, 100]);
});

test('the next commit drops what was rejected, and does not reuse its damaged blobs', async () => {
  await checkpoints.commit(lease, await snapshotAt(100, { state: 'old' }));
  await checkpoints.commit(lease, await snapshotAt(200, { state: 'same' }));
  await flipBit(path.join(objects, await numberedKey(store, blob('same'))));
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  const theirs = new CheckpointStore(store, PREFIX);
  await theirs.newestValid(path.join(folder, 'r'));

  await theirs.commit(successor, await snapshotAt(200, { state: 'same' }));

  expect((await readHead(store, PREFIX))?.checkpoints.map(({ manifestKey }) => path.basename(manifestKey))).toEqual([
    '200-2.json',
    '100-1.json',
  ]);
  expect((await theirs.newestValid(path.join(folder, 'r2'))).rejected).toEqual([]);
  await theirs.settled();
  expect(await stored()).toEqual(
    [blob('old'), blob('same', 2), `${PREFIX}/checkpoints/100-1.json`, `${PREFIX}/checkpoints/200-2.json`].toSorted(),
  );
});

test('a checkpoint of a newer build stops the restore: falling back would throw its steps away', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const manifestKey = `${PREFIX}/checkpoints/200-9.json`;
  const bytes = Buffer.from('{"version":3}');
  await store.put(manifestKey, bytes);
  const sha256 = sha256Of(bytes);
  await lease.write((head) => ({ ...head, checkpoints: [{ manifestKey, sha256, step: 200 }, ...head.checkpoints] }));
  await expect(checkpoints.newestValid(path.join(folder, 'r'))).rejects.toThrow(StateMismatch);
});

test('a store that fails says nothing about a checkpoint: no older one is taken', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  await checkpoints.commit(lease, await snapshotAt(200));
  store.failNext({ method: 'download', when: 'before', error: new Error('the network is down') });
  await expect(checkpoints.newestValid(path.join(folder, 'r'))).rejects.toThrow('the network is down');
  expect((await checkpoints.newestValid(path.join(folder, 'r'))).manifest?.step).toBe(200);
});

test('a commit whose answer was lost has succeeded once', async () => {
  store.failNext({ method: 'compareAndSet', when: 'after', error: new PreconditionFailed('head.json', null) });
  await checkpoints.commit(lease, await snapshotAt(100));
  await checkpoints.commit(lease, await snapshotAt(200));
  expect((await readHead(store, PREFIX))?.checkpoints.map(({ step }) => step)).toEqual([200, 100]);
});

test('a lease whose answer was lost is held', async () => {
  store.failNext({ method: 'compareAndSet', when: 'after', error: new PreconditionFailed('head.json', null) });
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  await checkpoints.commit(successor, await snapshotAt(100));
});

test.each(['before', 'after'] as const)(
  'a commit that failed %s its head was written can be tried again',
  async (when) => {
    const few = new CheckpointStore(store, PREFIX, { keepLast: 1 });
    await few.commit(lease, await snapshotAt(100));
    store.failNext({ method: 'compareAndSet', when, error: new Error('the network is down') });
    await expect(few.commit(lease, await snapshotAt(200))).rejects.toThrow('the network is down');
    await few.commit(lease, await snapshotAt(200));
    await few.commit(lease, await snapshotAt(300));
    expect((await readHead(store, PREFIX))?.checkpoints.map(({ step }) => step)).toEqual([300]);
    expect((await few.newestValid(path.join(folder, 'r'))).rejected).toEqual([]);
    await few.settled();
    const twice = Array.from({ length: 2 }, () => blob('contents of 300'));
    expect((await stored()).filter((key) => key.includes('/blobs/'))).toEqual(twice);
  },
);

test('a commit is real though the removal of older ones failed, and the next one makes up for it', async () => {
  const left: unknown[] = [];
  const few = new CheckpointStore(store, PREFIX, { keepLast: 1, onGarbageLeft: (error) => left.push(error) });
  await few.commit(lease, await snapshotAt(100));
  const failure = new Error('the network is down');
  store.failNext({ method: 'delete', when: 'before', error: failure });
  await few.commit(lease, await snapshotAt(200));
  await few.settled();
  expect(left).toEqual([failure]);
  expect((await stored()).length).toBe(8);
  await few.commit(lease, await snapshotAt(300));
  await few.settled();
  expect(await stored()).toEqual([
    blob('contents of 300'),
    blob('contents of 300'),
    `${PREFIX}/checkpoints/300-1-again.json`,
    `${PREFIX}/checkpoints/300-1.json`,
  ]);
});

test('blobs that a failed removal left are not removed later when they are needed again', async () => {
  const few = new CheckpointStore(store, PREFIX, { keepLast: 1 });
  await few.commit(lease, await snapshotAt(100, { state: 'again' }));
  store.failNext({ method: 'delete', when: 'before', error: new Error('the network is down') });
  await few.commit(lease, await snapshotAt(200, { state: 'other' }));
  await few.commit(lease, await snapshotAt(300, { state: 'again' }));
  await few.settled();
  expect(await few.newestValid(path.join(folder, 'r'))).toMatchObject({ manifest: { step: 300 }, rejected: [] });
});

test('what a checkpoint has whose manifest cannot be read is left to a later holder of the lease', async () => {
  const few = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  for (const step of [100, 200]) await few.commit(lease, await snapshotAt(step));
  await flipBit(path.join(objects, `${PREFIX}/checkpoints/200-1.json`));
  const fresh = new CheckpointStore(store, PREFIX, { keepLast: 2 });
  await fresh.commit(lease, await snapshotAt(300));
  await fresh.settled();
  expect((await stored()).filter((key) => key.includes('/blobs/'))).toHaveLength(3);
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  await few.commit(successor, await snapshotAt(400));
  expect((await stored()).filter((key) => key.includes('/blobs/'))).not.toContain(blob('contents of 200'));
});

test('what killed fences left is removed by the first commit of a later one, and not what the present one writes', async () => {
  await checkpoints.commit(lease, await snapshotAt(100));
  const zombie = Buffer.from('by a worker that was killed before its head');
  await store.put(`${PREFIX}/blobs/1/${sha256Of(zombie)}`, zombie);
  await store.put(`${PREFIX}/checkpoints/150-1.json`, Buffer.from('{}'));
  const successor = await acquireLease(store, PREFIX, { fence: 2, holder: 'worker-b' });
  const making = `${PREFIX}/blobs/2/${sha256Of(zombie)}`;
  const foreign = `${PREFIX}/blobs/notes.txt`;
  await store.put(making, zombie);
  await store.put(foreign, zombie);

  await new CheckpointStore(store, PREFIX).commit(successor, await snapshotAt(200));

  expect(await stored()).toEqual(
    [
      blob('contents of 100'),
      blob('contents of 200', 2),
      making,
      foreign,
      `${PREFIX}/checkpoints/100-1.json`,
      `${PREFIX}/checkpoints/200-2.json`,
    ].toSorted(),
  );
});

test('a blob that the head keeps alive is named again, not written again', async () => {
  for (const step of [100, 200]) await checkpoints.commit(lease, await snapshotAt(step, { frozen: 'weights' }));
  store.calls.length = 0;
  await checkpoints.commit(lease, await snapshotAt(300, { frozen: 'weights', copy: 'weights', state: '3' }));
  expect(plainCalls(/^put/u)).toEqual([`put ${blob('3')}`, `put ${PREFIX}/checkpoints/300-1.json`]);
});

test('commits of one lease take turns', async () => {
  const snapshots = await Promise.all([100, 200, 300, 400, 500].map((step) => snapshotAt(step)));
  await Promise.all([...snapshots.map((snapshot) => checkpoints.commit(lease, snapshot)), lease.isHeld()]);
  expect((await readHead(store, PREFIX))?.checkpoints.map(({ step }) => step)).toEqual([500, 400, 300]);
});

test('a snapshot that changed since it was announced is refused with both hashes', async () => {
  const snapshot = await snapshotAt(100, { state: 'announced' });
  const [file] = snapshot.files;
  const announced = {
    ...snapshot,
    files: [{ name: 'state', path: file?.path ?? '', sha256: sha256Of(Buffer.from('announced')) }],
  };
  await checkpoints.commit(lease, announced);
  await writeFile(file?.path ?? '', 'changed');
  await expect(checkpoints.commit(lease, announced)).rejects.toThrow(
    `snapshot file ${file?.path} has 7 bytes with SHA-256 ${sha256Of(Buffer.from('changed'))} but was announced with`,
  );
  const wrongSize = { ...announced, files: [{ name: 'state', path: file?.path ?? '', sizeBytes: 8 }] };
  await expect(checkpoints.commit(lease, wrongSize)).rejects.toThrow('was announced with 8 bytes');
});

test.each(['../state', '/etc/passwd', 'a/b', '.hidden', '', '..', 'a\\b', 'a\0'])(
  'a snapshot file named %j is refused',
  async (name) => {
    const snapshot: Snapshot = { step: 1, files: [{ name, path: '/dev/null' }], environment: null };
    await expect(checkpoints.commit(lease, snapshot)).rejects.toThrow('give a plain file name');
  },
);

test('wrong arguments are refused with the remedy', async () => {
  expect(() => new CheckpointStore(store, PREFIX, { keepLast: 0 })).toThrow(
    'keepLast is 0; give an integer of 1 or more',
  );
  const good = await snapshotAt(1);
  await expect(checkpoints.commit(lease, { ...good, step: -1 })).rejects.toThrow('step is -1');
  await expect(checkpoints.commit(lease, { ...good, files: [...good.files, ...good.files] })).rejects.toThrow(
    'two files are named state',
  );
  await expect(checkpoints.commit(lease, good, { outcome: null })).rejects.toThrow('outcome is null');
  await expect(new CheckpointStore(store, 'experiments/x').commit(lease, good)).rejects.toThrow(
    `the lease is that of ${PREFIX}`,
  );
});

async function snapshotAt(
  step: number,
  contents: Record<string, string> = { state: `contents of ${step}` },
): Promise<Snapshot> {
  return writeSnapshotFiles(path.join(folder, 'snapshots'), step, contents);
}

function blob(content: string, fence = 1): string {
  return `${PREFIX}/blobs/${fence}/${sha256Of(Buffer.from(content))}`;
}

async function stored(): Promise<string[]> {
  return await plainKeysUnder(store, PREFIX);
}

/** What the store was asked for, the keys of each call sorted and without their numbers. */
function plainCalls(kind: RegExp): string[] {
  return store.calls
    .filter((call) => kind.test(call))
    .map((call) => {
      const [method, ...keys] = call.split(' ');
      return [method, ...keys.map(plainKey).toSorted()].join(' ');
    });
}
