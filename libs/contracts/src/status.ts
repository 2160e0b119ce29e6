import { z } from 'zod';

import { assertNever } from './assert-never.js';

/** Where a life, of an experiment or a dataset, stands in the record. Statuses are phases seen with the reason of the end. */
export const Phase = z.enum(['queued', 'running', 'paused', 'ended']);
export type Phase = z.infer<typeof Phase>;

export const ExperimentStatus = z.enum(['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled']).meta({
  description: 'Where an experiment stands. `queued` also between two attempts; `paused` until it is resumed.',
});
export type ExperimentStatus = z.infer<typeof ExperimentStatus>;

export const DatasetStatus = z
  .enum(['queued', 'converting', 'ready', 'failed'])
  .meta({ description: 'Where a dataset stands. `queued` also between two attempts.' });
export type DatasetStatus = z.infer<typeof DatasetStatus>;

/** True when the experiment has ended: nothing about it will change unless it is retried. */
export function isTerminal(status: ExperimentStatus): boolean {
  switch (status) {
    case 'queued':
    case 'running':
    case 'paused':
      return false;
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return true;
    default:
      return assertNever(status, 'experiment status');
  }
}

/** True while the experiment waits, runs or is paused: it can be cancelled. */
export function isActive(status: ExperimentStatus): boolean {
  return !isTerminal(status);
}

/** True when the dataset has ended: it can be used, or never will be. */
export function isTerminalDataset(status: DatasetStatus): boolean {
  switch (status) {
    case 'queued':
    case 'converting':
      return false;
    case 'ready':
    case 'failed':
      return true;
    default:
      return assertNever(status, 'dataset status');
  }
}
