import { expect, test } from 'vitest';

import { lookMsFor, ObservedTime } from './observed-time.js';

function clockAt(start: number) {
  let at = start;
  return { now: () => at, pass: (ms: number) => void (at += ms) };
}

test('time between looks counts, whatever it was before the first one', () => {
  const clock = clockAt(5_000_000);
  const observed = new ObservedTime({ mostPerLookMs: 1_000, now: clock.now });
  observed.looked();
  expect(observed.ms).toBe(0);
  for (let look = 1; look <= 10; look += 1) {
    clock.pass(300);
    observed.looked();
  }
  expect(observed.ms).toBe(3_000);
});

test('a process that stood still for an hour has observed no more than one look of it', () => {
  const clock = clockAt(0);
  const observed = new ObservedTime({ mostPerLookMs: 1_000, now: clock.now });
  observed.looked();
  clock.pass(3_600_000);
  observed.looked();
  expect(observed.ms).toBe(1_000);
});

test('time from an interruption to the next look does not count', () => {
  const clock = clockAt(0);
  const observed = new ObservedTime({ mostPerLookMs: 1_000, now: clock.now });
  observed.looked();
  clock.pass(200);
  observed.interrupted();
  clock.pass(500);
  observed.looked();
  clock.pass(100);
  observed.looked();
  expect(observed.ms).toBe(100);
});

test.each([50, 1_000, 5_000, 86_400_000])('of a patience of %d ms one look takes a quarter at most', (patienceMs) => {
  expect(lookMsFor(patienceMs)).toBeLessThanOrEqual(Math.ceil(patienceMs / 4));
  expect(lookMsFor(patienceMs)).toBeLessThanOrEqual(1_000);
});
