import type { Insertable, Transaction, Updateable } from 'kysely';
import { sql } from 'kysely';

import type { AttemptRow, AttemptsTable, LifeRow, LivesTable, Tables } from '../record/tables.js';
import { Life } from './life.js';

/** The experiments and datasets that one transaction reads under lock and changes. */
export class Lives {
  readonly transaction: Transaction<Tables>;
  readonly #loaded = new Map<string, Life>();

  constructor(transaction: Transaction<Tables>) {
    this.transaction = transaction;
  }

  /** Locks a life; undefined when there is none with this id. */
  async find(id: string): Promise<Life | undefined> {
    return (await this.load([id])).get(id);
  }

  /**
   * Locks lives in the order of their ids, so that two transactions cannot wait for each other, and reads their
   * current attempts and those of `fences`.
   */
  async load(ids: readonly string[], fences: readonly number[] = []): Promise<ReadonlyMap<string, Life>> {
    const missing = ids.filter((id) => !this.#loaded.has(id));
    if (missing.length === 0) return this.#loaded;
    const rows = await this.transaction
      .selectFrom('lives')
      .selectAll()
      .where('id', 'in', missing)
      .orderBy('id')
      .forUpdate()
      .execute();
    if (rows.length === 0) return this.#loaded;
    const attempts = await this.transaction
      .selectFrom('attempts')
      .selectAll()
      .where('id', 'in', missing)
      .where('fence', 'in', [...new Set([...fences, ...rows.map((row) => row.fence)])])
      .execute();
    for (const row of rows) {
      this.#loaded.set(
        row.id,
        new Life(
          row,
          attempts.filter((attempt) => attempt.id === row.id),
        ),
      );
    }
    return this.#loaded;
  }

  /** All that were loaded. */
  all(): readonly Life[] {
    return [...this.#loaded.values()];
  }

  /** Writes what has changed. */
  async save(): Promise<void> {
    const changed = this.all().filter((life) => life.changed);
    for (const life of changed) {
      await this.transaction.updateTable('lives').set(toColumns(life.row)).where('id', '=', life.row.id).execute();
    }
    await this.#saveAttempts(changed.flatMap((life) => [...life.changedAttempts]));
    await this.#saveEvents(changed);
    await this.#saveLogRows(changed);
    await this.#saveCheckpoints(changed);
  }

  async #saveAttempts(attempts: readonly AttemptRow[]): Promise<void> {
    for (const attempt of attempts) {
      const columns = toAttemptColumns(attempt);
      await this.transaction
        .insertInto('attempts')
        .values(columns)
        .onConflict((conflict) => conflict.columns(['id', 'fence']).doUpdateSet(columns))
        .execute();
    }
  }

  async #saveEvents(lives: readonly Life[]): Promise<void> {
    const values = lives.flatMap((life) =>
      life.events.map((event) => ({
        id: life.row.id,
        event: event.id,
        type: event.type,
        at: new Date(event.at),
        data: JSON.stringify(event.data),
      })),
    );
    if (values.length > 0) await this.transaction.insertInto('events').values(values).execute();
  }

  async #saveLogRows(lives: readonly Life[]): Promise<void> {
    for (const life of lives) {
      if (life.truncateAfter === null) continue;
      await this.transaction
        .deleteFrom('logRows')
        .where('id', '=', life.row.id)
        .where('step', '>', life.truncateAfter)
        .execute();
    }
    const values = lives.flatMap((life) =>
      [...life.logRows].map(([step, row]) => ({ id: life.row.id, step, row: JSON.stringify(row) })),
    );
    if (values.length === 0) return;
    await this.transaction
      .insertInto('logRows')
      .values(values)
      // A row can come in parts: monitoring of the batch, then of the epoch.
      .onConflict((conflict) =>
        conflict.columns(['id', 'step']).doUpdateSet({ row: sql<string>`log_rows."row" || excluded."row"` }),
      )
      .execute();
  }

  async #saveCheckpoints(lives: readonly Life[]): Promise<void> {
    const values = lives.flatMap((life) => life.checkpoints.map((checkpoint) => ({ id: life.row.id, ...checkpoint })));
    if (values.length === 0) return;
    await this.transaction
      .insertInto('checkpoints')
      .values(values)
      .onConflict((conflict) => conflict.columns(['id', 'step', 'fence']).doNothing())
      .execute();
  }
}

/** The columns of a life that can change. */
function toColumns(row: LifeRow): Updateable<LivesTable> {
  return {
    phase: row.phase,
    reason: row.reason,
    message: row.message,
    result: toJson(row.result),
    ending: toJson(row.ending),
    fence: row.fence,
    enqueued: row.enqueued,
    queueRank: row.queueRank,
    notBefore: row.notBefore,
    failures: row.failures,
    preemptions: row.preemptions,
    cancelRequested: row.cancelRequested,
    progress: toJson(row.progress),
    lastEvent: row.lastEvent,
    logGapTo: row.logGapTo,
    logCompleteTo: row.logCompleteTo,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
  };
}

function toAttemptColumns(attempt: AttemptRow): Insertable<AttemptsTable> {
  return {
    ...attempt,
    environment: toJson(attempt.environment),
    rejectedCheckpoints: toJson(attempt.rejectedCheckpoints),
  };
}

function toJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
