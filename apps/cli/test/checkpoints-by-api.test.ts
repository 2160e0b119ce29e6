import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Client } from '@longrun/client';
import { acquireLease, CheckpointStore, type Manifest, openObjectStore } from '@longrun/serialization';
import { ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { connect } from '../src/address.js';
import { CommandLine, type Finished } from './command-line.js';
import { commitCheckpoint, parametersAt } from './commit-checkpoint.js';
import { type HttpServer, serve } from './http-server.js';
import { LONG_ENOUGH_MS, publish, tinyExperiment } from './services.js';

let redis: RedisServer;
let stateFolder: string;
let api: ProcessUnderTest;
let client: Client;
let objects: string;
beforeAll(async () => {
  redis = await RedisServer.start();
  stateFolder = await mkdtemp(join(tmpdir(), 'longrun-by-api-'));
  api = new ProcessUnderTest(fileURLToPath(new URL('../../api/dist/bundle/main.js', import.meta.url)), {
    LONGRUN_STATE: stateFolder,
    REDIS_URL: redis.url,
  });
  await until(
    () => api.lines.some((line) => line.startsWith('api listening at ')),
    () => api.output,
    LONG_ENOUGH_MS,
  );
  client = await connect({ state: stateFolder, environment: {} });
  objects = `file:${join(stateFolder, 'objects')}`;
  await publish(client);
  await client.datasets.submit({ name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
});
afterAll(async () => {
  await api.end();
  await redis.stop();
  await rm(stateFolder, { recursive: true, force: true });
});

let folder: string;
let id: string;
let name: string;
let longrun: CommandLine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-checkpoints-'));
  name = `run-${Math.trunc(performance.now())}`;
  ({ id } = await client.experiments.submit(tinyExperiment({ name })));
  longrun = new CommandLine(stateFolder);
});
afterEach(() => rm(folder, { recursive: true, maxRetries: 20 }));

test.each([
  ['ls', []],
  ['show', ['100']],
  ['verify', ['--all']],
  ['verify', ['200']],
  ['diff', ['100', 'latest']],
])('%s %o prints by way of the API what it prints of the store', async (command, words) => {
  await commitTo(id, 100, 200);
  const printed = async (...place: string[]): Promise<unknown> => {
    const text = await longrun.run('checkpoint', command, id, ...words, ...place);
    const json = await longrun.run('checkpoint', command, id, ...words, '--json', ...place);
    expect([text, json]).toMatchObject([
      { code: 0, stderr: '', stdout: expect.stringContaining('-3') },
      { code: 0, stderr: '' },
    ]);
    const { api: _api, objects: _objects, ...found }: Record<string, unknown> = JSON.parse(json.stdout);
    return { text: text.stdout.replaceAll(/\d+ (s|seconds?|ms) ago/g, 'ago'), found };
  };
  expect(await printed()).toEqual(await printed('--objects', objects));
});

test('an experiment is given by its id, the beginning of that, or its name; what is no experiment is said', async () => {
  await commitTo(id, 100);
  for (const reference of [id, id.slice(0, -1), name]) {
    const { code, stdout } = await longrun.run('checkpoint', 'ls', reference, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ prefix: `experiments/${id}`, api: client.url });
  }
  expect(await longrun.run('checkpoint', 'ls', 'tiny')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is a dataset'),
  });
});

test('damage is found by way of the API: exit code 1, with the object that has it, and nothing is exported', async () => {
  const [manifest] = await commitTo(id, 100, 200);
  await flipBit(manifest?.files[1]?.blobKey);
  const verified = await longrun.run('checkpoint', 'verify', id, '100');
  expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining(manifest?.files[1]?.blobKey ?? 'none') });
  const exported = await longrun.run('checkpoint', 'export', id, '100', '--to', join(folder, 'new', 'one'));
  expect(exported).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('its bytes have changed') });
  expect(exported.stderr).not.toMatch(/^ +at /m);
  expect(await readdir(join(folder, 'new'))).toEqual([]);
});

test('export has all files or the parameters, from the second copy where the first is gone', async () => {
  const [manifest] = await commitTo(id, 100);
  const target = join(folder, 'exported');
  expect(await longrun.run('checkpoint', 'export', id, '--to', target)).toMatchObject({ code: 0 });
  expect(await readdir(target)).toEqual(['parameters.safetensors', 'state.json']);
  expect(await readFile(join(target, 'parameters.safetensors'))).toEqual(Buffer.from(parametersAt(100)));
  expect(manifest?.files[0]?.copyKey).toBeDefined();
  await rm(join(stateFolder, 'objects', manifest?.files[0]?.blobKey ?? 'none'));
  const file = join(folder, 'model.safetensors');
  expect(await longrun.run('checkpoint', 'export', id, '--parameters', file)).toMatchObject({ code: 0 });
  expect(await readFile(file)).toEqual(Buffer.from(parametersAt(100)));
});

