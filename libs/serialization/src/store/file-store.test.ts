import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { sha256Of } from '../sha256.js';
import { testContract } from '../../test/object-store-contract.js';
import { FileStore } from './file-store.js';
import { InvalidKey } from './object-key.js';
import { ContentMismatch, DeletionFailed, type ObjectStore, StoreUnfit } from './object-store.js';
import { openObjectStore } from './open-object-store.js';
import { TemporaryFiles } from './temporary-files.js';

let folder: string;
let objects: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'file-store-'));
  objects = path.join(folder, 'objects');
  store = await openObjectStore(`file:${objects}`);
});
afterEach(() => rm(folder, { recursive: true }));

describe('the contract of object stores', () => {
  testContract({
    open: async () => ({ store, another: await openObjectStore(store.url) }),
    largeBytes: 3_000_001,
  });
});

describe('a file that is given', () => {
  const given = async (content: string, change: (file: string) => Promise<void> = async () => {}): Promise<string> => {
    const file = path.join(folder, 'given');
    await writeFile(file, content);
    const handle = await open(file);
    const written = { sha256: sha256Of(text(content)), sizeBytes: content.length };
    const { mtimeNs } = await handle.stat({ bigint: true });
    await change(file);
    try {
      await store.put('a/x', { handle, given: { path: file, content: written, mtimeNs } }, { expected: written });
    } finally {
      await handle.close();
    }
    expect(await readdir(path.join(objects, '.tmp'))).toEqual([]);
    return file;
  };

  test('is the object itself, and not written again', async () => {
    const file = await given('content');
    const [mine, its] = [await stat(file), await stat(path.join(objects, 'a/x'))];

    expect([its.ino, its.nlink]).toEqual([mine.ino, 2]);
    expect(await store.get('a/x')).toEqual(text('content'));
    await rm(file);
    expect(await store.get('a/x')).toEqual(text('content'));
  });

  test('is copied where its name is that of another by now, and it is the file by its handle that counts', async () => {
    const replaced = await given('content', async (file) => {
      await rm(file);
      await writeFile(file, 'another');
    });
    expect((await stat(replaced)).nlink).toBe(1);
    expect(await store.get('a/x')).toEqual(text('content'));
  });

  test('is copied where its name is a link to it, or gone', async () => {
    const linked = await given('content', async (file) => {
      await rename(file, `${file}-moved`);
      await symlink(`${file}-moved`, file);
    });
    expect((await stat(linked)).nlink).toBe(1);
    await rm(linked);
    await given('content', rm);
    expect(await store.get('a/x')).toEqual(text('content'));
  });

  test('is refused where it has another size by now', async () => {
    await expect(given('content', (file) => writeFile(file, 'longer content'))).rejects.toThrow(ContentMismatch);
    expect(await keys('')).toEqual([]);
  });

  test('is given again under the same key, and leaves no other name behind', async () => {
    const file = await given('content');
    const handle = await open(file);
    const content = { sha256: sha256Of(text('content')), sizeBytes: 7 };
    const { mtimeNs } = await handle.stat({ bigint: true });
    await store.put('a/x', { handle, given: { path: file, content, mtimeNs } });
    await handle.close();

    expect(await readdir(path.join(objects, '.tmp'))).toEqual([]);
    expect((await stat(file)).nlink).toBe(2);
  });

  test.skipIf(process.getuid?.() !== 0)('of another user becomes ours (as root only)', async () => {
    await given('content', async (file) => {
      await chmod(file, 0o666);
      await chown(file, 12_345, 12_345);
    });
    expect(await stat(path.join(objects, 'a/x'))).toMatchObject({
      uid: 0,
      gid: process.getgid?.(),
      mode: 0o100_666 & ~process.umask(),
    });
  });
});

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

test('what is being written is not listed, and what failed leaves nothing', async () => {
  await writeFile(path.join(objects, '.x.tmp'), '');
  await expect(store.put('x', { path: path.join(folder, 'absent') })).rejects.toThrow('ENOENT');
  expect(await keys('')).toEqual([]);
  expect(await readdir(path.join(objects, '.tmp'))).toEqual([]);
});

