import { retryPolicy } from './reason.js';
import type { ExperimentSummary } from './experiment-list.js';

type Counted = Pick<ExperimentSummary, 'failures' | 'preemptions' | 'status' | 'reason'>;

/** How often another attempt had to follow. The attempt that made an experiment fail was followed by none. */
export function restarts({ failures, preemptions, status, reason }: Counted): number {
  const last = status === 'failed' && reason !== null && retryPolicy[reason].counts !== 'nothing' ? 1 : 0;
  return Math.max(0, failures + preemptions - last);
}

/** What interrupted it: `2 preemptions, 1 failure`. */
export function interruptions({ failures, preemptions }: Counted): string {
  return `${plural(preemptions, 'preemption')}, ${plural(failures, 'failure')}`;
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
