import { afterEach, expect, test } from 'vitest';
import { until } from '../testing/until.js';
import { WallTime, type WallTimeOptions } from './wall-time.js';

const made: WallTime[] = [];

afterEach(() => {
  for (const wallTime of made.splice(0)) wallTime.close();
});

function wallTimeOf(options: WallTimeOptions): WallTime {
  const wallTime = new WallTime(options);
  made.push(wallTime);
  return wallTime;
}

test('it is up when all attempts together have taken it, and says so', () => {
  let now = 5_000_000;
  const wallTime = wallTimeOf({ limitSeconds: 100, ranMs: 70_000, now: () => now });
  now += 29_999;
  expect(wallTime.isUp).toBe(false);
  now += 1;
  expect(wallTime.isUp).toBe(true);
  expect(wallTime.message).toBe(
    'It has run for the 100 s that limits.wallTimeSeconds allows, 70 s of them in earlier attempts',
  );
});

test('it can be up before the attempt begins, and a year is counted too', () => {
  expect(wallTimeOf({ limitSeconds: 1, ranMs: 1_000 }).isUp).toBe(true);
  expect(wallTimeOf({ limitSeconds: 366 * 86_400, ranMs: 1_000 }).isUp).toBe(false);
  expect(wallTimeOf({ limitSeconds: null, ranMs: 1e15 }).isUp).toBe(false);
});

test('whoever waits for something else is told that it is up', async () => {
  let now = 0;
  const wallTime = wallTimeOf({ limitSeconds: 100, ranMs: 0, now: () => now });
  expect(wallTime.up.aborted).toBe(false);
  now = 100_000;
  await until(() => wallTime.up.aborted);
});
