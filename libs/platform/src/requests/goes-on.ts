import type { Life } from '../life/life.js';
import { experimentStatus } from '../life/transitions.js';
import { refused } from './request-refused.js';

/** Refuses one that has ended, or will with what it does now. */
export function checkGoesOn({ row }: Life): void {
  const { id, phase, reason, ending, cancelRequested } = row;
  if (phase === 'ended') {
    const facts = { what: 'experiment', id, status: experimentStatus(phase, reason) } as const;
    throw refused('conflict', [{ path: [], parameter: 'id', code: 'ended-already', facts }]);
  }
  if (cancelRequested || ending !== null) {
    const facts = { experiment: id, isCancelled: cancelRequested };
    throw refused('conflict', [{ path: [], parameter: 'id', code: 'ending-already', facts }]);
  }
}
