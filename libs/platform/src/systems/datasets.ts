import type { DatasetList, DatasetSpec, DatasetView, RetryBudget } from '@longrun/contracts';

import type { Lives } from '../life/lives.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { DatasetRow, LifeRow } from '../record/tables.js';
import { conflict, notFound, unprocessable } from '../request-refused.js';
import { giveOneOf } from './near-names.js';
import { cutPage, type PageOptions, placeBelow } from './pages.js';
import { begin, findByKey, isDuplicate, newId, rememberKey, requestSha256, type SubmitOptions } from './submission.js';
import { attemptView, datasetSummary } from './views.js';

export interface DatasetsOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  /** Names of the converters that workers have; undefined lets every name pass. */
  readonly converters: readonly string[] | undefined;
  readonly retry: RetryBudget;
}

/** A dataset, and whether this request made it or one before. */
export interface SubmittedDataset {
  readonly dataset: DatasetView;
  readonly created: boolean;
}

/** What users do with datasets. Every method that refuses throws `RequestRefused`. */
export class Datasets {
  readonly #options: DatasetsOptions;

  constructor(options: DatasetsOptions) {
    this.#options = options;
  }

  /**
   * Queues a conversion, or answers the one that an identical request made. Refused: an unknown converter (422), a
   * name that means another dataset (409). A dataset that failed leaves its name free.
   */
  async submit(spec: DatasetSpec, options: SubmitOptions = {}): Promise<SubmittedDataset> {
    const { converters } = this.#options;
    if (converters?.includes(spec.converter) === false) {
      const detail = `there is no converter ${JSON.stringify(spec.converter)}`;
      const remedy = giveOneOf(spec.converter, converters, 'this installation has no converters');
      throw unprocessable([{ pointer: '/converter', detail, remedy }]);
    }
    const sha256 = requestSha256(spec);
    const key = options.idempotencyKey;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const made = await this.#options.writer.write(async (lives) => {
          const before = key === undefined ? undefined : await findByKey(lives.transaction, 'dataset', key, sha256);
          if (before !== undefined) return { id: before, created: false };
          const found = await this.#findOrCreate(lives, spec, sha256);
          if (key !== undefined) await rememberKey(lives.transaction, 'dataset', key, sha256, found.id);
          return found;
        });
        return { dataset: await this.get(made.id), created: made.created };
      } catch (error) {
        // Two requests for one name at once: the second look finds what the other has made.
        if (!isDuplicate(error) || attempt >= 3) throw error;
      }
    }
  }

  /** A dataset by id or, among those that have not failed, by name. Refused when there is none (404). */
  async get(idOrName: string): Promise<DatasetView> {
    const row = await this.#select()
      .where((where) =>
        where.or([
          where('lives.id', '=', idOrName),
          where.and([where('datasets.name', '=', idOrName), where('datasets.current', '=', true)]),
        ]),
      )
      .executeTakeFirst();
    if (row === undefined) throw notFound('dataset', idOrName);
    const attempts = await this.#options.record.db
      .selectFrom('attempts')
      .selectAll()
      .where('id', '=', row.id)
      .orderBy('fence')
      .execute();
    return { ...summaryOf(row), attempts: attempts.map(attemptView) };
  }

  /** One page of datasets, newest first. */
  async list(options: PageOptions = {}): Promise<DatasetList> {
    const limit = options.limit ?? 50;
    const below = placeBelow(options.cursor);
    let query = this.#select()
      .orderBy('lives.place', 'desc')
      .limit(limit + 1);
    if (below !== undefined) query = query.where('lives.place', '<', below);
    const { rows, nextCursor } = cutPage(await query.execute(), limit);
    return { items: rows.map(summaryOf), nextCursor };
  }

  async #findOrCreate(lives: Lives, spec: DatasetSpec, sha256: string): Promise<{ id: string; created: boolean }> {
    const existing = await lives.transaction
      .selectFrom('datasets')
      .select(['id', 'spec'])
      .where('name', '=', spec.name)
      .where('current', '=', true)
      .executeTakeFirst();
    if (existing !== undefined) {
      if (requestSha256(existing.spec) === sha256) return { id: existing.id, created: false };
      throw conflict(`The name ${spec.name} means dataset ${existing.id}, which was made from another request`, [
        { pointer: '/name', detail: `is taken by ${existing.id}`, remedy: 'choose another name, or use that dataset' },
      ]);
    }
    const id = newId('dataset');
    await begin(lives, { id, kind: 'dataset', priority: 0, retry: this.#options.retry });
    await lives.transaction
      .insertInto('datasets')
      .values({ id, name: spec.name, spec: JSON.stringify(spec) })
      .execute();
    return { id, created: true };
  }

  #select() {
    return (
      this.#options.record.db
        .selectFrom('lives')
        .innerJoin('datasets', 'datasets.id', 'lives.id')
        .selectAll('lives')
        .select(['datasets.name', 'datasets.spec', 'datasets.current'])
        // The index on places begins with it.
        .where('lives.kind', '=', 'dataset')
    );
  }
}

function summaryOf(row: LifeRow & DatasetRow): ReturnType<typeof datasetSummary> {
  return datasetSummary(row, row);
}
