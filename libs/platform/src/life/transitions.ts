import {
  assertNever,
  type DatasetStatus,
  type ExperimentStatus,
  type Phase,
  type ReasonCode,
  type RetryBudget,
  retryPolicy,
} from '@longrun/contracts';

/** From where to where a life may move. */
const moves: Readonly<Record<Phase, readonly Phase[]>> = {
  // To the end without running: cancelled, or its dataset failed.
  queued: ['running', 'ended'],
  // Back to the queue when the attempt ended and another one follows.
  running: ['queued', 'ended'],
  ended: [],
};

/** Throws when a life may not move so: a bug of ours, not a user's. */
export function checkMove(id: string, from: Phase, to: Phase): void {
  if (!moves[from].includes(to)) throw new Error(`${id} cannot move from ${from} to ${to}`);
}

/** What a person calls the phase of an experiment. `reason` is that of its end. */
export function experimentStatus(phase: Phase, reason: ReasonCode | null): ExperimentStatus {
  switch (phase) {
    case 'queued':
      return 'queued';
    case 'running':
      return 'running';
    case 'ended':
      if (reason === 'succeeded') return 'succeeded';
      return reason === 'cancelled' ? 'cancelled' : 'failed';
    default:
      return assertNever(phase, 'phase');
  }
}

/** What a person calls the phase of a dataset. */
export function datasetStatus(phase: Phase, reason: ReasonCode | null): DatasetStatus {
  switch (phase) {
    case 'queued':
      return 'queued';
    case 'running':
      return 'converting';
    case 'ended':
      return reason === 'succeeded' ? 'ready' : 'failed';
    default:
      return assertNever(phase, 'phase');
  }
}

/** What a life has used of its budget. */
export interface Spent {
  readonly failures: number;
  readonly preemptions: number;
}

/** What follows an attempt. */
export type Sequel =
  | { readonly next: 'queued'; readonly spent: Spent; /** Pause before the next attempt. */ readonly backoffMs: number }
  | { readonly next: 'ended'; readonly spent: Spent; readonly reason: ReasonCode; readonly message: string | null };

/** Decides what follows an attempt that ended for `reason`, by the retry policy and the budget of the spec. */
export function afterAttempt(
  life: Spent & { readonly retry: RetryBudget; readonly cancelRequested: boolean },
  reason: ReasonCode,
  message: string | null,
): Sequel {
  const rule = retryPolicy[reason];
  const spent: Spent = {
    failures: life.failures + (rule.counts === 'failure' ? 1 : 0),
    preemptions: life.preemptions + (rule.counts === 'preemption' ? 1 : 0),
  };
  if (!rule.requeue) return { next: 'ended', spent, reason, message };
  if (life.cancelRequested) return { next: 'ended', spent, reason: 'cancelled', message: null };
  switch (rule.counts) {
    case 'failure':
      if (spent.failures > life.retry.maxFailures) {
        return {
          next: 'ended',
          spent,
          reason,
          message: exhausted(`${spent.failures} attempts failed`, 'maxFailures', life.retry.maxFailures, message),
        };
      }
      return { next: 'queued', spent, backoffMs: backoffMs(life.retry.backoffMs, spent.failures) };
    case 'preemption':
      if (life.retry.maxPreemptions !== null && spent.preemptions > life.retry.maxPreemptions) {
        return {
          next: 'ended',
          spent,
          reason,
          message: exhausted(
            `It lost its machine ${spent.preemptions} times`,
            'maxPreemptions',
            life.retry.maxPreemptions,
            message,
          ),
        };
      }
      return { next: 'queued', spent, backoffMs: 0 };
    case 'nothing':
      return { next: 'queued', spent, backoffMs: 0 };
    default:
      return assertNever(rule.counts, 'budget');
  }
}

function exhausted(what: string, budget: string, limit: number, message: string | null): string {
  const last = message === null ? '' : `: ${message}`;
  return `${what}, and retry.${budget} is ${limit}${last}`;
}

function backoffMs(base: number, failures: number): number {
  return Math.min(base * 2 ** (failures - 1), 3_600_000);
}
