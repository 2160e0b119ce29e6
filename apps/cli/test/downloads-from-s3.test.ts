import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client, NotLongrun } from '@longrun/client';
import { freePort, ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import {
  acquireLease,
  CheckpointStore,
  type Lease,
  type Manifest,
  type ObjectStore,
  openObjectStore,
} from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { connect } from '../src/address.js';
import { CommandLine, type Finished } from './command-line.js';
import { commitCheckpoint, parametersAt } from './commit-checkpoint.js';
import { forward, type Forwarding } from './forwarding.js';
import { type HttpServer, serve } from './http-server.js';
import { type S3Server, startS3Server, WITHOUT_S3 } from './s3-server.js';
import { LONG_ENOUGH_MS, publish, tinyExperiment } from './services.js';
import { writeTinyMnist } from './tiny-mnist.js';

const given = WITHOUT_S3 === '' ? describe : describe.skip;
/** A bit more than 1 MiB, of parameters and of a table. */
const ELEMENTS = 400_000;

given(`downloads from S3${WITHOUT_S3 === '' ? '' : `: did not run, as there is no ${WITHOUT_S3}`}`, () => {
  let s3: S3Server;
  let redis: RedisServer;
  let stateFolder: string;
  let api: ProcessUnderTest;
  let client: Client;
  let token: string;
  let longrun: CommandLine;
  let objects: ObjectStore;
  let id: string;
  let lease: Lease;
  let checkpoints: CheckpointStore;
  let files: Manifest['files'];
  let folder: string;
  let storeProxy: HttpServer;
  /** What was asked for by a URL that the API has given, since the test began. */
  const asked: IncomingMessage[] = [];
  /** What is done to the next of them. */
  const faults: ((request: IncomingMessage) => Forwarding)[] = [];

  beforeAll(async () => {
    s3 = await startS3Server();
    storeProxy = await serve((request, response) => {
      const isByUrl = request.url?.includes('X-Amz-Signature=') === true;
      if (isByUrl) asked.push(request);
      forward(request, response, s3.access.endpoint, isByUrl ? faults.shift()?.(request) : undefined);
    });
    redis = await RedisServer.start();
    stateFolder = await mkdtemp(join(tmpdir(), 'longrun-from-s3-'));
    const { bucket, region, accessKeyId, secretAccessKey } = s3.access;
    const url = `s3://${bucket}/downloads?endpoint=${storeProxy.url}&region=${region}`;
    const environment = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      LONGRUN_STATE: stateFolder,
      LONGRUN_OBJECTS: url,
      REDIS_URL: redis.url,
      LONGRUN_DOWNLOADS: 'redirect',
    };
    api = new ProcessUnderTest(appOf('api'), environment);
    await until(
      () => api.lines.some((line) => line.startsWith('api listening at ')),
      () => api.output,
      LONG_ENOUGH_MS,
    );
    client = await connect({ state: stateFolder, environment: {} });
    token = (await readFile(join(stateFolder, 'token'), 'utf8')).trim();
    longrun = new CommandLine(stateFolder);
    objects = await openObjectStore(url, { s3: { credentials: { accessKeyId, secretAccessKey } } });
    await publish(client);
    await writeTinyMnist(join(stateFolder, 'raw', 'tiny'), { train: 20_000, test: 16, side: 8 });
    await client.datasets.submit({ name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
    const converter = new ProcessUnderTest(appOf('fuel-preproc'), environment);
    await until(
      async () => (await client.datasets.get('tiny')).status === 'ready',
      () => converter.output,
      LONG_ENOUGH_MS,
    );
    await converter.end();
    folder = await mkdtemp(join(tmpdir(), 'longrun-downloads-'));
    ({ id } = await client.experiments.submit(tinyExperiment()));
    lease = await acquireLease(objects, `experiments/${id}`, { fence: 3, holder: 'by-hand' });
    checkpoints = new CheckpointStore(objects, `experiments/${id}`, { keepLast: 2 });
    ({ files } = await commit(100, { elements: ELEMENTS, table: 'a,b\n'.repeat(ELEMENTS) }));
  });
  afterAll(async () => {
    await api.end();
    storeProxy.close();
    await redis.stop();
    await s3.stop();
    await rm(stateFolder, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  });

  let file: string;
  const servers: HttpServer[] = [];
  beforeEach(() => {
    file = join(folder, `${randomUUID()}.safetensors`);
    asked.length = 0;
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    expect(faults).toEqual([]);
    // A URL is a key to the file, and the token one to everything.
    expect(api.output).not.toContain('X-Amz-Signature');
    for (const { url, headers } of asked) {
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/authorization|cookie/)]));
      expect(JSON.stringify([url, headers])).not.toContain(token);
    }
  });

  const commit = async (
    step: number,
    contents: { readonly elements?: number; readonly table?: string } = {},
  ): Promise<Manifest> => await commitCheckpoint(step, { lease, checkpoints, folder, ...contents });

  const get = async (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> =>
    await fetch(`${client.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, cookie: 'longrun=a', ...headers },
      redirect: 'manual',
    });

  test('what is large is named with its SHA-256, for a while, and what is asked of less is answered by the API', async () => {
    const { result } = await client.datasets.get('tiny');
    const [parameters, , table] = files;
    for (const [path, name, facts] of [
      [`/v1/experiments/${id}/parameters`, 'parameters.safetensors', parameters],
      [`/v1/experiments/${id}/outputs/table.csv`, 'table.csv', table],
      [`/v1/experiments/${id}/checkpoints/100/files/parameters.safetensors`, 'parameters.safetensors', parameters],
      ['/v1/datasets/tiny/file', 'tiny.hdf5', result],
    ] as const) {
      const { sha256 = '', sizeBytes = 0 } = facts ?? {};
      const answer = await get(path);
      expect(answer.status).toBe(307);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        etag: `"${sha256}"`,
        'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
        'cache-control': 'no-store',
      });
      const url = answer.headers.get('location') ?? '';
      expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('600');
      const fetched = await fetch(url);
      expect(fetched.headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
      expect(sha256Of(Buffer.from(await fetched.arrayBuffer()))).toBe(sha256);
      const tail = await fetch(url, { headers: { range: 'bytes=1000000-' } });
      expect([tail.status, (await tail.arrayBuffer()).byteLength]).toEqual([206, sizeBytes - 1_000_000]);

      const head = await get(path, {}, 'HEAD');
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(sizeBytes)]);
      expect((await get(path, { range: 'bytes=0-1048575' })).status).toBe(307);
      const part = await get(path, { range: 'bytes=0-1048574' });
      expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 1_048_575]);
      expect((await get(path, { range: `bytes=${sizeBytes}-` })).status).toBe(416);
      expect((await get(path, { 'if-none-match': `"${sha256}"` })).status).toBe(304);
      expect((await get(path, { 'if-range': `"${sha256}"`, range: 'bytes=5-' })).status).toBe(307);
      // The store would give a part of what is another file by now.
      const other = await get(path, { 'if-range': `"${'0'.repeat(64)}"`, range: 'bytes=5-' });
      expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, sizeBytes]);
    }
    expect((await get(`/v1/experiments/${id}/checkpoints/100/files/state.json`)).status).toBe(200);
  });

  test('download follows to the store, and goes on by another URL where the connection broke or one was refused', async () => {
    faults.push(
      () => ({ cutAfterBytes: 300_000 }),
      // The store itself refuses what was signed otherwise, as it does what has expired.
      ({ url = '' }) => ({ path: url.replace('X-Amz-Expires=600', 'X-Amz-Expires=601') }),
    );
    expect(await longrun.run('download', id, '-o', file)).toMatchObject({ code: 0, stderr: '' });
    // Compared value by value it would take a minute.
    expect(Buffer.compare(await readFile(file), parametersAt(100, ELEMENTS))).toBe(0);
    const last = parametersAt(100, ELEMENTS).byteLength - 1;
    const ranges = asked.map(({ headers }) => headers.range);
    expect(ranges).toEqual([`bytes=0-${last}`, expect.stringMatching(/^bytes=[1-9]\d+-\d+$/), ranges[1]]);

    const dataset = join(folder, 'tiny.hdf5');
    expect(await longrun.run('download', 'tiny', '-o', dataset)).toMatchObject({ code: 0, stderr: '' });
    expect(sha256Of(await readFile(dataset))).toBe((await client.datasets.get('tiny')).result?.sha256);
    expect(asked).toHaveLength(4);
  });

  test('what the store refuses each time is said without the URL', async () => {
    for (let times = 0; times < 4; times += 1) {
      faults.push(({ url = '' }) => ({ path: url.replace('X-Amz-Expires=600', 'X-Amz-Expires=601') }));
    }
    const refused = await longrun.run('download', id, '-o', file);
    expectSentence(refused, 'did not take the URL that the API at');
    expect(refused.stderr).toContain('(403 SignatureDoesNotMatch)');
    expect(refused.stderr).toContain(`the object store at ${storeProxy.url} `);
  });

  test('a store that is not reached from here is said with what to set', async () => {
    const closed = `http://127.0.0.1:${await freePort()}`;
    const elsewhere = await through((headers) => ({
      ...headers,
      ...(headers.location !== undefined && {
        location: headers.location.replace(storeProxy.url, closed),
      }),
    }));
    const failed = await longrun.runWith(elsewhere, 'download', id, '-o', file);
    expectSentence(failed, `object store at ${closed}, which cannot be reached from here (ECONNREFUSED)`);
    expect(failed.stderr).toContain('LONGRUN_DOWNLOADS=stream');
  });

  test('another place that no API has named is not gone to', async () => {
    let visits = 0;
    const place = await serve((_request, response) => {
      visits += 1;
      response.end();
    });
    servers.push(place);
    const stranger = await serve((_request, response) => response.writeHead(302, { location: place.url }).end());
    servers.push(stranger);
    const opened = new Client({ url: stranger.url, token }).files.open('/v1/datasets/tiny/file', { start: 0 });
    await expect(opened).rejects.toThrow(NotLongrun);
    await expect(opened).rejects.toThrow('give the last address of the API itself');
    expect(visits).toBe(0);
  });

  test('a checkpoint is held by one hold for as long as its URLs can be asked and be read, and no commit removes it', async () => {
    const path = `/v1/experiments/${id}/parameters?checkpoint=100`;
    const url = (await get(path)).headers.get('location') ?? '';
    const holds = async () => (await client.checkpoints.list(id)).items.find(({ step }) => step === 100)?.holds;
    const [hold, ...others] = (await holds()) ?? [];
    expect([hold?.name, others]).toEqual(['download by URL', []]);
    const untilMs = Date.parse(hold?.until ?? '');
    expect(untilMs).toBeGreaterThan(Date.now() + 4_200_000);
    await Promise.all(Array.from({ length: 8 }, () => get(path)));
    expect(await holds()).toEqual([hold]);
    for (const step of [200, 300, 400]) await commit(step);
    expect((await client.checkpoints.list(id)).items.map(({ step }) => step)).toEqual([400, 300, 100]);
    expect(sha256Of(Buffer.from(await (await fetch(url)).arrayBuffer()))).toBe(files[0]?.sha256);
  });

  test('bytes that are damaged in the store are found by the SHA-256 of the API', async () => {
    const [damaged] = files;
    if (damaged === undefined) throw new Error('the checkpoint has no files');
    await objects.put(damaged.blobKey, new Uint8Array(damaged.sizeBytes));
    expectSentence(await longrun.run('download', id, '--checkpoint', '100', '-o', file), 'it is damaged there');
  });

  /** The environment of commands that reach the API by way of a server that gives other headers. */
  async function through(answered: Forwarding['answered'] & {}): Promise<Readonly<Record<string, string>>> {
    const server = await serve((request, response) => forward(request, response, client.url, { answered }));
    servers.push(server);
    return { LONGRUN_URL: server.url, LONGRUN_TOKEN: token };
  }
});

function expectSentence({ code, stdout, stderr }: Finished, says: string): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).not.toMatch(/X-Amz|^ +at /m);
}

function appOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}/dist/bundle/main.js`, import.meta.url));
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
