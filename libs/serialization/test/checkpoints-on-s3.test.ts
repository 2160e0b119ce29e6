import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';

import { newestManifest, type ObjectStore, openObjectStore } from '../src/index.js';
import { S3Store, type S3StoreOptions } from '../src/store/s3/s3-store.js';
import { FaultyProxy, type ProxyFault } from './faulty-proxy.js';
import { S3Server, WITHOUT_S3 } from './s3-server.js';
import { expectNewest, testWorkers, Worker } from './workers-on-a-store.js';

const PREFIX = 'experiments/exp_1';
const DAY_MS = 24 * 3_600_000;
/** Silence of a second is the server's, and no other's: nothing else takes as long as that many attempts. */
const PATIENCE = { attempts: 30, silentMs: 1_000, pauseMs: 5 };

/** What a server, or the way to it, does to one request, and a commit or a restore does not even notice. */
const PASSING: readonly ProxyFault['what'][] = [
  [500, 'InternalError'],
  [503, 'SlowDown'],
  [409, 'ConditionalRequestConflict'],
  'refuse',
  'lose',
  'cut',
  'slow',
  'lie',
];
const ONLY_OF_WRITING: ReadonlySet<ProxyFault['what']> = new Set([PASSING[2] ?? 'lie', 'lie'] as const);

/** What a commit fails for, and how often it has to happen. */
const REFUSALS = [
  { what: [412, 'PreconditionFailed'], times: 1, on: ['PUT head.json'] },
  { what: [403, 'AccessDenied'], times: 1, on: ['PUT /blobs/', 'PUT head.json'] },
  { what: [500, 'InternalError'], times: 2, on: ['PUT /blobs/', 'PUT /log/', 'PUT /checkpoints/', 'PUT head.json'] },
] as const;

const given = WITHOUT_S3 === undefined ? describe : describe.skip;

