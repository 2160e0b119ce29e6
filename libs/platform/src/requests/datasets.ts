import {
  type DatasetDryRun,
  type DatasetList,
  type DatasetQuery,
  DatasetSpec,
  type DatasetView,
  type RetryBudget,
} from '@longrun/contracts';

import { type ByteRange, CorruptBlob, ObjectAbsent, type ObjectStore } from '@longrun/serialization';

import { sql, type Transaction } from 'kysely';

import { begin, newId } from '../life/begin.js';
import type { Lives } from '../life/lives.js';
import { sha256OfJson } from '../record/hash.js';
import type { PlatformRecord } from '../record/record.js';
import type { DatasetRow, LifeRow, Tables } from '../record/tables.js';
import { AskedStore } from './asked-store.js';
import { type CancelOptions, cancelLife } from './cancel-life.js';
import { checkedBytes } from './checked-bytes.js';
import { deleteDataset } from './delete-dataset.js';
import { idBegins } from './id-beginning.js';
import { readLife } from './life-reading.js';
import { nameUnknown } from './names.js';
import { readPage } from './pages.js';
import { refused, type RequestRefused } from './request-refused.js';
import { type StoredFile, URL_VALID_MS } from './stored-file.js';
import { type Made, type Submission, Submissions, type SubmitOptions } from './submissions.js';
import { datasetSummary } from './views.js';

