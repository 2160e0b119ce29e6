import { expect, test } from 'vitest';

import { StartProgress } from './start-progress.js';

test('a start may take for ever while its stages follow each other, and a minute while they do not', async () => {
  const start = watched();
  for (const stage of ['loading code', 'opening the record', 'migrating the record']) {
    start.says(`longrun-stage: ${stage}`);
    await start.pass(59);
    expect({ stage: start.progress.stage, stuck: start.progress.isStuck }).toEqual({ stage, stuck: false });
  }
  await start.pass(2);
  expect(start.progress.isStuck).toBe(true);
});

test('a stage may last as long as it likes while it gets processor time', async () => {
  const start = watched();
  start.says('longrun-stage: loading code');
  for (let minute = 0; minute < 30; minute += 1) {
    start.uses(1.2);
    await start.pass(60);
    expect(start.progress.isStuck).toBe(false);
  }
  start.uses(0.3);
  await start.pass(60);
  expect(start.progress.isStuck).toBe(true);
});

test('what only waits for another may not do so for ever, whatever processor time it takes to wait', async () => {
  const start = watched();
  await start.pass(40, 'it listens, and waits: Redis does not answer.');
  start.uses(100);
  await start.pass(40, 'it listens, and waits: The record does not answer.');
  expect(start.progress.isStuck).toBe(false);
  start.uses(100);
  await start.pass(30, 'it listens, and waits: The record does not answer.');
  expect(start.progress.isStuck).toBe(true);
});

test('the time for which the watcher itself was stopped is not counted', async () => {
  const start = watched();
  start.skip(3_600);
  await start.pass(1);
  expect(start.progress.isStuck).toBe(false);
});

test('each new stage is told, and every five seconds the one that lasts', async () => {
  const start = watched();
  await start.pass(6);
  start.says('longrun-stage: loading code');
  await start.pass(11);
  expect(start.told).toEqual([
    { pid: 7, stage: 'no word of it yet', afterMs: 5_000 },
    { pid: 7, stage: 'loading code', afterMs: 7_000 },
    { pid: 7, stage: 'loading code', afterMs: 12_000 },
    { pid: 7, stage: 'loading code', afterMs: 17_000 },
  ]);
});

/** A start on a clock and with processor time of our own, looked at every second. */
function watched() {
  let nowMs = 0;
  let cpuSeconds = 0;
  let output = '';
  const told: unknown[] = [];
  const progress = new StartProgress({
    pid: 7,
    output: () => output,
    patienceMs: 60_000,
    onStage: (stage) => told.push(stage),
    cpuSeconds: () => Promise.resolve(cpuSeconds),
    now: () => nowMs,
  });
  return {
    progress,
    told,
    says: (line: string) => (output += `${line}\n`),
    uses: (seconds: number) => (cpuSeconds += seconds),
    skip: (seconds: number) => (nowMs += seconds * 1_000),
    pass: async (seconds: number, waitsFor?: string) => {
      for (let second = 0; second < seconds; second += 1) {
        nowMs += 1_000;
        await progress.look(waitsFor);
      }
    },
  };
}
