import { assertNever, type DatasetStatus, type ExperimentStatus, type ReasonCode } from '@longrun/contracts';

import type { Style } from './seen-text.js';
import type { Terminal } from './terminal.js';

/** A status in its colour, with the reason where that says more. */
export function statusText(
  thing: { readonly status: ExperimentStatus | DatasetStatus; readonly reason: ReasonCode | null },
  terminal: Terminal,
): string {
  const { status, reason } = thing;
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
