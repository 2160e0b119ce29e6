import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@longrun/platform/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Trainers } from './trainers.js';

let folder: string;
let trainers: Trainers;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-trainers-'));
  const script = join(folder, 'trainer.mjs');
  await writeFile(
    script,
    `console.log('loaded');
     process.on('message', (message) => process.send({ pid: process.pid, message }));
     process.on('disconnect', () => process.exit());`,
  );
  trainers = new Trainers(script);
});

afterEach(async () => {
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

test('the trainer that waits is taken once, and what it said before is told to the one who took it', async () => {
  trainers.keepSpare();
  trainers.keepSpare();
  const spare = trainers.sparePid;
  const [first, second] = [listener(), listener()];
  const taken = trainers.take(first);
  expect(taken.pid).toBe(spare);
  expect(trainers.sparePid).toBe(undefined);
  const other = trainers.take(second);
  expect(other.pid).not.toBe(spare);
  taken.send({ train: 1 });
  other.send({ train: 2 });
  await until(() => first.messages.length === 1 && second.messages.length === 1);
  await until(() => first.lines.length === 1 && second.lines.length === 1);
  expect(first).toMatchObject({ messages: [{ pid: spare, message: { train: 1 } }], lines: ['loaded'] });
  expect(second).toMatchObject({ messages: [{ pid: other.pid, message: { train: 2 } }], lines: ['loaded'] });
  await Promise.all([taken.kill(), other.kill()]);
});

test('one that ended while it waited is not used: the attempt gets another', async () => {
  trainers.keepSpare();
  const dead = trainers.sparePid;
  expect(dead).toBeDefined();
  process.kill(dead ?? 0, 'SIGKILL');
  await until(() => trainers.sparePid === undefined);
  const heard = listener();
  const trainer = trainers.take(heard);
  expect(trainer.pid).not.toBe(dead);
  trainer.send({ train: 1 });
  await until(() => heard.messages.length === 1);
  await trainer.kill();
});
