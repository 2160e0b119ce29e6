import { expect, test } from 'vitest';

import { interruptions, restarts } from './restarts.js';

test('each attempt that another one followed is a restart, and the one that failed for good is none', () => {
  const running = { failures: 1, preemptions: 2, status: 'running', reason: null } as const;
  expect(restarts(running)).toBe(3);
  expect(interruptions(running)).toBe('2 preemptions, 1 failure');
  expect(restarts({ ...running, status: 'failed', reason: 'program_error' })).toBe(2);
  // It was decided without an attempt.
  expect(restarts({ failures: 0, preemptions: 0, status: 'failed', reason: 'dataset_unavailable' })).toBe(0);
  expect(restarts({ ...running, status: 'cancelled', reason: 'cancelled' })).toBe(3);
});
