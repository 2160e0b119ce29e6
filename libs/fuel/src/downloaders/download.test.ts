import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import type { FileProgress } from '../converters/converter.js';
import { CorruptInput, DownloadFailed } from '../errors.js';
import { download } from './download.js';

const content = Buffer.from('the content of the file '.repeat(1000));
const sha256 = createHash('sha256').update(content).digest('hex');
const quick = { retryDelayMs: 1, attempts: 3, idleTimeoutMs: 60_000 };

/** A real server that answers as it is told, and counts. */
interface Server {
  url: string;
  requests: number;
  answer: RequestListener;
}

test('a file appears complete, in a folder that is made, with progress', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  const progress: FileProgress[] = [];
  const target = join(folder, 'new', 'folder');

  const paths = await download(dataset(server.url), target, { ...quick, onProgress: (step) => progress.push(step) });

  expect(paths).toEqual([join(target, 'file.gz')]);
  expect(await readFile(join(target, 'file.gz'))).toEqual(content);
  expect(progress.at(-1)).toEqual({ file: 'file.gz', doneBytes: content.length, totalBytes: content.length });
});

test('a file that is there with the right checksum is not asked for; another one is replaced', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  await writeFile(join(folder, 'file.gz'), content);
  await download(dataset(server.url), folder, quick);
  expect(server.requests).toBe(0);

  await writeFile(join(folder, 'file.gz'), 'another one');
  await download(dataset(server.url), folder, quick);
  expect(server.requests).toBe(1);
  expect(await readFile(join(folder, 'file.gz'))).toEqual(content);
});

test('a file that is there as another distribution packs it is as good', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  const repacked = Buffer.from('the same content, packed anew');
  const repackedSha256 = createHash('sha256').update(repacked).digest('hex');
  await writeFile(join(folder, 'file.gz'), repacked);
  const { name, requiredFiles } = dataset(server.url);

  await download({ name, requiredFiles: requiredFiles.map((file) => ({ ...file, repackedSha256 })) }, folder, quick);

  expect(server.requests).toBe(0);
  expect(await readFile(join(folder, 'file.gz'))).toEqual(repacked);
});

test('a file that lies where files are kept is linked to; any other is downloaded beside it, and the folder only read', async () => {
  const [folder, keptFolder] = [await temporaryFolder(), await temporaryFolder()];
  const server = await startServer();
  const [path, kept] = [join(folder, 'file.gz'), join(keptFolder, 'file.gz')];
  for (const other of ['another one', undefined]) {
    if (other === undefined) await mkdir(kept);
    else await writeFile(kept, other);
    await download(dataset(server.url), folder, { ...quick, keptFolder });
    expect(await readFile(path)).toEqual(content);
    expect((await lstat(path)).isFile()).toBe(true);
    await rm(kept, { recursive: true });
  }
  expect(server.requests).toBe(2);

  await writeFile(kept, content);
  await download(dataset(server.url), folder, { ...quick, keptFolder });
  expect(await readlink(path)).toBe(kept);
  expect(server.requests).toBe(2);
});

test('a wrong checksum is corrupt input, and nothing is kept', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  const flipped = Buffer.from(content);
  flipped[500] = 0;
  server.answer = (_, response) => response.end(flipped);

  const error = await download(dataset(server.url), folder, quick).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(CorruptInput);
  expect(error).toMatchObject({ path: join(folder, 'file.gz'), message: expect.stringContaining(sha256) });
  expect(server.requests).toBe(3);
  expect(await readdir(folder)).toEqual([]);
});

test('a server that fails for a while is asked again', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  server.answer = (_, response) => {
    if (server.requests === 1) response.writeHead(503).end();
    else if (server.requests === 2)
      response
        .writeHead(200, { 'content-length': content.length })
        .write(content.subarray(0, 99), () => response.destroy());
    else response.end(content);
  };

  await download(dataset(server.url), folder, quick);

  expect(server.requests).toBe(3);
  expect(await readFile(join(folder, 'file.gz'))).toEqual(content);
  expect(await readdir(folder)).toEqual(['file.gz']);
});

test('an address that refuses is not asked again, but the next one', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  server.answer = (request, response) => {
    if (request.url === '/gone.gz') response.writeHead(404).end('not here');
    else response.end(content);
  };

  await download(dataset(server.url.replace('file', 'gone'), server.url), folder, quick);

  expect(server.requests).toBe(2);
  expect(await readFile(join(folder, 'file.gz'))).toEqual(content);
});

test('a server that goes silent is given up', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  server.answer = (_, response) => response.writeHead(200).write('only this');

  await expect(download(dataset(server.url), folder, { ...quick, attempts: 2, idleTimeoutMs: 50 })).rejects.toThrow(
    /nothing came for 50 ms \(2 attempts\)/,
  );
  expect(await readdir(folder)).toEqual([]);
});

test('without a network the message says where to put which file', async () => {
  const folder = await temporaryFolder();
  // Port 9 of this machine has nobody listening; the second name does not exist.
  const urls = ['http://127.0.0.1:9/file.gz', 'http://files.invalid/file.gz'];

  const error = await download(dataset(...urls), folder, quick).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(DownloadFailed);
  const message = String(error);
  for (const part of [...urls, '3 attempts', join(folder, 'file.gz'), sha256, 'toy: file.gz'])
    expect(message).toContain(part);
  expect(await readdir(folder)).toEqual([]);
});

test('a download that is stopped ends with the reason, and leaves nothing', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  const stop = new AbortController();
  server.answer = (_, response) => {
    response.writeHead(200).write('only this');
    stop.abort(new Error('cancelled'));
  };

  await expect(download(dataset(server.url), folder, { ...quick, signal: stop.signal })).rejects.toThrow('cancelled');
  expect(await readdir(folder)).toEqual([]);
});

test('an error of this machine is not taken for one of the network', async () => {
  const folder = await temporaryFolder();
  const server = await startServer();
  await mkdir(join(folder, 'file.gz'));
  await expect(download(dataset(server.url), folder, quick)).rejects.toThrow(/EISDIR/);
});

function dataset(...urls: string[]) {
  return { name: 'toy', requiredFiles: [{ name: 'file.gz', sha256, urls }] };
}

const sendContent: RequestListener = (_, response) => response.end(content);

/** Answers every request with the content until told otherwise; stopped when the test has ended. */
async function startServer(): Promise<Server> {
  const server: Server = { url: '', requests: 0, answer: sendContent };
  const http = createServer((request, response) => {
    server.requests += 1;
    server.answer(request, response);
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => {
      http.close(resolve);
    });
  });
  const address = http.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  server.url = `http://127.0.0.1:${address.port}/file.gz`;
  return server;
}
