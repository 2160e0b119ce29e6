import type { Transaction } from 'kysely';

import { audit } from '../record/audit.js';
import { run } from '../record/bulk.js';
import { chunksOf, isSmall, type LogChunk } from '../record/log-chunk.js';
import { insertChunks, mergeChunks, supersede } from '../record/log-store.js';
import type { AttemptRow, Tables } from '../record/tables.js';
import { saveNames } from './dataset-names.js';
import { Life } from './life.js';
import { saveMetrics } from './metric-summaries.js';
import { saveAttempts, saveCheckpoints, saveEvents, saveListed, saveLives, saveSettings } from './save.js';
import { addDoubtful } from './series.js';

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
    const found = rows.map(({ id }) => id);
    const wanted = [...new Set([...fences, ...rows.map(({ fence }) => fence)])];
    const attempts = await run<AttemptRow>(this.transaction, ATTEMPTS_TEXT, found, wanted);
    for (const row of rows) {
      const own = attempts.rows.filter(({ id }) => id === row.id);
      this.#loaded.set(row.id, new Life(row, own));
    }
    return this.#loaded;
  }

  /** Takes in a life that this transaction has made. */
  add(life: Life): void {
    this.#loaded.set(life.row.id, life);
  }

  /** All that were loaded or made. */
  all(): readonly Life[] {
    return [...this.#loaded.values()];
  }

  /** Writes what has changed. */
  async save(): Promise<void> {
    for (const life of this.all()) await addDoubtful(this.transaction, life);
    const touched = this.all().filter(({ changes }) => changes.touched);
    if (touched.length === 0) return;
    const chunks = touched.flatMap((life) => chunksOf(life.changes.entries).map((chunk) => ({ life, chunk })));
    for (const { life, chunk } of chunks) if (isSmall(chunk)) life.hasSmallChunk(chunk.fence);
    await saveLives(this.transaction, touched);
    await saveListed(this.transaction, touched);
    await saveNames(this.transaction, touched);
    await saveAttempts(this.transaction, touched);
    await this.#saveLog(touched, chunks);
    await saveEvents(this.transaction, touched);
    await saveSettings(this.transaction, touched);
    await saveCheckpoints(this.transaction, touched);
    await audit(this.transaction, ...touched.flatMap(({ changes }) => changes.audited));
  }

  async #saveLog(lives: readonly Life[], chunks: readonly { life: Life; chunk: LogChunk }[]): Promise<void> {
    for (const { row, changes } of lives) {
      for (const { fence, step } of changes.begun) await supersede(this.transaction, row.id, fence, step);
    }
    await insertChunks(
      this.transaction,
      chunks.map(({ life, chunk }) => ({ id: life.row.id, chunk })),
    );
    await saveMetrics(this.transaction, lives, chunks);
    for (const { id, fence } of toMerge(lives)) {
      const smallChunks = await mergeChunks(this.transaction, id, fence);
      await this.transaction
        .updateTable('attempts')
        .set({ smallChunks })
        .where('id', '=', id)
        .where('fence', '=', fence)
        .execute();
    }
  }
}

/** Attempts whose small chunks are to be merged now: those that are over, and one or two that have piled up many. */
function toMerge(lives: readonly Life[]): { id: string; fence: number }[] {
  const small = lives.flatMap((life) =>
    [...life.changes.attempts].filter(({ smallChunks }) => smallChunks > 1).map((attempt) => ({ life, attempt })),
  );
  const over = small.filter(({ life, attempt }) => life.changes.ended.has(attempt.fence));
  // Many attempts log alike: were all merged in one transaction, it would keep the others waiting.
  const full = small.filter((one) => one.attempt.smallChunks > MAX_SMALL_CHUNKS && !over.includes(one)).slice(0, 2);
  return [...over, ...full].map(({ attempt: { id, fence } }) => ({ id, fence }));
}

const MAX_SMALL_CHUNKS = 64;

/** A fence that was made up may be larger than any that was issued. */
const ATTEMPTS_TEXT = 'select * from attempts where id = any($1::text[]) and fence = any($2::bigint[])';
