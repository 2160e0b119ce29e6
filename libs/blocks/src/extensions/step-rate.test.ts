import { expect, test } from 'vitest';

import { StepRate } from './step-rate.js';

test('the rate is taken over the last five seconds, not over the last millisecond', () => {
  const rate = new StepRate();
  rate.restart(0, 0);
  for (let second = 1; second <= 20; second += 1) {
    // 100 steps a second, and at each epoch's end a second question in the same millisecond.
    expect(rate.at(100 * second, 1_000 * second)).toBe(100);
    expect(rate.at(100 * second, 1_000 * second + 1)).toBeCloseTo(100, 0);
  }
  // It stands still for two seconds and goes on: that is seen, and forgotten after five.
  expect(rate.at(2_000, 22_000)).toBeCloseTo(60, 0);
  expect(rate.at(2_500, 27_000)).toBeCloseTo(100, 0);
});

test('until there is a fifth of a second to take it over it is 0, and none is drawn from before a restart', () => {
  const rate = new StepRate();
  rate.restart(500, 10_000);
  expect(rate.at(501, 10_001)).toBe(0);
  expect(rate.at(520, 10_200)).toBe(100);
  rate.restart(300, 11_000);
  expect(rate.at(300, 11_500)).toBe(0);
});

test('of steps that take longer than the window the last one counts', () => {
  const rate = new StepRate();
  rate.restart(0, 0);
  expect([1, 2, 3].map((step) => rate.at(step, 20_000 * step))).toEqual([0.05, 0.05, 0.05]);
});
