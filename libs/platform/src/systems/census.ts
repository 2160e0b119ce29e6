import { performance } from 'node:perf_hooks';

import { WorkerReport } from '@longrun/contracts';
import type { Redis } from 'ioredis';
import type { Transaction } from 'kysely';
import { z } from 'zod';

import { audit, CONTROLLER } from '../record/audit.js';
import type { PlatformRecord } from '../record/record.js';
import { recentWorkers } from '../record/recent-workers.js';
import type { Tables, WorkerRow } from '../record/tables.js';
import type { Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import { parseJson } from '../redis/parse-json.js';
import { commandFor, publishCommand } from '../worker/commands.js';
import type { Connections } from './connections.js';
import { lookMsFor, ObservedTime } from '@longrun/serialization/observed-time';

export interface CensusOptions {
  readonly record: PlatformRecord;
  readonly redis: Redis;
  readonly keys: RedisKeys;
  /** A worker whose reports stand still for so long while Redis answers counts as gone, in milliseconds. */
  readonly goneAfterMs: number;
  readonly guard: (transaction: Transaction<Tables>) => Promise<void>;
  /** Told of all that have reported themselves. */
  readonly connections: Connections;
  readonly warn: Warn;
}

interface Heard {
  beat: number;
  /** When its beat was last another one, by the time that was observed. */
  changedAt: number;
  /** When the record was told of it last. */
  notedAt: number;
}

/** Takes what workers report of themselves into the record, and tells them to be what the record wants them to be. */
export class Census {
  readonly #options: CensusOptions;
  readonly #heard = new Map<string, Heard>();
  readonly #unreadable = new Set<string>();
  /** Runs while reports can be seen. */
  readonly #observed: ObservedTime;

  constructor(options: CensusOptions) {
    this.#options = options;
    this.#observed = new ObservedTime({ mostPerLookMs: lookMsFor(options.goneAfterMs) });
  }

  /** One look. Redis being away says nothing about workers. */
  async look(): Promise<void> {
    const { redis, keys } = this.#options;
    if (redis.status !== 'ready') {
      this.#observed.interrupted();
      return;
    }
    const reports = this.#read(await redis.hgetall(keys.workers));
    this.#observed.looked();
    this.#options.connections.know(reports);
    const known = await this.#known();
    const changes = [
      ...reports.flatMap((report) => this.#judge(report, known.get(report.workerId))),
      ...[...known.values()].filter(({ id, alive }) => alive && !reports.some(({ workerId }) => workerId === id)),
    ];
    await this.#write(changes);
    for (const report of reports) await this.#tell(report, known.get(report.workerId));
  }

  #read(hash: Readonly<Record<string, string>>): WorkerReport[] {
    return Object.entries(hash).flatMap(([workerId, text]) => {
      const parsed = WorkerReport.safeParse(parseJson(text));
      if (parsed.success && parsed.data.workerId === workerId) return [parsed.data];
      if (!this.#unreadable.has(workerId))
        this.#options.warn(
          `The report of worker ${workerId} cannot be read and is passed over: ${parsed.success ? 'it names another worker' : z.prettifyError(parsed.error)}`,
        );
      this.#unreadable.add(workerId);
      return [];
    });
  }

  async #known(): Promise<Map<string, WorkerRow>> {
    const rows = await recentWorkers(this.#options.record.db).execute();
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** What the record is to be told of a worker that is there: nothing, if it has it and not long ago. */
  #judge(report: WorkerReport, row: WorkerRow | undefined): WorkerReport[] {
    const { workerId, beat } = report;
    const heard = this.#heard.get(workerId) ?? { beat: 0, changedAt: 0, notedAt: -Infinity };
    this.#heard.set(workerId, heard);
    if (beat === heard.beat) return [];
    heard.beat = beat;
    heard.changedAt = this.#observed.ms;
    const now = performance.now();
    const isNew =
      row === undefined || !row.alive || row.reportedStatus !== report.status || isOtherQuarantine(report, row);
    const hasOtherFault =
      report.status === 'quarantined' && row?.status === 'quarantined' && row.statusReason !== report.statusReason;
    const runsOther = JSON.stringify(row?.attempts) !== JSON.stringify(report.attempts);
    if (!isNew && !hasOtherFault && !runsOther && now - heard.notedAt < NOTE_EVERY_MS) return [];
    heard.notedAt = now;
    return [report];
  }

  #isSilent({ changedAt }: Heard): boolean {
    return this.#observed.ms - changedAt > this.#options.goneAfterMs;
  }

  async #write(changes: readonly (WorkerReport | WorkerRow)[]): Promise<void> {
    const gone = [
      ...changes.flatMap((change) => ('workerId' in change ? [] : [change.id])),
      ...[...this.#heard].filter(([, heard]) => this.#isSilent(heard)).map(([id]) => id),
    ];
    const reports = changes.flatMap((change) => ('workerId' in change ? [change] : []));
    if (gone.length === 0 && reports.length === 0) return;
    await this.#options.record.transact(async (transaction) => {
      await this.#options.guard(transaction);
      for (const report of reports) await note(transaction, report);
      if (gone.length > 0)
        await transaction.updateTable('workers').set({ alive: false }).where('id', 'in', gone).execute();
    });
    for (const id of gone) {
      this.#heard.delete(id);
      // A report that stands still for long is one of a process that could not say goodbye.
      if (!changes.some((change) => 'id' in change && change.id === id))
        await this.#options.redis.hdel(this.#options.keys.workers, id);
    }
  }

  /** Pub/sub forgets: it is said until the worker reports that it is so. */
  async #tell(report: WorkerReport, row: WorkerRow | undefined): Promise<void> {
    const { redis, keys } = this.#options;
    if (row === undefined || row.status === report.status || row.status === 'quarantined') return;
    // Its quarantine was not known when the record last said what it wants.
    if (report.status === 'quarantined' && isOtherQuarantine(report, row)) return;
    await publishCommand(redis, keys, commandFor(row));
  }
}

