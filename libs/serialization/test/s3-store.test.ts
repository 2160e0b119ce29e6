import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';

import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { sha256Of } from '../src/sha256.js';
import type { WrittenFile } from '../src/durable-file.js';
import {
  ContentMismatch,
  DeletionFailed,
  type ObjectBody,
  ObjectExists,
  PreconditionFailed,
  StoreUnfit,
} from '../src/store/object-store.js';
import { openObjectStore } from '../src/store/open-object-store.js';
import { s3Location } from '../src/store/s3/s3-location.js';
import { S3Failed } from '../src/store/s3/s3-requests.js';
import { S3Store, type S3StoreOptions } from '../src/store/s3/s3-store.js';
import { FaultyProxy } from './faulty-proxy.js';
import { testContract } from './object-store-contract.js';
import { S3Server, WITHOUT_S3 } from './s3-server.js';

const PATIENCE = { attempts: 5, silentMs: 60_000, pauseMs: 5 };
const PART_BYTES = 8 << 20;

const given = WITHOUT_S3 === undefined ? describe : describe.skip;

given(`on a real S3${WITHOUT_S3 === undefined ? '' : `: ${WITHOUT_S3}`}`, () => {
  let server: S3Server;
  let proxy: FaultyProxy;
  let common: { readonly store: S3Store; readonly other: S3Store };

  beforeAll(async () => {
    server = await S3Server.ofProcess();
    proxy = await FaultyProxy.before(server.access.endpoint);
    common = await newStores(PATIENCE);
  });
  afterEach(async () => {
    proxy.checkAllFired();
    await common.other.delete(await keys(common.other));
  });
  afterAll(async () => {
    await proxy.close();
  });

  describe('the contract of object stores', () => {
    testContract({
      open: async () => {
        const place = server.emptyPlace();
        const [store, another] = [new S3Store(place), new S3Store(place)];
        await store.probe();
        await another.probe();
        return { store, another };
      },
      largeBytes: PART_BYTES + 1_000_001,
    });
  });

  /** A store whose requests pass through the proxy, and one on the same objects whose do not. */
  async function stores(options?: S3StoreOptions): Promise<{ store: S3Store; other: S3Store }> {
    const both = options === undefined ? common : await newStores(options);
    proxy.requests.length = 0;
    proxy.answered.length = 0;
    proxy.conditions.length = 0;
    return both;
  }

  async function newStores(options: S3StoreOptions): Promise<{ store: S3Store; other: S3Store }> {
    const direct = server.emptyPlace();
    const store = new S3Store({ ...direct, endpoint: proxy.endpoint }, options);
    const other = new S3Store(direct);
    await store.probe();
    await other.probe();
    return { store, other };
  }

  function newClient(): S3Client {
    const { endpoint, region, accessKeyId, secretAccessKey } = server.access;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    onTestFinished(() => client.destroy());
    return client;
  }

  test('a store is opened by its URL, which says where the server is', async () => {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = server.access;
    const url = `s3://${bucket}/test/by-url?endpoint=${endpoint}`;
    const notes: string[] = [];
    const store = await openObjectStore(url, {
      s3: { credentials: { accessKeyId, secretAccessKey } },
      onNote: (sentence) => notes.push(sentence),
    });
    expect(store.url).toBe(url);
    await store.put('x', text('x'));
    expect(await store.get('x')).toEqual(text('x'));
    expect(notes.length).toBeLessThanOrEqual(1);
    expect(notes.join()).toMatch(/^$|checks no SHA-256 of what it is sent/u);
  });

  test('what cannot be used is refused with the reason, and keys are in no error', async () => {
    const place = server.emptyPlace();
    const wrong = { accessKeyId: 'nobody', secretAccessKey: 'a-secret-that-nobody-sees' };
    for (const [other, reason] of [
      [{ bucket: 'no-such-bucket' }, 'NoSuchBucket'],
      [{ credentials: wrong }, 'look at the credentials'],
      [{ endpoint: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
    ] as const) {
      const failure = await new S3Store({ ...place, ...other }, PATIENCE).probe().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StoreUnfit);
      expect(String(failure)).toContain(reason);
      const shown = inspect(failure, { depth: 20, showHidden: true });
      for (const secret of [wrong.secretAccessKey, server.access.secretAccessKey]) expect(shown).not.toContain(secret);
    }
  });

  test.each([
    ['replaces what was to be written only if absent', { skip: 1 }, 'If-None-Match'],
    ['replaces what has another version', { skip: 2 }, 'If-Match'],
  ])('a server that %s is unfit', async (_, { skip }, reason) => {
    const store = new S3Store({ ...server.emptyPlace(), endpoint: proxy.endpoint }, PATIENCE);
    let puts = 0;
    proxy.failNext({ on: 'PUT', what: 'lie', isDue: () => (puts += 1) > skip });
    await expect(store.probe()).rejects.toThrow(reason);
  });

  test('lists and deletions of more than one request are whole', async () => {
    const { store } = await stores({ ...PATIENCE, mostKeys: 2 });
    const wanted = ['a', 'b', 'c', 'd', 'e'];
    for (const key of wanted) await store.put(key, text(key));
    expect(await keys(store)).toEqual(wanted);
    proxy.requests.length = 0;
    await store.delete(wanted);
    expect(proxy.requests).toHaveLength(5);
    expect(await keys(store)).toEqual([]);
  });

  test('a deletion of which a request fails names what is left', async () => {
    const { store } = await stores({ ...PATIENCE, mostKeys: 2 });
    for (const key of ['a', 'b', 'c']) await store.put(key, text(key));
    proxy.failNext({ on: 'POST ?delete', what: [403, 'AccessDenied'] });
    const failure = await store.delete(['a', 'b', 'c']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DeletionFailed);
    expect(new Set((failure as DeletionFailed).failed.map(({ key }) => key))).toEqual(new Set(['a']));
    expect(await keys(store)).toEqual(['a']);
  });

  test('anybody can fetch what a download URL was made for, and nothing by one that was changed', async () => {
    const { other } = await stores();
    await other.put('a', text('for you'));
    await other.put('b', text('not for you'));
    const url = (await other.downloadUrl('a', { validMs: 60_000 })) ?? '';
    expect(await (await fetch(url)).text()).toBe('for you');
    expect((await fetch(url.replace('/a?', '/b?'))).status).toBe(403);
    await expect(other.downloadUrl('a', { validMs: 10 * 24 * 3_600_000 })).rejects.toThrow(
      'validMs is 864000000; give',
    );
  });

  const passing = [
    ['500', [500, 'InternalError']],
    ['503', [503, 'SlowDown']],
    ['429', [429, 'TooManyRequests']],
    ['a connection that is cut', 'refuse'],
    ['an answer that is lost', 'lose'],
  ] as const;

  test('what is sent tells with each slice of it that it moves', async () => {
    const { store } = await stores();
    for (const [key, on, sizeBytes] of [
      ['one', 'PUT', 1_000_000],
      ['parts', 'PUT partNumber=1', PART_BYTES + 1_000],
    ] as const) {
      let moved = 0;
      let movedAtAnswer = 0;
      proxy.failNext({ on, what: 'slow', meanwhile: async () => (movedAtAnswer = moved) });
      await store.put(key, randomBytes(sizeBytes), { onMoved: () => (moved += 1) });
      expect(movedAtAnswer).toBeGreaterThan(9);
    }
  });

  test('a probe of which an answer is lost takes what it has written for written', async () => {
    const place = { ...server.emptyPlace(), endpoint: proxy.endpoint };
    const client = newClient();
    proxy.conditions.length = 0;
    let put = 0;
    proxy.failNext({
      on: 'PUT',
      what: [500, 'InternalError'],
      isDue: () => (put += 1) === 4,
      meanwhile: async () => {
        const asked = proxy.requests.at(-1)?.split(/[ ?]/u)[1] ?? '';
        const Key = asked.slice(`/${place.bucket}/`.length);
        await client.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: 'second' }));
      },
    });
    await new S3Store(place, PATIENCE).probe();
    expect(proxy.conditions.length).toBeGreaterThan(2);
    // Nor does it try another way to name a version.
    expect(proxy.conditions.filter((condition) => !condition.startsWith('"'))).toEqual([]);
  });

  test.each([
    [403, 'RequestTimeTooSkewed'],
    [408, 'RequestTimeout'],
    [409, 'AnyConflict'],
  ])('%i %s passes', async (status, code) => {
    const { store } = await stores();
    proxy.failNext({ on: 'PUT', what: [status, code] });
    await store.put('x', text('x'), { ifAbsent: true });
    proxy.failNext({ on: 'PUT', what: [status, code] });
    await store.compareAndSet('r', null, text('1'));
  });

  test('a server that answers a range with something else is not believed', async () => {
    const { store, other } = await stores();
    const bytes = randomBytes(300_000);
    await other.put('x', bytes);
    proxy.failNext({ on: 'GET', what: 'cut' });
    proxy.failNext({ on: 'GET', what: [200, ''] });
    await expect(store.get('x')).rejects.toThrow('see what it does with Range');
  });

  test('an object that others replace at once is not written again and again', async () => {
    const { store, other } = await stores();
    let round = 0;
    const replace = async (): Promise<unknown> => await other.put('x', text(`by another ${(round += 1)}`));
    proxy.failNext({ on: 'PUT', what: 'slow', times: 2, meanwhile: replace });
    await store.put('x', text('mine'));
    expect(proxy.requests.filter((asked) => asked.startsWith('PUT'))).toHaveLength(2);
    expect(await other.get('x')).toEqual(text('by another 2'));
  });

  test('an object that another removes before it was looked at is written again, and not said to be absent', async () => {
    const { store, other } = await stores();
    for (const options of [{}, { ifAbsent: true }]) {
      proxy.failNext({ on: 'HEAD', what: 'slow', meanwhile: async () => await other.delete(['x']) });
      await store.put('x', text('mine'), options);
      expect(await other.get('x')).toEqual(text('mine'));
      await other.delete(['x']);
    }
  });

  test.each(passing)('%s is no failure of any operation', async (_, what) => {
    const { store, other } = await stores();
    const fail = (on: string): void => proxy.failNext({ on, what, times: 2 });
    fail('PUT');
    await store.put('x', text('x'));
    fail('HEAD');
    await store.put('y', text('y'), { ifAbsent: true });
    fail('PUT');
    await store.put('z', text('z'), { ifAbsent: true });
    fail('GET');
    expect(await store.get('x')).toEqual(text('x'));
    fail('GET');
    expect(await keys(store)).toEqual(['x', 'y', 'z']);
    fail('PUT');
    const first = await store.compareAndSet('r', null, text('1'));
    fail('PUT');
    fail('GET');
    const second = await store.compareAndSet('r', first, text('2'));
    expect(await other.readRegister('r')).toEqual({ bytes: text('2'), version: second });
    fail('POST');
    await store.delete(['x', 'y', 'z', 'r']);
    expect(await keys(other)).toEqual([]);
  });

  test('a server that never answers is asked again, and given up with its silence named', async () => {
    const direct = server.emptyPlace();
    const place = { ...direct, endpoint: proxy.endpoint };
    const bytes = randomBytes(200_000);
    await new S3Store(direct).put('x', bytes);
    const store = new S3Store(place, { attempts: 30, silentMs: 1_000, pauseMs: 5 });
    proxy.failNext({ on: 'GET', what: 'hang' });
    proxy.failNext({ on: 'GET', what: 'stall', isDue: () => proxy.answered.length > 0 || proxy.requests.length > 1 });
    expect(sha256Of((await store.get('x')) ?? text(''))).toBe(sha256Of(bytes));
    const hurried = new S3Store(place, { attempts: 2, silentMs: 1_000, pauseMs: 5 });
    proxy.failNext({ on: 'GET', what: 'hang', times: 2 });
    await expect(hurried.get('x')).rejects.toThrow('ETIMEDOUT nothing has moved for 1 s, asked 2 times');
  });

  test('what a server refuses is not asked again', async () => {
    const { store } = await stores();
    proxy.failNext({ on: 'PUT', what: [403, 'AccessDenied'] });
    await expect(store.put('x', text('x'))).rejects.toThrow(S3Failed);
    expect(proxy.requests).toHaveLength(1);
  });

  test('another write in flight is waited for', async () => {
    const { store } = await stores();
    proxy.failNext({ on: 'PUT', what: [409, 'ConditionalRequestConflict'], times: 2 });
    const first = await store.compareAndSet('r', null, text('1'));
    expect(await store.readRegister('r')).toEqual({ bytes: text('1'), version: first });
    proxy.failNext({ on: 'PUT', what: [409, 'ConditionalRequestConflict'], times: 2 });
    await store.put('x', text('x'), { ifAbsent: true });
  });

  test('a refusal without a lost answer is another’s write', async () => {
    const { store, other } = await stores();
    proxy.failNext({ on: 'PUT', what: [412, 'PreconditionFailed'], meanwhile: async () => await setAgain(other, 1) });
    await expect(store.compareAndSet('r', null, text('1'))).rejects.toThrow(PreconditionFailed);
    proxy.failNext({ on: 'PUT', what: [412, 'PreconditionFailed'] });
    await expect(store.put('x', text('x'), { ifAbsent: true })).rejects.toThrow(ObjectExists);
  });

  test('a server that refuses to replace what is there as expected is named, and is no other’s write', async () => {
    const { store } = await stores();
    for (const expected of [null, await store.compareAndSet('q', null, text('1'))]) {
      proxy.failNext({ on: 'PUT', what: [412, 'PreconditionFailed'] });
      const key = expected === null ? 'r' : 'q';
      const failure = await store.compareAndSet(key, expected, text('2')).catch((error: unknown) => error);
      expect(failure).not.toBeInstanceOf(PreconditionFailed);
      expect(String(failure)).toContain(`the server refuses to set register ${key}`);
    }
  });

  test.each([1, 3, 7])(
    'a value that was set, and replaced by %i others before its answer was lost, was set',
    async (count) => {
      const { store, other } = await stores();
      const first = await store.compareAndSet('r', null, text('1'));
      proxy.failNext({ on: 'PUT', what: 'lose', meanwhile: async () => await setAgain(other, count) });
      const mine = await store.compareAndSet('r', first, text('mine'));
      await expect(store.compareAndSet('r', mine, text('late'))).rejects.toThrow(PreconditionFailed);
      expect(await other.readRegister('r')).toMatchObject({ bytes: text(`by another ${count}`) });
    },
  );

  test.each([1, 3, 7])(
    'a value that was not set, and others were while its answer was awaited, was not set',
    async (count) => {
      const { store, other } = await stores();
      const first = await store.compareAndSet('r', null, text('1'));
      proxy.failNext({ on: 'PUT', what: [500, 'InternalError'], meanwhile: async () => await setAgain(other, count) });
      await expect(store.compareAndSet('r', first, text('mine'))).rejects.toThrow(PreconditionFailed);
    },
  );

  test('where too many others have been set since, nothing is claimed', async () => {
    const { store, other } = await stores();
    const first = await store.compareAndSet('r', null, text('1'));
    proxy.failNext({ on: 'PUT', what: 'lose', meanwhile: async () => await setAgain(other, 12) });
    await expect(store.compareAndSet('r', first, text('mine'))).rejects.toThrow('cannot be told; read it again');
  });

  test('an object that another has put while the answer was lost is that other’s', async () => {
    const { store, other } = await stores();
    const putOther = async (): Promise<unknown> => await other.put('x', text('other'), { ifAbsent: true });
    proxy.failNext({ on: 'PUT', what: [500, 'InternalError'], meanwhile: putOther });
    await expect(store.put('x', text('mine'), { ifAbsent: true })).rejects.toThrow(ObjectExists);
    expect(await other.get('x')).toEqual(text('other'));
  });

  test('a server that says once that it has written, and has not, is not believed', async () => {
    const { store, other } = await stores();
    proxy.failNext({ on: 'PUT', what: 'lie' });
    await store.put('x', text('x'));
    expect(await other.get('x')).toEqual(text('x'));
    proxy.failNext({ on: 'PUT', what: 'lie' });
    await store.put('y', text('y'), { ifAbsent: true });
    proxy.failNext({ on: 'PUT', what: 'lie' });
    const version = await store.compareAndSet('r', null, text('1'));
    proxy.failNext({ on: 'PUT', what: 'lie' });
    await store.compareAndSet('r', version, text('2'));
    expect(await other.readRegister('r')).toMatchObject({ bytes: text('2') });
    proxy.failNext({ on: 'PUT', what: 'lie', times: 3 });
    await expect(store.put('z', text('z'))).rejects.toThrow('says that it has written z and has not, 3 times');
  });

  test('an answer that breaks off is gone on with where it has ended, of the same object', async () => {
    const { store, other } = await stores();
    const bytes = randomBytes(1_000_000);
    await other.put('x', bytes);
    proxy.failNext({ on: 'GET', what: 'cut', times: 2 });
    expect(sha256Of((await store.get('x')) ?? text(''))).toBe(sha256Of(bytes));
    proxy.failNext({ on: 'GET', what: 'slow' });
    expect(sha256Of((await store.get('x', { range: { start: 1, end: 900_000 } })) ?? text(''))).toBe(
      sha256Of(bytes.subarray(1, 900_000)),
    );
    proxy.failNext({ on: 'GET', what: 'cut', meanwhile: async () => await other.put('x', randomBytes(1_000_000)) });
    await expect(store.get('x')).rejects.toThrow('object x in s3:');
    await expect(store.get('x')).resolves.toHaveLength(1_000_000);
  });

  test('a large object goes through whatever happens to its parts and to their completion', async () => {
    const { store, other } = await stores();
    const bytes = randomBytes(2 * PART_BYTES + 1_000);
    proxy.failNext({ on: 'POST ?uploads', what: 'refuse' });
    proxy.failNext({ on: 'PUT partNumber=1', what: [503, 'SlowDown'] });
    proxy.failNext({ on: 'PUT partNumber=2', what: 'refuse' });
    proxy.failNext({ on: 'PUT partNumber=3', what: 'lose' });
    proxy.failNext({ on: 'POST ?uploadId', what: 'lose' });
    expect(await store.put('x', bytes)).toEqual({ sha256: sha256Of(bytes), sizeBytes: bytes.byteLength });
    expect(sha256Of((await other.get('x')) ?? text(''))).toBe(sha256Of(bytes));
    proxy.failNext({ on: 'POST ?uploadId', what: 'lie' });
    await store.put('y', bytes);
    expect(await other.head('y')).toMatchObject({ sizeBytes: bytes.byteLength });
  });

  test.each([
    ['is not touched since', async () => {}],
    ['was written since, with the same bytes', async (file: string, bytes: Buffer) => await writeFile(file, bytes)],
  ])('a large file that was read before and %s is stored as what it was found to be', async (_, change) => {
    const { store, other } = await stores();
    const bytes = randomBytes(2 * PART_BYTES);
    const { body, content } = await givenFile(bytes, async (file) => await change(file, bytes));
    expect(await store.put('a/given', body, { expected: content })).toEqual(content);
    expect(sha256Of((await other.get('a/given')) ?? Buffer.alloc(0))).toBe(content.sha256);
    expect(await other.head('a/given')).toEqual(content);
  });

  test('a large file that was changed after it was read is not what it was found to be', async () => {
    const { store, other } = await stores();
    const bytes = randomBytes(2 * PART_BYTES);
    const changed = Buffer.from(bytes).fill(0, PART_BYTES + 5, PART_BYTES + 6);
    const { body, content } = await givenFile(bytes, async (file) => await writeFile(file, changed));
    await expect(store.put('a/given', body, { expected: content })).rejects.toThrow(ContentMismatch);
    expect(await other.head('a/given')).toBeUndefined();
    expect(await store.put('a/given', body)).toEqual({ sha256: sha256Of(changed), sizeBytes: changed.byteLength });
  });

  /** A file that was read, and what happened to it since. */
  async function givenFile(
    bytes: Buffer,
    change: (file: string) => Promise<void>,
  ): Promise<{ body: ObjectBody; content: WrittenFile }> {
    const folder = await mkdtemp(path.join(tmpdir(), 'given-'));
    const file = path.join(folder, 'file');
    await writeFile(file, bytes);
    const handle = await open(file);
    onTestFinished(async () => {
      await handle.close();
      await rm(folder, { recursive: true });
    });
    const content = { sha256: sha256Of(bytes), sizeBytes: bytes.byteLength };
    const { mtimeNs } = await handle.stat({ bigint: true });
    // The clock of a file system goes in steps of some milliseconds.
    await setTimeout(20);
    await change(file);
    return { body: { handle, given: { path: file, content, mtimeNs } }, content };
  }

  test('a put that failed half-way goes on with the parts that have arrived', async () => {
    const { store, other } = await stores();
    const bytes = randomBytes(2 * PART_BYTES + 1_000);
    const expected = { sha256: sha256Of(bytes), sizeBytes: bytes.byteLength };
    const isPart = (asked: string): boolean => asked.includes('partNumber=');
    const others = (): number => new Set(proxy.answered.filter(isPart)).size;
    proxy.answered.length = 0;
    proxy.failNext({
      on: 'PUT partNumber=3',
      what: [403, 'AccessDenied'],
      meanwhile: async () => await vi.waitFor(() => expect(others()).toBe(2), 60_000),
    });
    await expect(store.put('x', bytes, { expected })).rejects.toThrow('AccessDenied');
    proxy.requests.length = 0;
    await store.put('x', bytes, { expected });
    expect([...new Set(proxy.requests.filter(isPart))]).toEqual([expect.stringContaining('partNumber=3')]);
    expect(proxy.requests.some((asked) => asked.includes('?uploads'))).toBe(false);
    expect(await other.head('x')).toEqual(expected);
  });

  test('a large object that must not replace another goes in one request, made again where it fails', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 's3-store-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { store, other } = await stores();
    const bytes = randomBytes(PART_BYTES + 1_000);
    const file = path.join(folder, 'file');
    await writeFile(file, bytes);
    proxy.failNext({ on: 'PUT', what: 'refuse' });
    proxy.failNext({ on: 'PUT', what: 'lose' });
    await store.put('x', { path: file }, { ifAbsent: true });
    expect(await other.head('x')).toMatchObject({ sha256: sha256Of(bytes) });
    const stream = (async function* () {
      yield bytes;
    })();
    await store.put('y', { stream }, { ifAbsent: true });
    expect(sha256Of((await other.get('y')) ?? text(''))).toBe(sha256Of(bytes));

    // It shrinks when it is sent again.
    proxy.failNext({ on: 'PUT', what: [503, 'SlowDown'], meanwhile: async () => await truncate(file, PART_BYTES) });
    await expect(store.put('z', { path: file }, { ifAbsent: true })).rejects.toThrow('object z was to have');
    expect(await other.head('z')).toBeUndefined();
  });

  test('two puts of what has failed half-way do not go on with one upload', async () => {
    const { store, other } = await stores();
    const bytes = randomBytes(PART_BYTES + 1_000);
    const expected = { sha256: sha256Of(bytes), sizeBytes: bytes.byteLength };
    proxy.failNext({ on: 'PUT partNumber=2', what: [403, 'AccessDenied'] });
    await expect(store.put('x', bytes, { expected })).rejects.toThrow('AccessDenied');
    proxy.requests.length = 0;
    await Promise.all([store.put('x', bytes, { expected }), store.put('x', bytes, { expected })]);
    expect(proxy.requests.filter((asked) => asked.includes('?uploads'))).toHaveLength(1);
    expect(await other.head('x')).toEqual(expected);
  });

  test('what was begun is swept when it is old, and not before, and what is no object is another’s', async () => {
    const place = server.emptyPlace();
    const { bucket: Bucket, prefix } = place;
    const client = newClient();
    for (const name of ['mine', '.not mine']) {
      await client.send(new CreateMultipartUploadCommand({ Bucket, Key: `${prefix}${name}` }));
    }
    expect(await new S3Store(place).sweep()).toBe(0);
    const hasty = new S3Store(place, { abandonedMs: -3_600_000 });
    expect(await hasty.sweep()).toBe(1);
    expect(await hasty.sweep()).toBe(0);
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }));
    expect(Uploads.map(({ Key }) => Key)).toEqual([`${prefix}.not mine`]);
    const [{ Key, UploadId } = {}] = Uploads;
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  });
});

