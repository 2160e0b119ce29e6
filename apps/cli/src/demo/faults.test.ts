import { expect, test } from 'vitest';

import { drawFaults } from './faults.js';

test('both faults fall inside an epoch, the preemption after the kill, and differ from draw to draw', () => {
  const draws = Array.from({ length: 500 }, () => drawFaults({ totalSteps: 1407, stepsPerEpoch: 469 }));
  for (const [kill, preempt] of draws) {
    for (const fault of [kill, preempt]) {
      const within = (fault?.atStep ?? 0) % 469;
      expect(within).toBeGreaterThanOrEqual(46);
      expect(within).toBeLessThanOrEqual(423);
    }
    expect(preempt?.atStep).toBeGreaterThan((kill?.atStep ?? 0) + 46);
    expect(preempt?.atStep).toBeLessThan(1407 - 46);
  }
  expect(draws[0]?.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGTERM']);
  expect(new Set(draws.map(([kill]) => kill?.atStep)).size).toBeGreaterThan(100);
});

test('a run too short to be disturbed is refused', () => {
  expect(() => drawFaults({ totalSteps: 1, stepsPerEpoch: 1 })).toThrow('too short');
});
