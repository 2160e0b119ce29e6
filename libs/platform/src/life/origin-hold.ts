import type { ExperimentOrigin } from '@longrun/contracts';
import { CheckpointAbsent, type Hold, type ObjectStore, readHead, releaseCheckpoint } from '@longrun/serialization';

import { leasePrefix } from './outcome.js';

/** What keeps a checkpoint until the experiment of this id, which is to go on from it, has a copy of its own. */
export function holdOf(id: string): Hold {
  return { name: nameOf(id), until: new Date(Date.now() + LONGEST_MS).toISOString() };
}

/** Takes that off again. Nothing where it is off, or the checkpoint has gone. @throws HeadDamaged */
export async function releaseOrigin(
  store: ObjectStore,
  { experiment, sha256 }: Pick<ExperimentOrigin, 'experiment' | 'sha256'>,
  id: string,
): Promise<void> {
  const prefix = leasePrefix('experiment', experiment);
  const head = await readHead(store, prefix);
  const entry = head?.checkpoints.find((each) => each.sha256 === sha256);
  if (entry === undefined) return;
  try {
    await releaseCheckpoint(store, prefix, entry.manifestKey, nameOf(id));
  } catch (error) {
    if (!(error instanceof CheckpointAbsent)) throw error;
  }
}

function nameOf(id: string): string {
  return `fork ${id}`;
}

/** Longer than any platform is down: of one that fell between the hold and the record of the experiment nobody else takes the hold off. */
const LONGEST_MS = 30 * 86_400_000;