export interface DatasetsOptions extends CancelOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
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
  readonly #submissions: Submissions<DatasetSpec, DatasetView>;

  constructor(options: DatasetsOptions) {
    this.#options = options;
    // One after the other: the second of two with one name is to find what the first has made.
    this.#submissions = new Submissions(options.writer, 'dataset', async (lives, all) => {
      const made: (Made<DatasetView> | RequestRefused)[] = [];
      for (const submission of all) made.push(await this.#findOrMake(lives, submission));
      return made;
    });
  }

  /**
   * Queues a conversion, or answers the one that an identical request made. Refused: an unknown converter, a name that
   * means another dataset, an idempotency key that was used for another spec. A dataset that failed leaves its name free.
   */
  async submit(spec: DatasetSpec, options: SubmitOptions = {}): Promise<SubmittedDataset> {
    this.#checkConverter(spec);
    const { id, view } = await this.#submissions.submit(spec, options);
    return { dataset: view ?? (await this.get(id)), created: view !== undefined };
  }

  /** What {@link submit} would record or answer, without recording anything. Refused as that would be. */
  async dryRun(spec: DatasetSpec): Promise<DatasetDryRun> {
    this.#checkConverter(spec);
    const existing = await this.#options.record.transact((transaction) =>
      findExisting(transaction, { body: spec, sha256: sha256OfJson(spec) }),
    );
    if (existing instanceof Error) throw existing;
    return { name: spec.name, spec, existing: existing?.id ?? null };
  }

  /** A dataset by id or, among those that have not failed, by name. Refused when there is none. */
  async get(idOrName: string): Promise<DatasetView> {
    const row = await this.#select()
      .where((where) =>
        where.or([
          where('lives.id', '=', idOrName),
          where.and([where('datasets.name', '=', idOrName), where('datasets.current', '=', true)]),
        ]),
      )
      .executeTakeFirst();
    return readLife(this.#options.record, { what: 'dataset', id: idOrName }, row, summaryOf);
  }

  /**
   * The file of a dataset that is ready, by its id or name. Refused when there is none, or it is not as it was put there.
   *
   * @param signal Aborted, nothing is read any more
   * @throws ObjectsUnreachable
   */
  async file(idOrName: string, signal: AbortSignal): Promise<StoredFile> {
    const { id, name, status, message, result } = await this.get(idOrName);
    if (result === null) {
      throw refused('conflict', [
        { path: [], parameter: 'id', code: 'not-ready', facts: { dataset: name, status, message } },
      ]);
    }
    const { fileKey, sha256, sizeBytes } = result;
    const store = new AskedStore(this.#options.store, signal);
    const damaged = (says: string): RequestRefused =>
      refused('unreadable', [{ path: [], code: 'dataset-damaged', facts: { dataset: id, says } }]);
    const facts = await store.head(fileKey);
    if (facts === undefined) throw damaged(`there is no object ${fileKey}`);
    if (facts.sizeBytes !== sizeBytes) {
      throw damaged(`object ${fileKey} has ${facts.sizeBytes} bytes but ${sizeBytes} were put there`);
    }
    const file = { name: `${name}.hdf5`, sha256, sizeBytes };
    return {
      ...file,
      async *read(range?: ByteRange) {
        try {
          const bytes = store.openRead(fileKey, { range });
          yield* range === undefined ? checkedBytes(bytes, file) : bytes;
        } catch (error) {
          if (error instanceof CorruptBlob || error instanceof ObjectAbsent) throw damaged(error.message);
          throw error;
        }
      },
      url: () => store.downloadUrl(fileKey, { validMs: URL_VALID_MS, fileName: file.name }),
    };
  }

  /** One page of the datasets that fit a query, newest first. */
  async list({ exactName, id, ...options }: Partial<DatasetQuery> = {}): Promise<DatasetList> {
    const rowsBelow = (place: number, limit: number) =>
      this.#select()
        .where('lives.place', '<', place)
        .$if(exactName !== undefined, (query) => query.where('datasets.name', '=', exactName ?? ''))
        .$if(id !== undefined, (query) => query.where(idBegins(sql`lives.id`, 'ds', id ?? '')))
        .orderBy('lives.place', 'desc')
        .limit(limit)
        .execute();
    return readPage(options, rowsBelow, summaryOf);
  }

  /**
   * Cancels a conversion, by the dataset's id or name. One that waits has ended when this returns; one that runs is given up
   * by its worker: `cancelRequested` says so meanwhile. It counts as failed: its name is free. Refused when it has ended or is
   * unknown.
   */
  async cancel(idOrName: string): Promise<DatasetView> {
    const { id } = await this.get(idOrName);
    await cancelLife(this.#options, { kind: 'dataset', id });
    return this.get(id);
  }

  /** Deletes a dataset, by its id or name, see {@link deleteDataset}. */
  async delete(idOrName: string): Promise<void> {
    const { id } = await this.get(idOrName);
    await deleteDataset(this.#options.writer, id);
  }

  #checkConverter({ converter }: DatasetSpec): void {
    const { converters } = this.#options;
    if (converters?.includes(converter) === false) {
      throw refused('invalid-request', [nameUnknown('converter', converter, converters)]);
    }
  }

  async #findOrMake(lives: Lives, submission: Submission<DatasetSpec>): Promise<Made<DatasetView> | RequestRefused> {
    const existing = await findExisting(lives.transaction, submission);
    if (existing !== undefined) return existing;
    const { body: spec } = submission;
    const { name } = spec;
    const id = newId('dataset');
    const row = await begin(lives, {
      id,
      kind: 'dataset',
      name,
      spec,
      priority: 0,
      retry: this.#options.retry,
      origin: null,
    });
    await lives.transaction
      .insertInto('datasets')
      .values({ id, name, spec: JSON.stringify(spec) })
      .execute();
    return { id, view: { ...datasetSummary(row, { id, name, spec, current: true }), attempts: [] } };
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
        .where('lives.deletedAt', 'is', null)
    );
  }
}

/** The dataset that an identical request has made, the refusal of another one of its name, or undefined where the name is free. */
async function findExisting(
  transaction: Transaction<Tables>,
  { body: { name }, sha256 }: Submission<DatasetSpec>,
): Promise<Made<never> | RequestRefused | undefined> {
  const existing = await transaction
    .selectFrom('datasets')
    .select(['id', 'spec'])
    .where('name', '=', name)
    .where('current', '=', true)
    .executeTakeFirst();
  if (existing === undefined) return undefined;
  // What has got a default since it was submitted has it there, too.
  if (sha256OfJson(DatasetSpec.parse(existing.spec)) === sha256) return { id: existing.id, view: undefined };
  return refused('conflict', [{ path: ['name'], code: 'name-taken', facts: { name, by: existing.id } }]);
}

function summaryOf(row: LifeRow & DatasetRow): ReturnType<typeof datasetSummary> {
  return datasetSummary(row, row);
}
