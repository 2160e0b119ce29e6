import {
  assertNever,
  type DatasetStatus,
  type ExperimentStatus,
  type Phase,
  type ReasonCode,
  type RetryBudget,
  retryPolicy,
  type RetryRule,
} from '@longrun/contracts';

/** From where to where a life may move. */
const moves: Readonly<Record<Phase, readonly Phase[]>> = {
  // To the end without running: cancelled, or its dataset failed.
  queued: ['running', 'paused', 'ended'],
  // Back to the queue when the attempt ended and another one follows.
  running: ['queued', 'paused', 'ended'],
  // It is resumed, or cancelled.
  paused: ['queued', 'ended'],
  // It is retried.
  ended: ['queued'],
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
    case 'paused':
      return 'paused';
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
    case 'paused':
      throw new Error('A dataset is never paused');
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
  /** Losses in a row, without progress between them. */
  readonly losses: number;
  /** Ends in a row for which its workers may be to blame, without progress between them. */
  readonly refusals: number;
}

/** What follows an attempt. */
export type Sequel =
  | { readonly next: 'paused'; readonly spent: Spent }
  | { readonly next: 'queued'; readonly spent: Spent; /** Pause before the next attempt. */ readonly backoffMs: number }
  | { readonly next: 'ended'; readonly spent: Spent; readonly reason: ReasonCode; readonly message: string | null };

/**
 * Decides what follows an attempt that ended for `reason`, by the retry policy and the budget of the spec.
 *
 * @param othersReady whether another worker is ready to take the next attempt
 */
export function afterAttempt(
  life: Spent & { readonly retry: RetryBudget; readonly cancelRequested: boolean; readonly pauseRequested: boolean },
  reason: ReasonCode,
  message: string | null,
  othersReady = false,
): Sequel {
  const rule = retryPolicy[reason];
  const counts = budgetOf(rule, life.refusals, othersReady);
  const spent: Spent = {
    failures: life.failures + (counts === 'failure' ? 1 : 0),
    preemptions: life.preemptions + (counts === 'preemption' || counts === 'loss' ? 1 : 0),
    losses: life.losses + (counts === 'loss' ? 1 : 0),
    refusals: life.refusals + (rule.workers === undefined ? 0 : 1),
  };
  if (!rule.requeue) return { next: 'ended', spent, reason, message };
  if (life.cancelRequested) return { next: 'ended', spent, reason: 'cancelled', message: null };
  const over = overdrawn(life.retry, counts, spent);
  if (over !== null) return { next: 'ended', spent, reason, message: exhausted(over, message) };
  if (life.pauseRequested) return { next: 'paused', spent };
  return { next: 'queued', spent, backoffMs: pauseMs(life.retry, counts, spent) };
}

function budgetOf({ counts, workers }: RetryRule, refusals: number, othersReady: boolean): RetryRule['counts'] {
  if (workers === undefined) return counts;
  return refusals < workers.inARow && (othersReady || !workers.onlyElsewhere) ? counts : 'failure';
}

/** A budget that does not last for another attempt. */
interface Overdrawn {
  readonly what: string;
  readonly budget: keyof RetryBudget;
  readonly limit: number;
}

function overdrawn(retry: RetryBudget, counts: RetryRule['counts'], spent: Spent): Overdrawn | null {
  const { maxFailures, maxPreemptions, maxLosses } = retry;
  switch (counts) {
    case 'failure':
      return spent.failures > maxFailures
        ? { what: `${spent.failures} attempts failed`, budget: 'maxFailures', limit: maxFailures }
        : null;
    case 'loss':
      if (maxLosses !== null && spent.losses > maxLosses) {
        const what = `Its worker or trainer was lost ${spent.losses} times in a row without a checkpoint between`;
        return { what, budget: 'maxLosses', limit: maxLosses };
      }
      return overdrawn(retry, 'preemption', spent);
    case 'preemption':
      return maxPreemptions !== null && spent.preemptions > maxPreemptions
        ? { what: `It lost its machine ${spent.preemptions} times`, budget: 'maxPreemptions', limit: maxPreemptions }
        : null;
    case 'worker':
    case 'nothing':
      return null;
    default:
      return assertNever(counts, 'budget');
  }
}

function exhausted({ what, budget, limit }: Overdrawn, message: string | null): string {
  const last = message === null ? '' : `: ${message}`;
  return `${what}, and retry.${budget} is ${limit}${last}`;
}

/** The first loss after a checkpoint is taken for an accident of the machine, and does not wait. */
function pauseMs({ backoffMs }: RetryBudget, counts: RetryRule['counts'], spent: Spent): number {
  if (counts === 'failure') return doubled(backoffMs, spent.failures);
  return counts === 'loss' && spent.losses > 1 ? doubled(backoffMs, spent.losses - 1) : 0;
}

function doubled(base: number, times: number): number {
  return Math.min(base * 2 ** (times - 1), 3_600_000);
}
