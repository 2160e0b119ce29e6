import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { FolderLock } from './folder-lock.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-lock-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a folder has one owner, and who comes second is told its pid', async () => {
  const lock = await FolderLock.take(folder);
  await expect(FolderLock.take(folder)).rejects.toThrow(`in use by process ${process.pid}`);
  await lock.release();
  const next = await FolderLock.take(folder);
  await next.release();
});

test('of many who come at once one gets it, again and again', async () => {
  for (let round = 0; round < 20; round += 1) {
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.take(folder)));
    const winners = takers.filter((taker) => taker.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    await winners[0]?.value.release();
  }
  // One file says that it is free; the others were collected.
  expect(await readdir(folder)).toHaveLength(1);
});

test('a folder that was removed meanwhile can be given back', async () => {
  const lock = await FolderLock.take(join(folder, 'lock'));
  await rm(join(folder, 'lock'), { recursive: true });
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
});

test('the lock of a dead process is broken, that of a living one is not', async () => {
  const sleeper = spawn('sleep', ['60']);
  await once(sleeper, 'spawn');
  await writeLock(1, { pid: sleeper.pid, startedAt: null });
  await expect(FolderLock.take(folder)).rejects.toThrow(`in use by process ${sleeper.pid}`);
  await kill(sleeper);
  const lock = await FolderLock.take(folder);
  await lock.release();
});

test('a pid that another process has now does not keep the lock', async () => {
  await writeLock(1, { pid: process.pid, startedAt: 'at another time' });
  const lock = await FolderLock.take(folder);
  await lock.release();
});

test('a holder on another host cannot be asked, so its lock stands', async () => {
  await writeLock(1, { pid: 1, startedAt: null, host: 'elsewhere' });
  await expect(FolderLock.take(folder)).rejects.toThrow('on host elsewhere');
});

test('where processes of other hosts do not count, only one of this host keeps the lock', async () => {
  await writeLock(1, { pid: 1, startedAt: null, host: 'elsewhere' });
  const lock = await FolderLock.take(folder, { amongHosts: false });
  await expect(FolderLock.take(folder, { amongHosts: false })).rejects.toThrow(`in use by process ${process.pid}`);
  await lock.release();
});

async function writeLock(number: number, holder: object): Promise<void> {
  const whole = { host: hostname(), released: false, ...holder };
  await writeFile(join(folder, `lock.${number}`), JSON.stringify(whole));
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
