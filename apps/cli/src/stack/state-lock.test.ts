import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { identify } from '@longrun/platform/processes';
import { pidOf } from '@longrun/platform/testing';
import { StateFolderInUse, StateLock } from './state-lock.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-lock-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('a folder is held by one at a time, and can be taken again when it was given back', async () => {
  const first = await StateLock.take(folder);
  const refusal = await StateLock.take(folder).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StateFolderInUse);
  expect(String(refusal)).toContain(`process ${process.pid}`);

  await first.release();
  const second = await StateLock.take(folder);
  expect(second.leftovers).toEqual({});
  await second.release();
  expect(await readdir(folder)).toEqual(['lock']);
});

test('the claim of a process that died is taken over, with the services it left', async () => {
  const left = { redis: { pid: 4_000_000, started: '1' } };
  await claimOf({ pid: await pidOfTheDead(), started: '12345' }, left);
  const lock = await StateLock.take(folder);
  expect(lock.leftovers).toEqual(left);
  await lock.release();
});

test('a claim whose process number was given to another process is taken over', async () => {
  await claimOf({ pid: process.pid, started: 'long ago' }, {});
  await (await StateLock.take(folder)).release();
});

test('of many who find a dead claim at once, one takes the folder, with what the dead left', async () => {
  const left = { redis: { pid: 4_000_000, started: '1' } };
  const dead = { pid: await pidOfTheDead(), started: '12345' };
  for (let round = 0; round < 100; round += 1) {
    await claimOf(dead, left);
    const takes = await Promise.allSettled(Array.from({ length: 20 }, () => StateLock.take(folder)));
    const locks = takes.flatMap((take) => (take.status === 'fulfilled' ? [take.value] : []));
    expect(locks.map((lock) => lock.leftovers)).toEqual([left]);
    const refusals = takes.flatMap((take): unknown[] => (take.status === 'rejected' ? [take.reason] : []));
    expect(refusals.every((refusal) => refusal instanceof StateFolderInUse)).toBe(true);
    await locks[0]?.release();
  }
});

test('the claim of a living process of a build that had no other lock stands', async () => {
  const holder = await identify(process.pid);
  if (holder === undefined) throw new Error('this process is not found');
  await claimOf(holder, {});
  await expect(StateLock.take(folder)).rejects.toThrow(`process ${process.pid}`);
  expect(await recorded()).toEqual({});
});

test('what the dead left is left to the next one too, if who found it dies before it was stopped', async () => {
  const left = { redis: { pid: 4_000_000, started: '1' }, api: { pid: 4_000_001, started: '1' } };
  await claimOf({ pid: await pidOfTheDead(), started: '12345' }, left);
  const lock = await StateLock.take(folder);
  expect(await recorded()).toEqual(left);
  const redis = { pid: 5, started: '2' };
  await lock.record('redis', redis);
  expect(await recorded()).toEqual({ ...left, redis });
  await lock.release();
});

test('a damaged claim does not shut anyone out', async () => {
  await writeFile(join(folder, 'up.json'), '{"version": 1, "hol');
  await (await StateLock.take(folder)).release();
});

test('services are kept as they change', async () => {
  const lock = await StateLock.take(folder);
  await lock.record('api', { pid: 1, started: 'a' });
  await lock.record('api', { pid: 2, started: 'b' });
  await lock.record('redis', { pid: 3, started: 'c' });
  await expect(StateLock.take(folder)).rejects.toThrow(StateFolderInUse);
  await lock.release();
});

test('of services that are recorded at once, none is lost', async () => {
  const lock = await StateLock.take(folder);
  const names = ['redis', 'api', 'fuel-preproc', 'worker-gpu', 'worker-gpu-2'];
  for (let round = 0; round < 200; round += 1) {
    const services = names.map((name, at) => [name, { pid: round * names.length + at, started: 'a' }] as const);
    await Promise.all(services.map(([name, identity]) => lock.record(name, identity)));
    expect(await recorded()).toEqual(Object.fromEntries(services));
  }
  await lock.release();
});

test('a folder that is given back while a service is recorded stays given back', async () => {
  const lock = await StateLock.take(folder);
  await Promise.all([lock.record('api', { pid: 1, started: 'a' }), lock.release()]);
  expect(await readdir(folder)).toEqual(['lock']);
});

test('what could not be recorded is recorded with the next service, and no draft of it stays', async () => {
  const lock = await StateLock.take(folder);
  const file = join(folder, 'up.json');
  await rm(file);
  await mkdir(file);
  await expect(lock.record('api', { pid: 1, started: 'a' })).rejects.toThrow('EISDIR');
  expect((await readdir(folder)).toSorted()).toEqual(['lock', 'up.json']);
  await rm(file, { recursive: true });
  await lock.record('redis', { pid: 2, started: 'b' });
  expect(await recorded()).toEqual({ api: { pid: 1, started: 'a' }, redis: { pid: 2, started: 'b' } });
  await lock.release();
});

async function recorded(): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, 'up.json'), 'utf8')).services;
}

function claimOf(holder: { pid: number; started: string }, services: object): Promise<void> {
  return writeFile(join(folder, 'up.json'), JSON.stringify({ version: 1, holder, services }));
}

function pidOfTheDead(): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', '']);
    child.on('exit', () => resolve(pidOf(child)));
  });
}
