import { decodeNumber, type ExperimentSummary, retryPolicy } from '@longrun/contracts';

import { count } from './amounts.js';

/** What is said below the name of an experiment that is not simply running or done; undefined when there is nothing. */
export function explanation({
  message,
  reason,
  status,
}: Pick<ExperimentSummary, 'message' | 'reason' | 'status'>): string | undefined {
  if (message !== null) return message;
  return reason === null || status === 'succeeded' ? undefined : retryPolicy[reason].explain;
}

/** `cost is NaN since step 120`; undefined while every cost is a finite number. */
export function nonFiniteCost({ nonFinite }: Pick<ExperimentSummary, 'nonFinite'>): string | undefined {
  return nonFinite === null ? undefined : `${nonFinite.record} is ${nonFinite.value} since step ${nonFinite.step}`;
}

/** What {@link testAccuracy} is known by. */
export const TEST_ERROR = 'test_misclassification_rate';

/** The share of test examples that the finished model gets right, 0 to 1; undefined where the program logs none. */
export function testAccuracy({ status, metrics }: ExperimentSummary): number | undefined {
  const error = decodeNumber(metrics[TEST_ERROR] ?? undefined);
  return error === undefined || status !== 'succeeded' ? undefined : 1 - error;
}

/** The share of an experiment's batches that are done; undefined where the program does not say how many there are. */
export function share({ progress, status }: Pick<ExperimentSummary, 'progress' | 'status'>): number | undefined {
  if (status === 'succeeded') return 1;
  if (progress === null) return 0;
  return progress.totalSteps === undefined ? undefined : progress.step / progress.totalSteps;
}

/** `638 of 1,407 steps` */
export function steps({ progress }: Pick<ExperimentSummary, 'progress'>): string {
  if (progress === null) return 'no step yet';
  if (progress.totalSteps === undefined) return `${count(progress.step)} steps`;
  return `${count(progress.step)} of ${count(progress.totalSteps)} steps`;
}

/** `3 epochs` done; nothing before the first one is. */
export function epochs({ progress }: Pick<ExperimentSummary, 'progress'>): string | undefined {
  return progress === null || progress.epoch === 0 ? undefined : plural(progress.epoch, 'epoch');
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