describe('where no request can be made', () => {
  beforeEach(() => {
    for (const name of Object.keys(process.env).filter((variable) => variable.startsWith('AWS_')))
      vi.stubEnv(name, undefined);
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/absent');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  });
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    ['credentials', {}, 'http://127.0.0.1:1', 'give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'],
    ['a region', { credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }, undefined, 'say where the bucket is'],
  ])('a store without %s is unfit, and what to give is said', async (_, options, endpoint, remedy) => {
    const store = new S3Store(s3Location('s3://bucket/x', { ...options, endpoint }));
    for (const probing of [store.probe(), store.probeReading()]) {
      const failure = await probing.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StoreUnfit);
      expect(String(failure)).toContain(remedy);
    }
  });

  test('one that does not answer is unfit to be read, too', async () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const location = s3Location('s3://bucket/x', { credentials, region: 'here', endpoint: 'http://127.0.0.1:1' });
    const store = new S3Store(location, { attempts: 2, pauseMs: 1 });
    await expect(store.probeReading()).rejects.toThrow(StoreUnfit);
    await expect(store.probeReading()).rejects.toThrow(/ECONNREFUSED.*asked 2 times; see that the endpoint is right/u);
  });
});

function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value));
}

async function setAgain(store: S3Store, count: number): Promise<void> {
  for (let index = 1; index <= count; index += 1) {
    const { version } = (await store.readRegister('r')) ?? { version: null };
    await store.compareAndSet('r', version, text(`by another ${index}`));
  }
}

async function keys(store: S3Store): Promise<string[]> {
  const listed: string[] = [];
  for await (const { key } of store.list('')) listed.push(key);
  return listed.toSorted();
}
