import {
  DatasetDryRun,
  DatasetList,
  type DatasetQueryInput,
  type DatasetSpecInput,
  DatasetView,
  isTerminalDataset,
} from '@longrun/contracts';

import type { ApiConnection } from '../api-connection.js';
import { newIdempotencyKey, type SubmissionOptions } from '../idempotency-key.js';
import { looks, type LooksOptions } from '../looks.js';
import { queryText } from '../query-text.js';

/** `/v1/datasets`. One is meant by its id or its name. Every method throws as those of {@link ApiConnection}. */
export class Datasets {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** An identical earlier request is answered with what it has made, unless that may have been made of other raw files than are there. */
  async submit(
    spec: DatasetSpecInput,
    { idempotencyKey = newIdempotencyKey(), signal }: SubmissionOptions = {},
  ): Promise<DatasetView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#connection.json(DatasetView, PATH, { method: 'POST', body: spec, headers, signal });
  }

  /** What a submission would record; it records nothing. */
  async dryRun(spec: DatasetSpecInput): Promise<DatasetDryRun> {
    return await this.#connection.json(DatasetDryRun, `${PATH}/dry-run`, { method: 'POST', body: spec });
  }

  async get(id: string, signal?: AbortSignal): Promise<DatasetView> {
    return await this.#connection.json(DatasetView, `${PATH}/${encodeURIComponent(id)}`, { signal });
  }

  /** One page of those that fit a query, newest first. */
  async list(query: DatasetQueryInput = {}, signal?: AbortSignal): Promise<DatasetList> {
    return await this.#connection.json(DatasetList, `${PATH}?${queryText(query)}`, { signal });
  }

  /** Has one that is ready converted anew, as a new one that takes its name. */
  async rebuild(
    id: string,
    { idempotencyKey = newIdempotencyKey(), signal }: SubmissionOptions = {},
  ): Promise<DatasetView> {
    const headers = { 'idempotency-key': idempotencyKey };
    const path = `${PATH}/${encodeURIComponent(id)}/rebuild`;
    return await this.#connection.json(DatasetView, path, { method: 'POST', headers, signal });
  }

  /** Asks for the end of its conversion. */
  async cancel(id: string): Promise<DatasetView> {
    return await this.#connection.json(DatasetView, `${PATH}/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
  }

  /** Deletes one that no experiment needs any more, for good. */
  async delete(id: string): Promise<void> {
    await this.#connection.done(`${PATH}/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** What is seen of one at one look after the other, up to that at which it has ended. A broken connection is made again. */
  lookAt(id: string, options: LooksOptions = {}): AsyncGenerator<DatasetView, void, undefined> {
    return looks(
      () => this.get(id, options.signal),
      ({ status }) => isTerminalDataset(status),
      options,
    );
  }
}

const PATH = '/v1/datasets';
