import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { FileStore } from './file-store.js';
import { InvalidKey, type ListedObject, ObjectExists, PreconditionFailed } from './object-store.js';

let folder: string;
let store: FileStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'file-store-'));
  store = await FileStore.open(path.join(folder, 'objects'));
});
afterEach(() => rm(folder, { recursive: true }));

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

test('what was put is there, and a second put replaces it', async () => {
  await store.put('a/b', text('one'));
  await store.put('a/b', text('two'));
  expect(await store.get('a/b')).toEqual(text('two'));
});

test('an absent object is undefined, also where the key names a folder or goes through an object', async () => {
  await store.put('a/b', text('x'));
  for (const key of ['c', 'a', 'a/b/c', 'a/c']) expect(await store.get(key)).toBeUndefined();
});

test('a file is put as it is, however long', async () => {
  const source = path.join(folder, 'source');
  const bytes = Buffer.alloc(3_000_001, 'abc');
  await writeFile(source, bytes);
  await store.put('big', { path: source });
  expect(bytes.equals((await store.get('big')) ?? text(''))).toBe(true);
});

test('a transfer of much tells again and again that it moves', async () => {
  const source = path.join(folder, 'source');
  await writeFile(source, Buffer.alloc(3_000_001, 'abc'));
  let moved = 0;
  const onMoved = (): void => void (moved += 1);
  await store.put('big', { path: source }, { onMoved });
  expect(moved).toBe(3);
  await store.download('big', path.join(folder, 'target'), { onMoved });
  expect(moved).toBe(6);
});

test('of a file that never ends no more is put than is wanted', async () => {
  expect(await store.put('zeros', { path: '/dev/zero', mostBytes: 1_500_000 })).toMatchObject({ sizeBytes: 1_500_000 });
  expect(Buffer.alloc(1_500_000).equals((await store.get('zeros')) ?? text(''))).toBe(true);
});

test('an empty object is an object', async () => {
  await store.put('empty', new Uint8Array(0));
  expect(await store.get('empty')).toEqual(new Uint8Array(0));
  expect(await store.download('empty', path.join(folder, 'x'))).toMatchObject({ sizeBytes: 0 });
});

test('putting a file that is not there fails and leaves nothing', async () => {
  await expect(store.put('x', { path: path.join(folder, 'absent') })).rejects.toThrow('ENOENT');
  expect(await store.get('x')).toBeUndefined();
  expect(await readdir(path.join(folder, 'objects', '.tmp'))).toEqual([]);
});

test('a reader beside a writer sees one whole value or another', async () => {
  const values = ['a', 'b', 'c'].map((letter) => Buffer.alloc(1 << 20, letter));
  const writing = (async () => {
    for (let round = 0; round < 30; round += 1) await store.put('x', values[round % 3] ?? text(''));
    return 'done';
  })();
  const seen = new Set<string>();
  while ((await Promise.race([writing, store.get('x').then(note)])) !== 'done');
  expect([...seen]).toEqual(['whole']);

  function note(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    seen.add(values.some((value) => value.equals(bytes)) ? 'whole' : 'torn');
  }
});

test('ifAbsent refuses to replace', async () => {
  await store.put('x', text('one'), { ifAbsent: true });
  await expect(store.put('x', text('two'), { ifAbsent: true })).rejects.toThrow(ObjectExists);
  expect(await store.get('x')).toEqual(text('one'));
});

