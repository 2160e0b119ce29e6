import {
  type ExperimentChange,
  ExperimentComparison,
  ExperimentDryRun,
  ExperimentExport,
  ExperimentList,
  type ExperimentQueryInput,
  type ExperimentSpecInput,
  ExperimentView,
  type ExportedExperiment,
  type ExportQueryInput,
  type Hyperparameters,
  isTerminal,
  type LiveEvent,
  LogPage,
  type StoredLogRow,
} from '@longrun/contracts';

import type { ApiConnection } from '../api-connection.js';
import { eventsSoFar, followEvents, type FollowOptions } from '../experiment-events.js';
import { EXPERIMENTS_PATH, experimentPath } from '../experiment-path.js';
import { newIdempotencyKey, type SubmissionOptions } from '../idempotency-key.js';
import { looks, type LooksOptions } from '../looks.js';
import { queryText } from '../query-text.js';

/** What is done with an experiment that is there. */
export type Verb = 'cancel' | 'preempt' | 'pause' | 'resume' | 'retry';

/** `/v1/experiments`. An id is whole. Every method throws as those of {@link ApiConnection}. */
export class Experiments {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  async submit(
    spec: ExperimentSpecInput,
    { idempotencyKey = newIdempotencyKey(), signal }: SubmissionOptions = {},
  ): Promise<ExperimentView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#connection.json(ExperimentView, EXPERIMENTS_PATH, {
      method: 'POST',
      body: spec,
      headers,
      signal,
    });
  }

  /** Submits one once more, the very same. */
  async reproduce(
    id: string,
    { idempotencyKey = newIdempotencyKey(), signal }: SubmissionOptions = {},
  ): Promise<ExperimentView> {
    const headers = { 'idempotency-key': idempotencyKey };
    const path = `${experimentPath(id)}/reproduce`;
    return await this.#connection.json(ExperimentView, path, { method: 'POST', headers, signal });
  }

  /** How the results of two compare. It may take as long as it likes. */
  async comparison(a: string, b: string, signal?: AbortSignal): Promise<ExperimentComparison> {
    const path = `${experimentPath(a)}/comparison?${queryText({ with: b })}`;
    return await this.#connection.slow(ExperimentComparison, path, { signal });
  }

  /** How two compare at one look after the other, up to the one at which both have ended. A broken connection is made again. */
  lookAtComparison(
    [a, b]: readonly [string, string],
    options: LooksOptions = {},
  ): AsyncGenerator<ExperimentComparison, void, undefined> {
    return looks(
      () => this.comparison(a, b, options.signal),
      ({ verdict }) => verdict !== 'undecided',
      options,
    );
  }

  /** What a submission would record; it records nothing. */
  async dryRun(spec: ExperimentSpecInput): Promise<ExperimentDryRun> {
    return await this.#connection.json(ExperimentDryRun, `${EXPERIMENTS_PATH}/dry-run`, { method: 'POST', body: spec });
  }

  async get(id: string, signal?: AbortSignal): Promise<ExperimentView> {
    return await this.#connection.json(ExperimentView, experimentPath(id), { signal });
  }

  /** One page of those that fit a query. */
  async list(query: ExperimentQueryInput = {}, signal?: AbortSignal): Promise<ExperimentList> {
    return await this.#connection.json(ExperimentList, `${EXPERIMENTS_PATH}?${queryText(query)}`, { signal });
  }

  /** All that fit a query with their specs and metrics, oldest first. */
  async *export(query: ExportQueryInput = {}): AsyncGenerator<ExportedExperiment, void, undefined> {
    for (let cursor: string | null | undefined = query.cursor; cursor !== null;) {
      const path = `${EXPERIMENTS_PATH}/export?${queryText({ limit: 200, ...query, cursor })}`;
      const page: ExperimentExport = await this.#connection.json(ExperimentExport, path);
      yield* page.items;
      cursor = page.nextCursor;
    }
  }

  async act(id: string, verb: Verb): Promise<ExperimentView> {
    return await this.#connection.json(ExperimentView, `${experimentPath(id)}/${verb}`, { method: 'POST' });
  }

  /** Changes notes, tags or priority. */
  async change(id: string, change: ExperimentChange): Promise<ExperimentView> {
    return await this.#connection.json(ExperimentView, experimentPath(id), { method: 'PATCH', body: change });
  }

  /** Has hyperparameters of one that trains set before its next batch. */
  async set(id: string, hyperparameters: Hyperparameters): Promise<ExperimentView> {
    const body = { hyperparameters };
    return await this.#connection.json(ExperimentView, `${experimentPath(id)}/set`, { method: 'POST', body });
  }

  /** Deletes one that has ended, for good. */
  async delete(id: string): Promise<void> {
    await this.#connection.done(experimentPath(id), { method: 'DELETE' });
  }

  /** One page of the training log, by step. */
  async log(
    id: string,
    query: { readonly after?: number; readonly limit?: number },
    signal?: AbortSignal,
  ): Promise<LogPage> {
    return await this.#connection.json(LogPage, `${experimentPath(id)}/log?${queryText(query)}`, { signal });
  }

  /** All rows of the training log by step, as they hold now. */
  async *logRows(id: string): AsyncGenerator<StoredLogRow, void, undefined> {
    for (let after: number | null = -1; after !== null;) {
      const page: LogPage = await this.log(id, { after, limit: 5_000 });
      yield* page.items;
      after = page.nextAfter;
    }
  }

  /**
   * The events of an experiment, each once and in order, up to the last one, once it has ended. A broken connection is made
   * again from the last event seen.
   */
  follow(id: string, options: FollowOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    return followEvents(this.#connection, id, options);
  }

  /**
   * The events that have happened by now, each once and in order; progress is not among them. The API says where they end,
   * however long that takes.
   *
   * @throws ApiUnreachable when the connection breaks before that: what was yielded is not all
   */
  eventsSoFar(id: string, signal?: AbortSignal): AsyncGenerator<LiveEvent, void, undefined> {
    return eventsSoFar(this.#connection, id, signal);
  }

  /** What is seen of one at one look after the other, up to that at which it has ended. A broken connection is made again. */
  lookAt(id: string, options: LooksOptions = {}): AsyncGenerator<ExperimentView, void, undefined> {
    return looks(
      () => this.get(id, options.signal),
      ({ status }) => isTerminal(status),
      options,
    );
  }
}