test('pin keeps a checkpoint and unpin lets go of it, which ls shows', async () => {
  await commitTo(id, 100, 200);
  expect(await longrun.run('checkpoint', 'pin', name, '100')).toMatchObject({
    code: 0,
    stdout: '100-3 is kept until it is unpinned\n',
  });
  expect((await longrun.run('checkpoint', 'ls', id)).stdout).toMatch(/^100-3 .*pinned$/m);
  expect(await longrun.run('checkpoint', 'unpin', id, '100-3')).toMatchObject({ code: 0 });
  expect((await longrun.run('checkpoint', 'ls', id)).stdout).not.toContain('pinned');
  expect(await longrun.run('checkpoint', 'pin', id, '150')).toMatchObject({ code: 1 });
});

test('diff compares checkpoints of two experiments, by way of the API and in the store', async () => {
  await commitTo(id, 100);
  const other = await client.experiments.submit(tinyExperiment({ name: `${name}-other` }));
  await commitTo(other.id, 300);
  for (const [words, reference] of [
    [[], `${name}-other`],
    [['--objects', objects], other.id],
  ] as const) {
    const { code, stdout } = await longrun.run('checkpoint', 'diff', id, '100', '300', '--with', reference, ...words);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^100-3 \(A\) and 300-3 \(B\)\n/);
    expect(stdout).toContain('1 element, by 200 at most');
  }
});

test.each([
  ['an unknown step', ['show', '150'], 'has no checkpoint 150'],
  ['what names no checkpoint', ['show', 'newest'], 'has no checkpoint newest'],
  ['what is there already', ['export', '--to', '.'], 'is not an empty folder'],
])('%s is told in a sentence', async (_what, words, says) => {
  await commitTo(id, 100);
  const [command = '', ...rest] = words;
  const { code, stdout, stderr } = await longrun.run('checkpoint', command, id, ...rest);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('an API that does not answer is told with the way to do without', async () => {
  const environment = { LONGRUN_URL: 'http://127.0.0.1:1', LONGRUN_TOKEN: 'a-token-of-this-test' };
  const { code, stderr } = await longrun.runWith(environment, 'checkpoint', 'ls', name);
  expect(code).toBe(1);
  expect(stderr).toContain('--objects URL');
});

test('an export whose connection breaks goes on where it broke', async () => {
  const elements = 500_000;
  await commitTo(id, { steps: [100], elements });
  const asked: (string | undefined)[] = [];
  const proxy = await proxyTo(client.url, (request) => {
    if (request.url?.includes('/files/parameters') !== true) return Infinity;
    asked.push(request.headers.range);
    return asked.length === 1 ? 700_000 : Infinity;
  });
  const file = join(folder, 'model.safetensors');
  const exported = await throughProxy(proxy, 'checkpoint', 'export', id, '--parameters', file);
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  // What had been sent when it broke need not all have come.
  expect(asked).toEqual(['bytes=0-', expect.stringMatching(/^bytes=\d+-\d+$/)]);
  // Compared value by value it would take a minute.
  expect(Buffer.compare(await readFile(file), parametersAt(100, elements))).toBe(0);
});

test('an export whose connection breaks again and again fails, and leaves nothing', async () => {
  await commitTo(id, 100);
  let broken = 0;
  const proxy = await proxyTo(client.url, (request) => {
    if (request.url?.includes('/files/') !== true) return Infinity;
    broken += 1;
    return 0;
  });
  const exported = await throughProxy(proxy, 'checkpoint', 'export', id, '--to', join(folder, 'new', 'one'));
  expect(exported).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('broke') });
  expect(broken).toBeGreaterThan(1);
  expect(await readdir(join(folder, 'new'))).toEqual([]);
});

test('download fetches the parameters of a checkpoint, once', async () => {
  await commitTo(id, 100, 200);
  const file = join(folder, 'new', 'model.safetensors');
  const first = await longrun.run('download', name, '--checkpoint', '100', '-o', file, '--json');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  const { sizeBytes, ...said }: Record<string, unknown> = JSON.parse(first.stdout);
  expect(said).toMatchObject({ id, file, sha256: sha256Of(parametersAt(100)), fetchedBytes: sizeBytes });
  expect(await readFile(file)).toEqual(Buffer.from(parametersAt(100)));
  const again = await longrun.run('download', id, '--checkpoint', '100-3', '-o', file);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('at step 100: '), stderr: '' });
  expect(again.stdout).toContain(', it was there, verified');
  const other = await longrun.run('download', id, '-o', file);
  expect(other).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('is there already and has other bytes'),
  });
  expect(await readdir(join(folder, 'new'))).toEqual(['model.safetensors']);
});

