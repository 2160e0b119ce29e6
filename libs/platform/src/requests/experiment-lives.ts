import type { Life } from '../life/life.js';
import type { Lives } from '../life/lives.js';
import { experimentStatus } from '../life/transitions.js';
import { notFound } from './life-reading.js';
import { refused } from './request-refused.js';

/** Locks an experiment. Refused when there is none with this id. */
export async function findExperiment(lives: Lives, id: string): Promise<Life> {
  const life = await lives.find(id);
  if (life?.row.kind !== 'experiment') throw notFound('experiment', id);
  return life;
}

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
