import {
  type DatasetDryRun,
  type DatasetList,
  type DatasetQuery,
  type DatasetSpec,
  type DatasetView,
  writtenDatasetSpec,
} from '@longrun/contracts';

import { type ByteRange, CorruptBlob, ObjectAbsent, type ObjectStore } from '@longrun/serialization';

import { sql } from 'kysely';

import type { PlatformRecord } from '../record/record.js';
import type { LifeRow } from '../record/tables.js';
import { AskedStore } from './asked-store.js';
import { type CancelOptions, cancelLife } from './cancel-life.js';
import { checkedBytes } from './checked-bytes.js';
import { type DatasetRequest, findOrMake, isCalled, type MakingOptions, submissionOf } from './dataset-requests.js';
import { deleteDataset } from './delete-dataset.js';
import { idBegins } from './id-beginning.js';
import { withParams } from './known-converter.js';
import { readLife } from './life-reading.js';
import { readPage } from './pages.js';
import { refused, type RequestRefused } from './request-refused.js';
import { type StoredFile, URL_VALID_MS } from './stored-file.js';
import { type Made, Submissions, type SubmitOptions } from './submissions.js';
import { datasetSummary, type ListedDataset } from './views.js';

export interface DatasetsOptions extends CancelOptions, MakingOptions {
  readonly record: PlatformRecord;
  readonly store: ObjectStore;
}

/** A dataset, and whether this request made it or one before. */
export interface SubmittedDataset {
  readonly dataset: DatasetView;
  readonly created: boolean;
}

/** What users do with datasets. Every method that refuses throws `RequestRefused`. */
export class Datasets {
  readonly #options: DatasetsOptions;
  readonly #submissions: Submissions<DatasetRequest, DatasetView>;

  constructor(options: DatasetsOptions) {
    this.#options = options;
    // One after the other: the second of two with one name is to find what the first has made.
    this.#submissions = new Submissions(
      options.writer,
      'dataset',
      async (lives, all) => {
        const made: (Made<DatasetView> | RequestRefused)[] = [];
        for (const { body } of all) made.push(await findOrMake(lives, body, options));
        return made;
      },
      (request) => ('spec' in request ? writtenDatasetSpec(request.spec) : request),
    );
  }

  /**
   * Queues a conversion, or answers the one that an identical request made. Where that one is ready and may have been made of other raw files than are there now, a new one
   * takes its name, and gives it back unless they are others. Refused: an unknown converter, params that it has not, a name that means another dataset, an idempotency key that was used for another
   * spec. A dataset that failed leaves its name to the one before it, or free.
   */
  async submit(spec: DatasetSpec, options: SubmitOptions = {}): Promise<SubmittedDataset> {
    return await this.#submit({ spec: withParams(spec, this.#options.converters) }, options);
  }

  /**
   * Queues the conversion of a dataset that is ready, by its id or name, as a new one that takes its name, whatever it is made of. Refused: one that is unknown, is still
   * converted, or has its name no more.
   */
  async rebuild(idOrName: string, options: SubmitOptions = {}): Promise<SubmittedDataset> {
    return await this.#submit({ rebuild: idOrName }, options);
  }

  /** What {@link submit} would record or answer, without recording anything. Refused as that would be. */
  async dryRun(asked: DatasetSpec): Promise<DatasetDryRun> {
    const { record, converters } = this.#options;
    const spec = withParams(asked, converters);
    const next = await record.transact((transaction) => submissionOf(transaction, spec, converters));
    if (next instanceof Error) throw next;
    const existing = next.action === 'answer' ? next.id : next.predecessor;
    return { name: spec.name, spec, existing, action: next.action };
  }

  /** A dataset by its id, or the one that a name means. Refused when there is none. */
  async get(idOrName: string): Promise<DatasetView> {
    const row = await this.#select().where(isCalled(idOrName)).executeTakeFirst();
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
        // What was found to be another one is known by its id alone.
        .where(sql`lives.result ->> 'sameAs'`, 'is', null)
        .$if(exactName !== undefined, (query) => query.where('datasets.name', '=', exactName ?? ''))
        .$if(id !== undefined, (query) => query.where(idBegins(sql`lives.id`, 'ds', id ?? '')))
        .orderBy('lives.place', 'desc')
        .limit(limit)
        .execute();
    return readPage(options, rowsBelow, summaryOf);
  }

  /**
   * Cancels a conversion, by the dataset's id or name. One that waits has ended when this returns; one that runs is given up
   * by its worker: `cancelRequested` says so meanwhile. It counts as failed: its name goes back to the one before it, or is free. Refused when it has
   * ended or is unknown.
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

  async #submit(request: DatasetRequest, options: SubmitOptions): Promise<SubmittedDataset> {
    const { id, view } = await this.#submissions.submit(request, options);
    return { dataset: view ?? (await this.get(id)), created: view !== undefined };
  }

  #select() {
    return (
      this.#options.record.db
        .selectFrom('lives')
        .innerJoin('datasets', 'datasets.id', 'lives.id')
        .selectAll('lives')
        .select(['datasets.name', 'datasets.spec', 'datasets.current', 'datasets.predecessor'])
        .select(sameContent.as('sameContent'))
        // The index on places begins with it.
        .where('lives.kind', '=', 'dataset')
        .where('lives.deletedAt', 'is', null)
    );
  }
}

/** Whether the file of the dataset in `lives` and that of its predecessor are the same bytes. */
const sameContent = sql<boolean | null>`(
  select before.result ->> 'sha256' = lives.result ->> 'sha256' from lives before where before.id = datasets.predecessor)`;

function summaryOf(row: LifeRow & ListedDataset): ReturnType<typeof datasetSummary> {
  return datasetSummary(row, row);
}
