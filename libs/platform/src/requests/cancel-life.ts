import type { Kind } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import { datasetStatus, experimentStatus } from '../life/transitions.js';
import type { LifeWriter } from '../life/writer.js';
import type { RedisKeys } from '../redis/keys.js';
import type { Endings } from '../systems/endings.js';
import { publishCommand } from '../worker/commands.js';
import { findLife } from './life-reading.js';
import { refused } from './request-refused.js';

/** What it takes to cancel something. */
export interface CancelOptions {
  readonly writer: LifeWriter;
  readonly endings: Endings;
  readonly redis: Redis;
  readonly keys: RedisKeys;
}

/**
 * Cancels an experiment or a conversion. One that waits has ended when this returns; a worker that runs it is told to stop,
 * and told again until it does. Refused when it has ended already or is unknown.
 */
export async function cancelLife(
  { writer, endings, redis, keys }: CancelOptions,
  { kind, id }: { readonly kind: Kind; readonly id: string },
): Promise<void> {
  const life = await writer.write(async (lives) => {
    const found = await findLife(lives, kind, id);
    const { phase, reason } = found.row;
    if (phase === 'ended') {
      const status = kind === 'experiment' ? experimentStatus(phase, reason) : datasetStatus(phase, reason);
      const facts = { what: kind, id, status };
      throw refused('conflict', [{ path: [], parameter: 'id', code: 'ended-already', facts }]);
    }
    found.requestCancel();
    return { fence: found.row.fence, enqueued: found.row.enqueued, decided: found.row.ending !== null };
  });
  if (life.decided) return endings.settle(id);
  if (life.enqueued && (await endings.cancelUnclaimed(kind, id, life.fence))) return;
  // Without Redis the reconciler says it later.
  if (redis.status === 'ready') await publishCommand(redis, keys, { type: 'cancel', kind, id, fence: life.fence });
}
