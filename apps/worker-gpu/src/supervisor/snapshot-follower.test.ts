import { createHash } from 'node:crypto';
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ObjectStore, openObjectStore } from '@longrun/serialization';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSnapshot, type OpenSnapshot } from './open-snapshot.js';
import { SnapshotFollower } from './snapshot-follower.js';

const PARTIAL = '.step-1.partial';
const TEMPORARY = '.parameters.tmp';

let folder: string;
let store: ObjectStore;
let follower: SnapshotFollower;
let leaving: AbortController;
/** Where the trainer writes. */
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-follower-'));
  store = await openObjectStore(`file:${join(folder, 'objects')}`);
  follower = new SnapshotFollower(folder, store);
  leaving = new AbortController();
  await mkdir(join(folder, 'snapshots', PARTIAL), { recursive: true });
  file = join(folder, 'snapshots', PARTIAL, TEMPORARY);
});
afterEach(async () => {
  await follower.close();
  expect(await openFiles()).toEqual([]);
  await rm(folder, { recursive: true });
});

/** Writes as much more, and tells of it. */
async function grows(text: string): Promise<void> {
  await appendFile(file, text);
  follower.follow({ folder: PARTIAL, file: TEMPORARY, sizeBytes: (await readFile(file)).byteLength });
}

/** The snapshot is finished, and opened. */
async function announced(sizeBytes: number): Promise<OpenSnapshot> {
  const followed = follower.take();
  await rename(file, join(folder, 'snapshots', PARTIAL, 'parameters'));
  await rename(join(folder, 'snapshots', PARTIAL), join(folder, 'snapshots', 'step-1'));
  const snapshot = { name: 'step-1', step: 1, environment: {}, files: [{ name: 'parameters', sizeBytes }] };
  return await openSnapshot(folder, snapshot, store, { followed, signal: leaving.signal });
}

/** What this process has open below the folder. */
async function openFiles(): Promise<string[]> {
  const paths = await Promise.all(
    (await readdir('/proc/self/fd')).map(async (fd) => await readlink(join('/proc/self/fd', fd)).catch(() => '')),
  );
  return paths.filter((path) => path.startsWith(folder));
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

test('a file is read while it is written, and found again whatever it is called by then', async () => {
  await grows('one');
  await grows('two');
  await expect.poll(openFiles).toEqual([file]);
  await appendFile(file, 'three');
  const opened = await announced(11);
  expect(opened.files).toMatchObject([{ name: 'parameters', sha256: sha256Of('onetwothree'), sizeBytes: 11 }]);
  await opened.close();
  expect(await openFiles()).toEqual([]);
});

test('what was read before is not read again', async () => {
  await grows('one');
  const handle = await open(file);
  const followed = await follower.take().fetch(handle);
  await followed?.hash.settled();
  // Nobody but a program that writes to its own snapshot does so, and it damages its own checkpoint.
  await writeFile(file, 'ONEtwo');
  expect(await followed?.hash.rest(6)).toEqual({ sha256: sha256Of('onetwo'), sizeBytes: 6 });
  await followed?.handle.close();
  await handle.close();
});

test('another file in its place is read from its start', async () => {
  await grows('one');
  await expect.poll(openFiles).toEqual([file]);
  await rm(file);
  await writeFile(file, 'other');
  const opened = await announced(5);
  expect(opened.files).toMatchObject([{ sha256: sha256Of('other') }]);
  await opened.close();
});

test('what was read once is read anew by a second try', async () => {
  await grows('one');
  const followed = follower.take();
  const handle = await open(file);
  const first = await followed.fetch(handle);
  expect(first).toBeDefined();
  expect(await followed.fetch(handle)).toBeUndefined();
  await first?.handle.close();
  await handle.close();
});

test.each([
  ['a link', async () => await symlink('/etc/hostname', file)],
  ['nothing', async () => {}],
  ['a folder', async () => await mkdir(file)],
])('%s is not followed', async (_, make) => {
  await make();
  for (const sizeBytes of [10, 20]) follower.follow({ folder: PARTIAL, file: TEMPORARY, sizeBytes });
  await follower.close();
  expect(await openFiles()).toEqual([]);
});

test('a trainer that names more files than it has keeps none of them open', async () => {
  for (let index = 0; index < 1_000; index += 1) {
    const name = `file-${index}`;
    await writeFile(join(folder, 'snapshots', PARTIAL, name), name);
    follower.follow({ folder: PARTIAL, file: name, sizeBytes: 1 });
  }
  await expect.poll(async () => (await openFiles()).length).toBe(8);
  follower.take();
  follower.follow({ folder: PARTIAL, file: 'file-9', sizeBytes: 1 });
  await follower.take().close();
  expect(await openFiles()).toHaveLength(8);
  await follower.close();
  expect(await openFiles()).toEqual([]);
});

test('snapshots that nobody commits are let go of at the end', async () => {
  await grows('one');
  follower.take();
  await expect.poll(openFiles).toEqual([file]);
  await follower.close();
  expect(await openFiles()).toEqual([]);
  await grows('two');
  expect(await openFiles()).toEqual([]);
});

test('a file that is a hole keeps nobody: neither who lets go of it nor who has to leave', async () => {
  await writeFile(file, '');
  await truncate(file, 2 ** 43);
  follower.follow({ folder: PARTIAL, file: TEMPORARY, sizeBytes: 2 ** 43 });
  await expect.poll(openFiles).toEqual([file]);
  await follower.take().close();
  expect(await openFiles()).toEqual([]);

  follower.follow({ folder: PARTIAL, file: TEMPORARY, sizeBytes: 2 ** 43 });
  await expect.poll(openFiles).toEqual([file]);
  const opening = announced(2 ** 43);
  opening.catch(() => undefined);
  leaving.abort(new Error('it was cancelled'));
  await expect(opening).rejects.toThrow('it was cancelled');
});