/** Writes a report over what is there; what the record wants of the worker stays, but for its quarantine. */
async function note(transaction: Transaction<Tables>, report: WorkerReport): Promise<void> {
  const { workerId, beat: _beat, connection: _connection, status, statusReason, quarantines = 0, ...facts } = report;
  const at = new Date();
  const columns = {
    ...facts,
    labels: JSON.stringify(facts.labels),
    devices: JSON.stringify(facts.devices),
    engines: facts.engines === undefined ? null : JSON.stringify(facts.engines),
    attempts: JSON.stringify(facts.attempts),
    reportedStatus: status,
    reportedQuarantines: quarantines,
    alive: true,
    lastSeenAt: at,
  };
  const before = await transaction
    .selectFrom('workers')
    .select(['status', 'statusReason', 'reportedStatus', 'reportedQuarantines'])
    .where('id', '=', workerId)
    .executeTakeFirst();
  const stands = { status, statusReason: statusReason ?? null };
  const turns = before !== undefined && turnsBy(report, before);
  await transaction
    .insertInto('workers')
    .values({ id: workerId, ...columns, ...stands, firstSeenAt: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...columns, ...(turns && stands) }))
    .execute();
  if (before === undefined)
    await audit(transaction, {
      actor: CONTROLLER,
      action: 'worker-seen',
      subject: workerId,
      before: null,
      after: { status, host: facts.host },
    });
  else if (turns && status !== before.status)
    await audit(transaction, {
      actor: CONTROLLER,
      action: status === 'quarantined' ? 'quarantine' : 'release',
      subject: workerId,
      before: { status: before.status, statusReason: before.statusReason },
      after: stands,
    });
}

/**
 * Whether the worker's own word on its fitness is what the record wants from now on. A quarantine that was lifted by a user, which the
 * worker has not heard of yet, is not taken in again; one that is drained takes no jobs anyway.
 */
function turnsBy(report: WorkerReport, before: Wanted & Reported): boolean {
  const { status, statusReason } = report;
  if (before.status === 'quarantined') return status !== 'quarantined' || statusReason !== before.statusReason;
  return status === 'quarantined' && before.status === 'ready' && isOtherQuarantine(report, before);
}

/** Whether the worker is in a quarantine, or was in one, that is not the one the record has last heard of. */
function isOtherQuarantine({ status, quarantines = 0 }: WorkerReport, before: Reported): boolean {
  return before.reportedQuarantines !== quarantines || (status === 'quarantined' && before.reportedStatus !== status);
}

type Wanted = Pick<WorkerRow, 'status' | 'statusReason'>;
type Reported = Pick<WorkerRow, 'reportedStatus' | 'reportedQuarantines'>;

/** The record is told that nothing has changed so rarely. */
const NOTE_EVERY_MS = 5_000;