test('download fetches what the program has written', async () => {
  await commitTo(id, { steps: [100], table: 'a,b\n' });
  const file = join(folder, 'mine.csv');
  const fetched = await longrun.run('download', id, '--output', 'table.csv', '-o', file);
  expect(fetched).toMatchObject({ code: 0, stdout: expect.stringMatching(/^table.csv of .*verified/), stderr: '' });
  expect(await readFile(file, 'utf8')).toBe('a,b\n');
  const unknown = await longrun.run('download', id, '--output', 'tables.csv');
  expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('its outputs: table.csv') });
});

test('a download that was broken off goes on when it is run again', async () => {
  const elements = 500_000;
  await commitTo(id, { steps: [100], elements });
  const bytes = parametersAt(100, elements);
  const asked: (string | undefined)[] = [];
  let isBroken = true;
  const proxy = await proxyTo(client.url, (request) => {
    if (request.url?.includes('/parameters') !== true || request.method === 'HEAD') return Infinity;
    asked.push(request.headers.range);
    if (!isBroken) return Infinity;
    return asked.length === 1 ? 700_000 : 0;
  });
  const file = join(folder, 'model.safetensors');
  const broken = await throughProxy(proxy, 'download', id, '-o', file);
  expect(broken).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('broke') });
  const [part = 'none', ...others] = (await readdir(folder)).filter((each) => each.startsWith('model'));
  expect(others).toEqual([]);
  expect(part).toBe(`model.safetensors.${sha256Of(bytes).slice(0, 12)}.part`);
  const { size } = await stat(join(folder, part));
  expect(size).toBeGreaterThan(0);

  isBroken = false;
  asked.length = 0;
  expect(await throughProxy(proxy, 'download', id, '-o', file)).toMatchObject({ code: 0, stderr: '' });
  expect(asked).toEqual([`bytes=${size}-${bytes.byteLength - 1}`]);
  expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  expect((await readdir(folder)).filter((each) => each.startsWith('model'))).toEqual(['model.safetensors']);
});

test('what came of a download and is other bytes by now is fetched anew', async () => {
  await commitTo(id, 100);
  const bytes = parametersAt(100);
  const file = join(folder, 'model.safetensors');
  const part = `${file}.${sha256Of(bytes).slice(0, 12)}.part`;
  await writeFile(part, Buffer.alloc(8, 'x'));
  const failed = await longrun.run('download', id, '-o', file);
  expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('run it again') });
  expect(failed.stderr).not.toMatch(/^ +at /m);
  await writeFile(part, Buffer.alloc(bytes.byteLength + 1));
  expect(await longrun.run('download', id, '-o', file)).toMatchObject({ code: 0 });
  expect(await readFile(file)).toEqual(Buffer.from(bytes));
});

test('several downloads to one file at once leave it whole, and all succeed', async () => {
  const elements = 3_000_000;
  await commitTo(id, { steps: [100], elements });
  const file = join(folder, 'model.safetensors');
  const all = await Promise.all(Array.from({ length: 3 }, async () => longrun.run('download', id, '-o', file)));
  expect(Buffer.compare(await readFile(file), parametersAt(100, elements))).toBe(0);
  expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(all.map(() => ({ code: 0, stderr: '' })));
  expect((await readdir(folder)).filter((each) => each.startsWith('model'))).toEqual(['model.safetensors']);
});

test('of downloads of different bytes to one file the first is left as it is', async () => {
  await commitTo(id, 100, 200);
  const file = join(folder, 'model.safetensors');
  const proxy = await proxyTo(client.url, (request) => {
    // Another one is there by the time that it comes.
    if (request.url?.includes('/parameters') === true) writeFileSync(file, 'other bytes');
    return Infinity;
  });
  const late = await throughProxy(proxy, 'download', id, '-o', file);
  expect(late).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('has other bytes; give another') });
  expect(await readFile(file, 'utf8')).toBe('other bytes');
});

test('what is damaged where it is fetched from is said, and nothing is left of it', async () => {
  const [manifest] = await commitTo(id, 100);
  await flipBit(manifest?.files[0]?.blobKey);
  const failed = await longrun.run('download', id, '-o', join(folder, 'model.safetensors'));
  expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('it is damaged there') });
  expect((await readdir(folder)).filter((each) => each.startsWith('model'))).toEqual([]);
});

