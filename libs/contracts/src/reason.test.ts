import { expect, test } from 'vitest';

import { isFinalReason, ReasonCode, retryPolicy } from './reason.js';
import { DatasetStatus, ExperimentStatus, isActive, isTerminal, isTerminalDataset } from './status.js';

test('every reason has a rule and a sentence, and only ends are free of charge', () => {
  for (const reason of ReasonCode.options) {
    const rule = retryPolicy[reason];
    expect(rule.explain).toMatch(/^[A-Z].*\.$/);
    expect(isFinalReason(reason)).toBe(!rule.requeue);
  }
  // A reason that is tried again for nothing would be tried for ever, but where somebody has to ask for it each time.
  const free = ReasonCode.options.filter((reason) => retryPolicy[reason].counts === 'nothing');
  expect(free.filter((reason) => retryPolicy[reason].requeue)).toEqual(['paused']);
  expect(ReasonCode.options.filter((reason) => retryPolicy[reason].counts === 'preemption')).toEqual([
    'preempted',
    'lease_lost',
  ]);
  expect(ReasonCode.options.filter((reason) => retryPolicy[reason].counts === 'loss')).toEqual([
    'worker_lost',
    'trainer_killed',
  ]);
});

test('every status is active or has ended', () => {
  expect(ExperimentStatus.options.filter(isTerminal)).toEqual(['succeeded', 'failed', 'cancelled']);
  expect(ExperimentStatus.options.filter(isActive)).toEqual(['queued', 'running', 'paused']);
  expect(DatasetStatus.options.filter(isTerminalDataset)).toEqual(['ready', 'failed']);
});
