import {
  assertNever,
  type DatasetStatus,
  type DatasetSummary,
  type ExperimentStatus,
  type ReasonCode,
} from '@longrun/contracts';

import type { Style } from './seen-text.js';
import type { Terminal } from './terminal.js';

/** Whatever has a status. */
type Standing =
  | { readonly status: ExperimentStatus; readonly reason: ReasonCode | null }
  | Pick<DatasetSummary, 'status' | 'reason' | 'current' | 'result'>;

/** A status in its colour, with the reason where that says more; of a dataset that is ready and whose name means another one, what it is instead. */
export function statusText(thing: Standing, terminal: Terminal): string {
  const { status, reason } = thing;
  if ('current' in thing && status === 'ready' && !thing.current)
    return terminal.style('yellow', thing.result?.sameAs == null ? 'superseded' : 'unchanged');
  const text = reason === null || reason === status || reason === 'succeeded' ? status : `${status} (${reason})`;
  const style = styleOf(status);
  return style === undefined ? text : terminal.style(style, text);
}

function styleOf(status: ExperimentStatus | DatasetStatus): Style | undefined {
  switch (status) {
    case 'queued':
      return undefined;
    case 'running':
    case 'converting':
      return 'cyan';
    case 'succeeded':
    case 'ready':
      return 'green';
    case 'failed':
      return 'red';
    case 'cancelled':
    case 'paused':
      return 'yellow';
    default:
      return assertNever(status, 'status');
  }
}
