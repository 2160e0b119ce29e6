import { assertNever, type DatasetStatus, type ExperimentStatus, type ReasonCode } from '@longrun/contracts';

/** What a command ends with that was to see the end of something: 1 and 2 are those of a command that could not. */
export const ENDED = { well: 0, failed: 3, cancelled: 4, notYet: 5 } as const;

/** The exit code that a status means; what goes on is no failure. A dataset that was cancelled counts as failed, with that reason. */
export function exitCodeOfStatus(status: ExperimentStatus | DatasetStatus, reason: ReasonCode | null): number {
  switch (status) {
    case 'queued':
    case 'running':
    case 'paused':
    case 'converting':
    case 'succeeded':
    case 'ready':
      return ENDED.well;
    case 'failed':
      return reason === 'cancelled' ? ENDED.cancelled : ENDED.failed;
    case 'cancelled':
      return ENDED.cancelled;
    default:
      return assertNever(status, 'status');
  }
}
