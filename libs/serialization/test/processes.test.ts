import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { FileStore, RandomStreams } from '../src/index.js';
import { bundleChild, Child } from './child.js';

const TIMEOUT_MS = 60_000;

let folder: string;
let store: FileStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'processes-'));
  store = await FileStore.open(folder);
});
afterEach(() => rm(folder, { recursive: true }));

test(
  'of many processes that put an object if it is absent exactly one wins',
  async () => {
    const bundle = await bundleChild('put-if-absent', folder);
    const keys = Array.from({ length: 40 }, (_, index) => `objects/${index}`);
    const children = Array.from({ length: 5 }, (_, index) => new Child(bundle, [store.url, `child-${index}`, ...keys]));
    for (const child of children) await child.firstLine();
    for (const child of children) child.send('go');
    for (const child of children) await child.end();

    const winners = new Set<number>();
    for (const key of keys) {
      const won = children.flatMap((child, index) => (child.lines.includes(`won ${key}`) ? [index] : []));
      expect(won).toHaveLength(1);
      expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe(`child-${won[0]}`);
      for (const index of won) winners.add(index);
    }
    // Otherwise they did not race at all.
    expect(winners.size).toBeGreaterThan(1);
  },
  TIMEOUT_MS,
);

test(
  'processes that increment a register lose none and count none twice',
  async () => {
    const bundle = await bundleChild('increment', folder);
    const children = Array.from({ length: 5 }, () => new Child(bundle, [store.url, 'counter', '60']));
    for (const child of children) await child.end();
    expect(await counter()).toBe(5 * 60);
  },
  TIMEOUT_MS,
);

test(
  'no acknowledged increment is lost while processes are killed at random',
  async () => {
    const bundle = await bundleChild('increment', folder);
    const random = new RandomStreams(1).stream('kills');
    const start = (): Child => new Child(bundle, [store.url, 'counter', 'forever']);
    const running = Array.from({ length: 4 }, start);
    const killed: Child[] = [];
    for (let kill = 0; kill < 25; kill++) {
      const index = random.integer(running.length);
      const victim = running[index];
      if (victim === undefined) throw new Error('no victim');
      await victim.firstLine();
      await sleep(random.uniform() * 40);
      running[index] = start();
      await victim.kill();
      killed.push(victim);
    }
    for (const child of running) {
      await child.firstLine();
      await child.kill();
      killed.push(child);
    }

    const acknowledged = killed.reduce((sum, child) => sum + child.lines.length, 0);
    const value = await counter();
    expect(acknowledged).toBeGreaterThan(100);
    expect(value).toBeGreaterThanOrEqual(acknowledged);
    // A process may be killed between an increment and its line: one each, and only one.
    expect(value).toBeLessThanOrEqual(acknowledged + killed.length);
    // The faults fired: some were killed while they were writing.
    const left = (await readdir(path.join(folder, 'counter~'))).filter((name) => name.startsWith('pending-'));
    expect(left.length).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

async function counter(): Promise<number> {
  return Number(Buffer.from((await store.readRegister('counter'))?.bytes ?? []).toString());
}