test('a sweep removes what a process that is gone has left long ago, and of one that lives nothing, whatever the clock says', async () => {
  const temporary = path.join(objects, '.tmp');
  const host = hostname().replaceAll(/[^\w-]/gu, '_');
  const id = '00000000-0000-0000-0000-000000000000';
  const gone = `${host}.${2 ** 22 + 1}.${id}.${id}`;
  // In a container that was started again host and number are the same.
  const before = [`${host}.${process.pid}.${id}.${id}`, `${host}.${process.pid}.${id}`];
  const own = path.basename(new TemporaryFiles(temporary).next());
  const kept = [own, `elsewhere.1.${id}`, id, gone.replace(id, id.replaceAll('0', '2'))];
  const longAgo = [`elsewhere.2.${id}`, id.replaceAll('0', '1')];
  for (const name of [gone, ...before, ...kept, ...longAgo]) await writeFile(path.join(temporary, name), '');
  // A clock that is set far ahead makes nobody's file old who can be asked after.
  for (const name of [own, gone, ...before, ...longAgo]) await utimes(path.join(temporary, name), 0, 0);
  expect(await store.sweep()).toBe(5);
  expect((await readdir(temporary)).toSorted()).toEqual(kept.toSorted());
});

test('a key that is the beginning of another is refused with what is in its way', async () => {
  await store.put('k', text('x'));
  await expect(store.put('k/a', text('x'))).rejects.toThrow('object key "k/a" goes through another object in file:');
  await store.put('f/a', text('x'));
  await expect(store.put('f', text('x'))).rejects.toThrow('object key "f" is the beginning of other keys in file:');
  expect(await keys('')).toEqual(['f/a', 'k']);
});

test('an error of what was to be stored is no conflict of keys', async () => {
  await writeFile(path.join(folder, 'file'), '');
  for (const [source, code] of [
    [folder, 'EISDIR'],
    [path.join(folder, 'file', 'x'), 'ENOTDIR'],
  ] as const) {
    const failure = await store.put('x', { path: source }).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(InvalidKey);
    expect(failure).toMatchObject({ code });
  }
});

test('what is below an object is absent, also to a deletion', async () => {
  await store.put('k', text('x'));
  await store.delete(['k/a', 'k/a/b']);
  expect(await keys('')).toEqual(['k']);
});

test('what was given up while the disk still wrote is not put in its place', async () => {
  const unwatched = new FileStore(objects);
  const reason = new Error('nobody waits any more');
  for (const ifAbsent of [false, true]) {
    const leaving = new AbortController();
    const stream = (async function* () {
      yield text('late');
      // After the last byte was taken, and before it is on disk.
      setImmediate(() => leaving.abort(reason));
    })();
    await expect(unwatched.put('x', { stream }, { ifAbsent, signal: leaving.signal })).rejects.toBe(reason);
  }
  await expect(unwatched.compareAndSet('r', null, text('late'), { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  expect(await keys('')).toEqual([]);
  expect(await readdir(path.join(objects, '.tmp'))).toEqual([]);
});

test('what is read through a folder that is a symbolic link is listed, too', async () => {
  await mkdir(path.join(folder, 'elsewhere'));
  await writeFile(path.join(folder, 'elsewhere', 'x'), 'x');
  await symlink(path.join(folder, 'elsewhere'), path.join(objects, 'linked'));
  expect(await store.get('linked/x')).toEqual(text('x'));
  expect(await keys('')).toEqual(['linked/x']);
});

test('a deletion that fails names what is left, and all others are gone', async () => {
  // So deep that a long key is too long for the file system.
  const deep = await openObjectStore(
    `file:${path.join(objects, ...Array.from({ length: 17 }, () => 'z'.repeat(190)))}`,
  );
  const long = `${'x'.repeat(200)}/`.repeat(4) + 'y'.repeat(90);
  for (const key of ['a', 'c/d']) await deep.put(key, text('x'));
  const failure = await deep.delete(['a', long, 'c/d']).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DeletionFailed);
  expect(failure).toMatchObject({ failed: [{ key: long, reason: expect.stringContaining('ENAMETOOLONG') }] });
  expect(String(failure)).toContain('could not be removed (ENAMETOOLONG');
  for (const key of ['a', 'c/d']) expect(await deep.get(key)).toBeUndefined();
});

test('a folder that is a file is refused', async () => {
  await mkdir(path.join(folder, 'x'));
  await writeFile(path.join(folder, 'x', 'file'), '');
  const opening = openObjectStore(`file:${folder}/x/file`);
  await expect(opening).rejects.toThrow(StoreUnfit);
  await expect(opening).rejects.toThrow('ENOTDIR');
});

async function keys(prefix: string): Promise<string[]> {
  const listed: string[] = [];
  for await (const { key } of store.list(prefix)) listed.push(key);
  return listed.toSorted();
}