test.each(['.', '..'])('%s is no name of a checkpoint', async (which) => {
  await commitTo(id, 100);
  for (const words of [
    ['download', id, '--checkpoint', which],
    ['checkpoint', 'show', id, which],
  ]) {
    const { code, stdout, stderr } = await longrun.run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`'${which}' is invalid`);
  }
});

test('a download of what is removed meanwhile is told in a sentence', async () => {
  await commitTo(id, 100);
  const proxy = await proxyTo(client.url, (request) => {
    if (request.url?.includes('/parameters') === true) {
      rmSync(join(stateFolder, 'objects', 'experiments', id), { recursive: true, force: true });
    }
    return Infinity;
  });
  const { code, stdout, stderr } = await throughProxy(proxy, 'download', id, '-o', join(folder, 'model.safetensors'));
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('it was removed meanwhile; run it again');
  expect(stderr).not.toMatch(/^ +at /m);
});

test.each([
  ['below a file', async () => writeFile(join(folder, 'new'), ''), 'cannot be written (ENOTDIR'],
  ['below a link to itself', async () => symlink('new', join(folder, 'new')), 'cannot be written (ELOOP'],
  ['in place of a folder', async () => mkdir(join(folder, 'new', 'one'), { recursive: true }), 'is no file'],
  [
    'in place of a pipe',
    async () => {
      await mkdir(join(folder, 'new'));
      execFileSync('mkfifo', [join(folder, 'new', 'one')]);
    },
    'is no file',
  ],
])('no download %s', async (_what, make, says) => {
  await commitTo(id, 100);
  await make();
  const before = await readdir(folder, { recursive: true });
  const { code, stdout, stderr } = await longrun.run('download', id, '-o', join(folder, 'new', 'one'));
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).toContain('give another');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(await readdir(folder, { recursive: true })).toEqual(before);
});

test.each([
  ['a dataset that is not ready', ['tiny'], 'has no file: it is queued'],
  ['a checkpoint of a dataset', ['tiny', '--checkpoint', '100'], 'leave out --checkpoint'],
  ['an output of a dataset', ['tiny', '--output', 'table.csv'], 'leave out --output'],
  ['nothing that there is', ['nowhere'], 'there is no experiment `nowhere`'],
])('no download: %s', async (_what, words, says) => {
  const { code, stdout, stderr } = await longrun.run('download', ...words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/^ +at /m);
});

let proxies: HttpServer[] = [];
afterEach(() => {
  for (const each of proxies) each.close();
  proxies = [];
});

/** An API before another, which cuts an answer after so many bytes of its body. */
async function proxyTo(url: string, bytesOf: (request: IncomingMessage) => number): Promise<HttpServer> {
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let left = bytesOf(request);
    const { authorization = '', range, 'if-range': ifRange } = request.headers;
    const answer = await fetch(new URL(request.url ?? '/', url), {
      method: request.method ?? 'GET',
      headers: { authorization, ...(range && { range }), ...(typeof ifRange === 'string' && { 'if-range': ifRange }) },
    });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.flushHeaders();
    left = Math.min(left, body.byteLength);
    response.write(body.subarray(0, left), () => {
      if (left < body.byteLength) response.destroy();
      else response.end();
    });
  };
  const proxy = await serve((request, response) => void forward(request, response));
  proxies.push(proxy);
  return proxy;
}

async function throughProxy(proxy: HttpServer, ...words: string[]): Promise<Finished> {
  const token = (await readFile(join(stateFolder, 'token'), 'utf8')).trim();
  const environment = { LONGRUN_URL: proxy.url, LONGRUN_TOKEN: token };
  return longrun.runWith(environment, ...words);
}

/** Commits to an experiment; with one step each file is kept twice. */
async function commitTo(
  experiment: string,
  ...given:
    | readonly number[]
    | readonly [{ readonly steps: readonly number[]; readonly elements?: number; readonly table?: string }]
): Promise<Manifest[]> {
  const [first] = given;
  const { steps, elements, table } = typeof first === 'object' ? first : { steps: given.map(Number) };
  const store = await openObjectStore(objects);
  const lease = await acquireLease(store, `experiments/${experiment}`, { fence: 3, holder: 'by-hand' });
  const checkpoints = new CheckpointStore(store, `experiments/${experiment}`, { keepLast: steps.length });
  const manifests: Manifest[] = [];
  for (const step of steps) {
    manifests.push(
      await commitCheckpoint(step, { lease, checkpoints, folder: join(folder, experiment), elements, table }),
    );
  }
  return manifests;
}

async function flipBit(key = 'none'): Promise<void> {
  const file = join(stateFolder, 'objects', key);
  const bytes = await readFile(file);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
