import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { StoreUnfit } from './object-store.js';
import { openObjectStore, openObjectStoreToRead } from './open-object-store.js';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'open store ü '));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test('an absolute file URL is a folder, which is made', async () => {
  const folder = path.join(await emptyFolder(), 'deep', 'er');
  const store = await openObjectStore(pathToFileURL(folder).href);
  expect(store.url).toBe(pathToFileURL(folder).href);
  await store.put('a', Buffer.from('x'));
  expect(await (await openObjectStore(store.url)).get('a')).toEqual(new Uint8Array(Buffer.from('x')));
});

test('a relative file URL is seen from the working directory', async () => {
  const folder = await emptyFolder();
  const relative = path.relative(process.cwd(), folder);
  const absolute = pathToFileURL(folder).href;
  expect((await openObjectStore(`file:${relative}`)).url).toBe(absolute);
  expect((await openObjectStore(`file:./${relative}`)).url).toBe(absolute);
});

test.each([
  ['s3:///prefix', "object store s3:///prefix: the bucket is missing or has no bucket's name; give s3://bucket/prefix"],
  ['s3://key:secret@bucket/x', 'object store s3://…@bucket/x: credentials do not belong into a URL'],
  ['s3://bucket/x?endpiont=y', 'endpiont is no setting; there are endpoint, region, pathStyle'],
  ['s3://bucket/.x', 'its segment ".x" is not allowed'],
  ['/var/objects', 'object store "/var/objects": give a folder, as file:///var/lib/longrun/objects'],
  ['http://x/', 'object store "http://x/": give a folder'],
  ['file:', 'object store file:: the folder is missing'],
  ['file:///var/100%', 'object store file:///var/100%: a % that is part of the folder'],
  ['file:half/100%off', 'is written %25 in a URL'],
])('%s is refused with the remedy', async (url, message) => {
  await expect(openObjectStore(url)).rejects.toThrow(message);
});

test.each([
  's3://me:hunter2@bucket/x',
  's3://me:hunter/2@bucket/x',
  's3://bucket/x?secretAccessKey=hunter2',
  's3://bucket/x?endpoint=http://me:hunter2@host:1',
  'https://me:hunter2@host/x',
])('what is secret in %s is in no error', async (url) => {
  const failure = await openObjectStore(url).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(String(failure)).not.toMatch(/hunter/u);
});

test('a path that is a file is refused with its name', async () => {
  const file = path.join(await emptyFolder(), 'file');
  await writeFile(file, '');
  await expect(openObjectStore(pathToFileURL(file).href)).rejects.toThrow(file);
});

test('a folder that is opened to be read is not made, and what cannot be read is said', async () => {
  const folder = await emptyFolder();
  const missing = path.join(folder, 'missing');
  await expect(openObjectStoreToRead(pathToFileURL(missing).href)).rejects.toThrow(StoreUnfit);
  await expect(openObjectStoreToRead(pathToFileURL(missing).href)).rejects.toThrow(
    /no folder that can be read .*missing/u,
  );
  await writeFile(missing, '');
  await expect(openObjectStoreToRead(pathToFileURL(missing).href)).rejects.toThrow(StoreUnfit);
  await expect(openObjectStoreToRead('http://x/')).rejects.toThrow('object store "http://x/": give a folder');
  await openObjectStoreToRead(pathToFileURL(folder).href);
  expect(await readdir(folder)).toEqual(['missing']);
});
