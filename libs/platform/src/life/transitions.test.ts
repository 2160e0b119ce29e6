import { Phase, ReasonCode, retryPolicy } from '@longrun/contracts';
import { expect, test } from 'vitest';

import { afterAttempt, checkMove, datasetStatus, experimentStatus } from './transitions.js';

const fresh = {
  failures: 0,
  preemptions: 0,
  losses: 0,
  refusals: 0,
  cancelRequested: false,
  pauseRequested: false,
  retry: { maxFailures: 2, backoffMs: 1_000, maxPreemptions: null, maxLosses: 3 },
};

test('every reason has a sequel, and it is charged to the budget that the retry policy names', () => {
  for (const reason of ReasonCode.options) {
    const { spent, next } = afterAttempt(fresh, reason, 'why');
    const { counts: first, workers, requeue } = retryPolicy[reason];
    // No other worker is ready here.
    const counts = workers?.onlyElsewhere === true ? 'failure' : first;
    expect(next).toBe(requeue ? 'queued' : 'ended');
    expect(spent).toEqual({
      refusals: workers === undefined ? 0 : 1,
      failures: counts === 'failure' ? 1 : 0,
      preemptions: counts === 'preemption' || counts === 'loss' ? 1 : 0,
      losses: counts === 'loss' ? 1 : 0,
    });
  }
});

test('preemptions are unlimited by default, never failures, and never wait', () => {
  const preempted = { ...fresh, preemptions: 9_999, retry: { ...fresh.retry, maxFailures: 0 } };
  expect(afterAttempt(preempted, 'preempted', null)).toEqual({
    next: 'queued',
    spent: { failures: 0, preemptions: 10_000, losses: 0, refusals: 0 },
    backoffMs: 0,
  });
  const limited = { ...fresh, preemptions: 3, retry: { ...fresh.retry, maxPreemptions: 3 } };
  expect(afterAttempt(limited, 'preempted', null)).toMatchObject({
    next: 'ended',
    reason: 'preempted',
    message: 'It lost its machine 4 times, and retry.maxPreemptions is 3',
  });
});

test('losses in a row wait from the second on, and one more than the budget has is final', () => {
  const sequels = [0, 1, 2, 3].map((losses) =>
    afterAttempt({ ...fresh, losses, retry: { ...fresh.retry, maxFailures: 0 } }, 'worker_lost', 'gone'),
  );
  expect(
    sequels.map((sequel) => ('backoffMs' in sequel ? sequel.backoffMs : 'message' in sequel && sequel.message)),
  ).toEqual([
    0,
    1_000,
    2_000,
    'Its worker or trainer was lost 4 times in a row without a checkpoint between, and retry.maxLosses is 3: gone',
  ]);
  const unlimited = { ...fresh, losses: 9_999, retry: { ...fresh.retry, maxLosses: null } };
  expect(afterAttempt(unlimited, 'trainer_killed', null)).toMatchObject({ next: 'queued', backoffMs: 3_600_000 });
});

test('what is charged to the worker costs the experiment nothing, until it has made three unfit in a row', () => {
  let life = { ...fresh, retry: { maxFailures: 0, backoffMs: 1_000, maxPreemptions: 0, maxLosses: 0 } };
  for (const refusals of [1, 2, 3]) {
    const spent = { failures: 0, preemptions: 0, losses: 0, refusals };
    expect(afterAttempt(life, 'worker_unfit', 'full')).toEqual({ next: 'queued', spent, backoffMs: 0 });
    life = { ...life, ...spent };
  }
  expect(afterAttempt(life, 'worker_unfit', 'full')).toMatchObject({
    next: 'ended',
    reason: 'worker_unfit',
    message: '1 attempts failed, and retry.maxFailures is 0: full',
  });
});

test('the disk of a worker is free once where another worker is ready, and a failure from then on', () => {
  const strict = { ...fresh, retry: { ...fresh.retry, maxFailures: 0 } };
  const first = afterAttempt(strict, 'worker_disk', 'full', true);
  expect(first).toMatchObject({ next: 'queued', spent: { failures: 0, refusals: 1 }, backoffMs: 0 });
  expect(afterAttempt({ ...strict, ...first.spent }, 'worker_disk', 'full', true)).toMatchObject({
    next: 'ended',
    reason: 'worker_disk',
    message: '1 attempts failed, and retry.maxFailures is 0: full',
  });
  expect(afterAttempt(strict, 'worker_disk', 'full', false)).toMatchObject({ next: 'ended', spent: { failures: 1 } });
});

test('the pause after a failure doubles, and is an hour at most', () => {
  const pauses = [0, 1, 2, 3, 20].map((failures) => {
    const life = { ...fresh, failures, retry: { ...fresh.retry, maxFailures: 100 } };
    const sequel = afterAttempt(life, 'program_error', null);
    return sequel.next === 'queued' ? sequel.backoffMs : undefined;
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 3_600_000]);
});

test('as many failures as the budget has are tried again, one more is final', () => {
  const second = { ...fresh, failures: 1 };
  const third = { ...fresh, failures: 2 };
  expect(afterAttempt(second, 'program_error', 'boom').next).toBe('queued');
  expect(afterAttempt(third, 'program_error', 'boom')).toMatchObject({ next: 'ended', reason: 'program_error' });
});

test('what is to be cancelled is not tried again', () => {
  const life = { ...fresh, cancelRequested: true };
  expect(afterAttempt(life, 'worker_lost', null)).toMatchObject({ next: 'ended', reason: 'cancelled' });
  expect(afterAttempt(life, 'invalid_params', 'bad')).toMatchObject({ next: 'ended', reason: 'invalid_params' });
});

test('what is to be paused is not tried again before it is resumed, unless it ends or is to be cancelled', () => {
  const life = { ...fresh, pauseRequested: true };
  expect(afterAttempt(life, 'paused', null)).toEqual({
    next: 'paused',
    spent: { failures: 0, preemptions: 0, losses: 0, refusals: 0 },
  });
  expect(afterAttempt(life, 'worker_lost', null)).toMatchObject({ next: 'paused', spent: { losses: 1 } });
  expect(afterAttempt(life, 'invalid_params', 'bad')).toMatchObject({ next: 'ended' });
  expect(afterAttempt({ ...life, cancelRequested: true }, 'paused', null)).toMatchObject({ reason: 'cancelled' });
  // It was resumed before its worker had stopped.
  expect(afterAttempt(fresh, 'paused', null)).toMatchObject({ next: 'queued', backoffMs: 0 });
});

test('nothing leaves its end but to be retried', () => {
  const phases = Phase.options;
  for (const to of phases.filter((phase) => phase !== 'queued'))
    expect(() => checkMove('exp_1', 'ended', to)).toThrow(/exp_1 cannot move from ended/);
  expect(() => checkMove('exp_1', 'queued', 'queued')).toThrow(/cannot move/);
});

test('each end has one status', () => {
  for (const reason of ReasonCode.options) {
    const expected = reason === 'succeeded' || reason === 'cancelled' ? reason : 'failed';
    expect(experimentStatus('ended', reason)).toBe(expected);
    expect(datasetStatus('ended', reason)).toBe(reason === 'succeeded' ? 'ready' : 'failed');
  }
});
