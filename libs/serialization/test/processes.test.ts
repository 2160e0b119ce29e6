import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';

import { type ObjectStore, openObjectStore, RandomStreams } from '../src/index.js';
import { bundleChild, Child } from './child.js';

const TIMEOUT_MS = 60_000;

let bundles: string;
let increment: string;
let folder: string;
let store: ObjectStore;

beforeAll(async () => {
  bundles = await mkdtemp(path.join(tmpdir(), 'processes-'));
  increment = await bundleChild('increment', bundles);
});
afterAll(() => rm(bundles, { recursive: true }));

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'processes-'));
  store = await openObjectStore(`file:${folder}`);
  onTestFinished(() => rm(folder, { recursive: true }));
});

test(
  'of many processes that put an object if it is absent exactly one wins',
  async () => {
    const bundle = await bundleChild('put-if-absent', bundles);
    const children = Array.from({ length: 5 }, (_, index) => new Child(bundle, [store.url, `child-${index}`]));
    for (const child of children) await child.reported(1);

    const winners = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      const key = `objects/${round}`;
      // Another one is told first each time, so that all of them win now and then.
      for (let index = 0; index < 5; index += 1) children[(round + index) % 5]?.send(key);
      for (const child of children) await child.reported(round + 2);
      const winner = children.flatMap((child, index) =>
        child.lines.at(-1) === `won ${key}` ? [`child-${index}`] : [],
      );
      expect(winner).toHaveLength(1);
      expect([Buffer.from((await store.get(key)) ?? []).toString()]).toEqual(winner);
      for (const name of winner) winners.add(name);
    }
    expect(winners.size).toBeGreaterThan(1);

    for (const child of children) {
      child.close();
      await child.end();
    }
  },
  TIMEOUT_MS,
);

test(
  'processes that increment a register lose none and count none twice',
  async () => {
    const children = Array.from({ length: 5 }, () => new Child(increment, [store.url, 'counter', '40']));
    for (const child of children) await child.end();
    expect(await counter()).toBe(5 * 40);
  },
  TIMEOUT_MS,
);

test(
  'no acknowledged increment is lost while processes are killed at random',
  async () => {
    const random = new RandomStreams(1).stream('kills');
    const start = (): Child => new Child(increment, [store.url, 'counter', 'forever']);
    const running = Array.from({ length: 4 }, start);
    const killed: Child[] = [];
    for (let kill = 0; kill < 20; kill += 1) {
      const index = random.integer(running.length);
      const victim = running[index];
      if (victim === undefined) throw new Error('no victim');
      await victim.reported(1);
      await sleep(random.uniform() * 40);
      running[index] = start();
      await victim.kill();
      killed.push(victim);
    }
    for (const child of running) {
      await child.reported(1);
      await child.kill();
      killed.push(child);
    }

    const acknowledged = killed.reduce((sum, child) => sum + child.lines.length, 0);
    const value = await counter();
    expect(acknowledged).toBeGreaterThan(50);
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
