import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHILD_CHANNEL, makeDeepFolder, until } from '@longrun/platform/testing';
import { Isolation } from '@longrun/platform/worker';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Trainers, type TrainersOptions } from './trainers.js';

let folder: string;
let options: TrainersOptions;
let trainers: Trainers;
let reports: string[];

beforeEach(async () => {
  reports = [];
  folder = await mkdtemp(join(tmpdir(), 'longrun-trainers-'));
  const script = join(folder, 'trainer.mjs');
  await writeFile(
    script,
    `${CHILD_CHANNEL}
     console.log('loaded');
     hear((message) => send({ pid: process.pid, message, tunables: process.env.GLIBC_TUNABLES, compiled: process.env.LONGRUN_COMPILE_CACHE }));`,
  );
  options = {
    script,
    isolation: await Isolation.find({ user: 'worker', stateFolder: folder, code: [folder] }),
    folder,
    cacheFolder: join(folder, 'cache'),
    compiledFolder: join(folder, 'compiled'),
    memoryLimitBytes: null,
    keepsSpare: true,
    report: (sentence) => reports.push(sentence),
  };
  trainers = new Trainers(options);
});

afterEach(async () => {
  await trainers.close();
  await rm(folder, { recursive: true });
});

function listener() {
  const messages: unknown[] = [];
  const lines: string[] = [];
  return {
    messages,
    lines,
    onMessage: (message: unknown) => void messages.push(message),
    onLine: (_stream: string, text: string) => void lines.push(text),
  };
}

test('where none is to wait, each attempt starts its own', async () => {
  const without = new Trainers({ ...options, keepsSpare: false });
  await without.keepSpare();
  expect(without.sparePid).toBeUndefined();
  const place = await without.take(null);
  expect(place.loaded().pid).toBeGreaterThan(0);
  await place.close();
});

test('the trainer that waits is taken once, and what it said before is told to the one who took it', async () => {
  await Promise.all([trainers.keepSpare(), trainers.keepSpare()]);
  const spare = trainers.sparePid;
  const [first, second] = [listener(), listener()];
  const places = [await trainers.take(null), await trainers.take(null)] as const;
  const [taken, other] = [places[0].start(first), places[1].start(second)];
  expect(taken.pid).toBe(spare);
  expect(trainers.sparePid).toBe(undefined);
  expect(other.pid).not.toBe(spare);
  taken.send({ train: 1 });
  other.send({ train: 2 });
  await until(() => first.messages.length === 1 && second.messages.length === 1);
  await until(() => first.lines.length === 1 && second.lines.length === 1);
  expect(first).toMatchObject({ messages: [{ pid: spare, message: { train: 1 } }], lines: ['loaded'] });
  expect(second).toMatchObject({ messages: [{ pid: other.pid, message: { train: 2 } }], lines: ['loaded'] });
  for (const place of places) await place.close();
  expect(await readdir(folder)).toEqual(['cache', 'trainer.mjs']);
});

/** What a trainer says of itself. */
async function said(from = trainers): Promise<unknown> {
  const heard = listener();
  const place = await from.take(null);
  place.start(heard).send({});
  await until(() => heard.messages.length === 1);
  await place.close();
  return heard.messages[0];
}

test('a trainer allocates memory as is fast for training, unless the environment of the worker says how', async () => {
  expect(await said()).toMatchObject({ tunables: 'glibc.malloc.hugetlb=1' });
  vi.stubEnv('GLIBC_TUNABLES', 'glibc.malloc.hugetlb=0');
  expect(await said()).toMatchObject({ tunables: 'glibc.malloc.hugetlb=0' });
  vi.unstubAllEnvs();
});

test('what trainers compile is kept for those who are the worker, and not where all programs are another user', async () => {
  expect(await said()).toMatchObject({ compiled: join(folder, 'compiled') });
  const { isolation } = options;
  const ofAnother = {
    user: { uid: 1, gid: 1 },
    prepare: isolation.prepare.bind(isolation),
    share: isolation.share.bind(isolation),
  };
  expect(
    await said(new Trainers({ ...options, isolation: ofAnother, folder: join(folder, 'other') })),
  ).not.toHaveProperty('compiled');
});

test('one that ended while it waited is not used: the attempt gets another', async () => {
  await trainers.keepSpare();
  const dead = trainers.sparePid;
  expect(dead).toBeDefined();
  process.kill(dead ?? 0, 'SIGKILL');
  await until(() => trainers.sparePid === undefined);
  const heard = listener();
  const place = await trainers.take(null);
  const trainer = place.start(heard);
  expect(trainer.pid).not.toBe(dead);
  trainer.send({ train: 1 });
  await until(() => heard.messages.length === 1);
  await place.close();
});

test('nothing waits beside the trainer of an attempt, which could do harm to a process of its user', async () => {
  await trainers.keepSpare();
  const place = await trainers.take(2 ** 30);
  expect(trainers.sparePid).toBe(undefined);
  expect(await readdir(folder)).toEqual(['cache', 'trainer-2', 'trainer.mjs']);
  place.start(listener());
  await trainers.keepSpare();
  expect(trainers.sparePid).toBe(undefined);

  await place.close();
  await trainers.keepSpare();
  expect(trainers.sparePid).toBeDefined();
});

test('a trainer whose folders are too deep to delete by their path leaves nothing behind', async () => {
  const place = await trainers.take(null);
  makeDeepFolder(place.workFolder);
  await place.close();
  expect(await readdir(folder)).toEqual(['cache', 'trainer.mjs']);
  expect(reports).toEqual([]);
});
