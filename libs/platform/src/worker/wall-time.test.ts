import { expect, test } from 'vitest';
import { WallTime } from './wall-time.js';

test('it is up when all attempts together have taken it, and says so', () => {
  let now = 5_000_000;
  const wallTime = new WallTime({ limitSeconds: 100, ranMs: 70_000, now: () => now });
  now += 29_999;
  expect(wallTime.isUp).toBe(false);
  now += 1;
  expect(wallTime.isUp).toBe(true);
  expect(wallTime.message).toBe(
    'It has run for the 100 s that limits.wallTimeSeconds allows, 70 s of them in earlier attempts',
  );
});

test('it can be up before the attempt begins, and a year is counted too', () => {
  expect(new WallTime({ limitSeconds: 1, ranMs: 1_000 }).isUp).toBe(true);
  expect(new WallTime({ limitSeconds: 366 * 86_400, ranMs: 1_000 }).isUp).toBe(false);
  expect(new WallTime({ limitSeconds: null, ranMs: 1e15 }).isUp).toBe(false);
});