test('a download hashes what it writes, and replaces what was there', async () => {
  const bytes = Buffer.alloc(2_500_000, 'xyz');
  const target = path.join(folder, 'target');
  await writeFile(target, 'old');
  await store.put('x', bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect(await store.download('x', target)).toEqual({ sha256, sizeBytes: bytes.byteLength });
  expect(bytes.equals(await readFile(target))).toBe(true);
  expect((await readdir(folder)).toSorted()).toEqual(['objects', 'target']);
});

test('a download of what is absent is undefined and makes no file', async () => {
  expect(await store.download('absent', path.join(folder, 'target'))).toBeUndefined();
  expect(await readdir(folder)).toEqual(['objects']);
});

test('list gives what starts with the prefix, registers once, and nothing that is being written', async () => {
  for (const key of ['a/b/1', 'a/b/22', 'a/bc', 'd/a/b/1']) await store.put(key, text(key));
  await store.compareAndSet('a/b/head.json', null, text('12345'));
  await writeFile(path.join(folder, 'objects', 'a', '.x.tmp'), '');
  expect(await keys('a/b')).toEqual(['a/b/1', 'a/b/22', 'a/b/head.json', 'a/bc']);
  expect(await keys('a/b/')).toEqual(['a/b/1', 'a/b/22', 'a/b/head.json']);
  expect(await keys('a/b/2')).toEqual(['a/b/22']);
  expect(await keys('')).toEqual(['a/b/1', 'a/b/22', 'a/b/head.json', 'a/bc', 'd/a/b/1']);
  expect(await keys('absent/')).toEqual([]);
  for await (const { key, sizeBytes } of store.list('a/b/h'))
    expect({ key, sizeBytes }).toEqual({ key: 'a/b/head.json', sizeBytes: 5 });
});

test('delete removes objects and registers, and does not mind what is absent', async () => {
  await store.put('a/x', text('x'));
  await store.compareAndSet('a/head.json', null, text('x'));
  await store.delete(['a/x', 'a/absent', 'b/absent', 'a/head.json']);
  expect(await keys('')).toEqual([]);
  expect(await store.readRegister('a/head.json')).toBeUndefined();
});

test.each(['../x', '/etc/passwd', 'a/../../x', '.tmp/x', ''])('no method takes the key %j', async (key) => {
  await writeFile(path.join(folder, 'x'), 'untouched');
  for (const attempt of [
    () => store.get(key),
    () => store.put(key, text('y')),
    () => store.download(key, path.join(folder, 'y')),
    () => store.readRegister(key),
    () => store.compareAndSet(key, null, text('y')),
    () => store.delete([key]),
  ]) {
    await expect(attempt()).rejects.toThrow(InvalidKey);
  }
  expect(await readFile(path.join(folder, 'x'), 'utf8')).toBe('untouched');
});

test('list cannot leave the folder', async () => {
  await expect(keys('../')).rejects.toThrow(InvalidKey);
  await expect(keys('/etc/')).rejects.toThrow(InvalidKey);
});

test('opening removes what writers left long ago, and not what they write now', async () => {
  const temporary = path.join(folder, 'objects', '.tmp');
  await writeFile(path.join(temporary, 'old'), '');
  await writeFile(path.join(temporary, 'new'), '');
  await utimes(path.join(temporary, 'old'), 0, 0);
  await FileStore.open(path.join(folder, 'objects'));
  expect(await readdir(temporary)).toEqual(['new']);
  expect(store.url).toContain('objects');
});

test('a register is set only under the version that was read', async () => {
  expect(await store.readRegister('r')).toBeUndefined();
  const first = await store.compareAndSet('r', null, text('1'));
  await expect(store.compareAndSet('r', null, text('x'))).rejects.toThrow(PreconditionFailed);
  const second = await store.compareAndSet('r', first, text('2'));
  await expect(store.compareAndSet('r', first, text('x'))).rejects.toThrow('register r is no longer at version');
  expect(await store.readRegister('r')).toEqual({ bytes: text('2'), version: second });
  expect(second).not.toBe(first);
});

test('setting the same bytes gives a new version', async () => {
  const first = await store.compareAndSet('r', null, text('1'));
  const second = await store.compareAndSet('r', first, text('1'));
  await expect(store.compareAndSet('r', first, text('1'))).rejects.toThrow(PreconditionFailed);
  expect((await store.readRegister('r'))?.version).toBe(second);
});

test('a version of a register that was removed sets nothing', async () => {
  const first = await store.compareAndSet('r', null, text('1'));
  await store.delete(['r']);
  await expect(store.compareAndSet('r', first, text('2'))).rejects.toThrow(PreconditionFailed);
  expect(await store.readRegister('r')).toBeUndefined();
});

test('a folder that is a file is refused', async () => {
  await mkdir(path.join(folder, 'x'));
  await writeFile(path.join(folder, 'x', 'file'), '');
  await expect(FileStore.open(path.join(folder, 'x', 'file'))).rejects.toThrow('ENOTDIR');
});

async function keys(prefix: string): Promise<string[]> {
  const listed: ListedObject[] = [];
  for await (const object of store.list(prefix)) listed.push(object);
  return listed.map(({ key }) => key).toSorted();
}
