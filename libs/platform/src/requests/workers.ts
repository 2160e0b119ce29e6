import type { WorkerList, WorkerStatus, WorkerView } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import { audit, USER } from '../record/audit.js';
import type { PlatformRecord } from '../record/record.js';
import { recentWorkers } from '../record/recent-workers.js';
import type { WorkerRow } from '../record/tables.js';
import type { RedisKeys } from '../redis/keys.js';
import { commandFor, publishCommand } from '../worker/commands.js';
import { refused } from './request-refused.js';

export interface WorkersOptions {
  readonly record: PlatformRecord;
  readonly redis: Redis;
  readonly keys: RedisKeys;
}

/** What users do with workers. Every method that refuses throws `RequestRefused`. */
export class Workers {
  readonly #options: WorkersOptions;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Those that are alive or were seen in the last day, the newest first; at most 1,000. */
  async list(): Promise<WorkerList> {
    const rows = await recentWorkers(this.#options.record.db).orderBy('lastSeenAt', 'desc').limit(1_000).execute();
    return { items: rows.map(workerView) };
  }

  /** Has a worker finish what it runs and take no further job, until it is released. Refused when there is none with this id. */
  async drain(id: string, reason?: string): Promise<WorkerView> {
    return this.#want(id, 'draining', reason ?? 'Drained on request');
  }

  /** Lets a worker take jobs again. Refused when there is none with this id. */
  async release(id: string): Promise<WorkerView> {
    return this.#want(id, 'ready', null);
  }

  async #want(id: string, status: Exclude<WorkerStatus, 'quarantined'>, reason: string | null): Promise<WorkerView> {
    const { record, redis, keys } = this.#options;
    const row = await record.transact(async (transaction) => {
      const before = await transaction
        .selectFrom('workers')
        .selectAll()
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (before === undefined) {
        const facts = { what: 'worker', id } as const;
        throw refused('not-found', [{ path: [], parameter: 'id', code: 'not-found', facts }]);
      }
      await transaction.updateTable('workers').set({ status, statusReason: reason }).where('id', '=', id).execute();
      await audit(transaction, {
        actor: USER,
        action: status === 'draining' ? 'drain' : 'release',
        subject: id,
        before: { status: before.status, statusReason: before.statusReason },
        after: { status, statusReason: reason },
      });
      return { ...before, status, statusReason: reason };
    });
    // Without Redis the census says it later.
    if (redis.status === 'ready') await publishCommand(redis, keys, commandFor(row));
    return workerView(row);
  }
}

function workerView(row: WorkerRow): WorkerView {
  const { reportedStatus: _, reportedQuarantines: __, engines, firstSeenAt, lastSeenAt, ...facts } = row;
  return {
    ...facts,
    ...(engines === null ? {} : { engines }),
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  };
}