given(`checkpoints on a real S3${WITHOUT_S3 === undefined ? '' : `: ${WITHOUT_S3}`}`, () => {
  let server: S3Server;
  let proxy: FaultyProxy;

  beforeAll(async () => {
    server = await S3Server.ofProcess();
    proxy = await FaultyProxy.before(server.access.endpoint);
  });
  afterEach(() => proxy.checkAllFired());
  afterAll(async () => {
    await proxy.close();
  });

  describe('workers', () => {
    testWorkers({
      open: async () => {
        const { bucket, endpoint, accessKeyId, secretAccessKey, region } = server.access;
        const place = server.emptyPlace();
        const url = `s3://${bucket}/${place.prefix.replace(/\/$/u, '')}?endpoint=${endpoint}&region=${region}`;
        const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
        const store = await openObjectStore(url, { s3: { credentials: { accessKeyId, secretAccessKey } } });
        return { url, store, environment };
      },
      passages: [2],
      sleeps: ['commit.manifest-written', 'commit.head-swapped'],
    });
  });

  test('whatever passes, at any request of a commit, costs nothing', async () => {
    const { faulty, direct, folder } = await places();
    const worker = await Worker.start(faulty, 1, folder);
    for (const step of [1, 2]) await worker.commit(step);
    let step = 3;
    const puts = await requestsOf('PUT', async () => await worker.commit(step));
    // The file that changes, two copies of the rows, manifest and head.
    expect(puts).toBe(5);
    for (const [index, what] of PASSING.entries()) {
      // That of the head, and another.
      for (const put of [puts, 1 + (index % (puts - 1))]) {
        failAt('PUT', put, what);
        await worker.commit((step += 1));
        proxy.checkAllFired();
        expect((await newestManifest(direct, PREFIX))?.step).toBe(step);
      }
      await worker.checkpoints.settled();
      await expectNewest(direct, folder, step);
    }
  });

  test('whatever passes, at any request of a restore, costs nothing', async () => {
    const { faulty, direct, folder } = await places();
    const worker = await Worker.start(direct, 1, folder);
    for (const step of [1, 2]) await worker.commit(step);
    await worker.checkpoints.settled();
    const gets = await requestsOf('GET', async () => await expectNewest(faulty, folder, 2));
    // Head, manifest and files, and for the rows head, manifest and segments.
    expect(gets).toBeGreaterThanOrEqual(6);
    const passing = PASSING.filter((what) => !ONLY_OF_WRITING.has(what));
    for (let time = 0; time < 2 * gets; time += 1) {
      // Each request fares ill in two ways, and each way is that of several requests.
      failAt('GET', 1 + (time % gets), passing[(time + Math.floor(time / gets)) % passing.length] ?? 'refuse');
      await expectNewest(faulty, folder, 2);
      proxy.checkAllFired();
    }
  });

  test('a server that falls silent in a commit, and in a restore, is asked again', async () => {
    const { faulty, direct, folder } = await places(PATIENCE);
    const worker = await Worker.start(faulty, 1, folder);
    proxy.failNext({ on: 'PUT /blobs/', what: 'hang' });
    proxy.failNext({ on: 'PUT head.json', what: 'hang' });
    await worker.commit(1);
    proxy.checkAllFired();
    await expectNewest(direct, folder, 1);
    proxy.failNext({ on: 'GET /blobs/', what: 'stall' });
    proxy.failNext({ on: 'GET head.json', what: 'hang' });
    await expectNewest(faulty, folder, 1);
  });

  test('a server that refuses, or is away, at any part of a commit leaves the last checkpoint, and is gone on with later', async () => {
    const { faulty, direct, folder } = await places({ attempts: 2, silentMs: 60_000, pauseMs: 5 });
    const worker = await Worker.start(faulty, 1, folder);
    let step = 1;
    await worker.commit(step);
    for (const { what, times, on } of REFUSALS) {
      for (const one of on) {
        proxy.failNext({ on: one, what, times });
        await expect(worker.commit(step + 1)).rejects.toThrow(what[1] === 'PreconditionFailed' ? 'refuses' : what[1]);
        proxy.checkAllFired();
        expect(worker.lease.signal.aborted).toBe(false);
        await expectNewest(direct, folder, step);
        await worker.commit((step += 1));
      }
      await worker.checkpoints.settled();
      await expectNewest(direct, folder, step);
    }
  });

  test('a clock that jumps by two days, ahead and back, keeps nobody from committing, and costs nothing', async () => {
    const { direct, folder } = await places();
    onTestFinished(() => void vi.useRealTimers());
    let step = 1;
    await (await Worker.start(direct, 1, folder)).commit(step);
    for (const [index, days] of [2, -2].entries()) {
      const worker = await Worker.start(direct, 2 + 2 * index, folder);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * DAY_MS });
      await worker.commit((step += 1));
      const next = await Worker.start(direct, 3 + 2 * index, folder);
      await next.commit((step += 1));
      await next.checkpoints.settled();
      await direct.sweep();
      vi.useRealTimers();
      await expectNewest(direct, folder, step);
    }
  });

  /** The same empty place, by way of the proxy and without it. */
  async function places(
    options: S3StoreOptions = { ...PATIENCE, silentMs: 60_000 },
  ): Promise<{ faulty: ObjectStore; direct: ObjectStore; folder: string }> {
    const folder = await mkdtemp(path.join(tmpdir(), 'checkpoints-on-s3-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const place = server.emptyPlace();
    const direct = new S3Store(place);
    const faulty = new S3Store({ ...place, endpoint: proxy.endpoint }, options);
    await direct.probe();
    await faulty.probe();
    return { faulty, direct, folder };
  }

  /** How many requests of a method something makes. */
  async function requestsOf(method: string, work: () => Promise<unknown>): Promise<number> {
    proxy.requests.length = 0;
    await work();
    return proxy.requests.filter((asked) => asked.startsWith(`${method} `)).length;
  }

  /** The nth such request from now on fares ill. */
  function failAt(on: string, nth: number, what: ProxyFault['what']): void {
    let count = 0;
    proxy.failNext({ on, what, isDue: () => (count += 1) === nth });
  }
});
