import { randomUUID } from 'node:crypto';

import {
  CheckpointVerification,
  DatasetDryRun,
  DatasetList,
  type DatasetQueryInput,
  type DatasetSpecInput,
  DatasetView,
  type DrainRequest,
  type ExperimentChange,
  ExperimentComparison,
  ExperimentDryRun,
  ExperimentList,
  type ExperimentQueryInput,
  type ExperimentSpecInput,
  ExperimentView,
  type Hyperparameters,
  isTerminal,
  isTerminalDataset,
  LiveEvent,
  LogPage,
  MetricList,
  MetricSeries,
  ProgramList,
  ProgramView,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
  type StoredLogRow,
  WorkerList,
  WorkerView,
} from '@longrun/contracts';

import { ParseError } from 'eventsource-parser';

import { ApiConnection, type ApiConnectionOptions, type ApiRequest, type Shape } from './api-connection.js';
import { serverSentEvents } from './event-stream.js';
import { FileReading } from './file-reading.js';
import { looks, type LooksOptions } from './looks.js';
import { isPassing } from './network-failure.js';
import { Reconnection, type ReconnectionOptions } from './reconnection.js';

/** How an experiment is followed. */
export interface FollowOptions extends ReconnectionOptions {
  /** Go on after this event. Default 0: from the first one. */
  readonly afterId?: number;
}

/**
 * Talks to the API. Every method throws ApiProblem when the API refuses, ApiUnreachable when it does not answer, NotLongrun when what
 * answers is no such API.
 */
export class Client {
  /** The files of checkpoints, each by its path. */
  readonly files: FileReading;
  readonly #connection: ApiConnection;

  constructor(options: ApiConnectionOptions) {
    this.#connection = new ApiConnection(options);
    this.files = new FileReading(this.#connection);
  }

  /** Address of the API. */
  get url(): string {
    return this.#connection.url;
  }

  /** Submits an experiment. The same key (default: a new one) submits at most once, however often it is tried. */
  async submitExperiment(
    spec: ExperimentSpecInput,
    idempotencyKey: string = randomUUID(),
    signal?: AbortSignal,
  ): Promise<ExperimentView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#connection.json(ExperimentView, '/v1/experiments', {
      method: 'POST',
      body: spec,
      headers,
      signal,
    });
  }

  /** Submits an experiment once more, the very same. The same key submits at most once. */
  async reproduceExperiment(id: string, idempotencyKey: string, signal?: AbortSignal): Promise<ExperimentView> {
    const path = `/v1/experiments/${encodeURIComponent(id)}/reproduce`;
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#connection.json(ExperimentView, path, { method: 'POST', headers, signal });
  }

  /** How the results of two experiments compare. It may take as long as it likes. */
  async comparison(a: string, b: string, signal?: AbortSignal): Promise<ExperimentComparison> {
    const path = `/v1/experiments/${encodeURIComponent(a)}/comparison?${search({ with: b })}`;
    return await this.#wholeAnswer(ExperimentComparison, path, { signal });
  }

  /** Submits a dataset; an identical earlier request is answered with what it has made. */
  async submitDataset(
    spec: DatasetSpecInput,
    idempotencyKey: string = randomUUID(),
    signal?: AbortSignal,
  ): Promise<DatasetView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#connection.json(DatasetView, '/v1/datasets', { method: 'POST', body: spec, headers, signal });
  }

  /** What a submission would record of an experiment; it records nothing. */
  async dryRunExperiment(spec: ExperimentSpecInput): Promise<ExperimentDryRun> {
    return await this.#connection.json(ExperimentDryRun, '/v1/experiments/dry-run', { method: 'POST', body: spec });
  }

  /** What a submission would record of a dataset; it records nothing. */
  async dryRunDataset(spec: DatasetSpecInput): Promise<DatasetDryRun> {
    return await this.#connection.json(DatasetDryRun, '/v1/datasets/dry-run', { method: 'POST', body: spec });
  }

  async experiment(id: string, signal?: AbortSignal): Promise<ExperimentView> {
    return await this.#connection.json(ExperimentView, `/v1/experiments/${encodeURIComponent(id)}`, { signal });
  }

  async dataset(id: string, signal?: AbortSignal): Promise<DatasetView> {
    return await this.#connection.json(DatasetView, `/v1/datasets/${encodeURIComponent(id)}`, { signal });
  }

  /** One page of those that fit a query. */
  async experiments(query: ExperimentQueryInput = {}): Promise<ExperimentList> {
    return await this.#connection.json(ExperimentList, `/v1/experiments?${search(query)}`);
  }

  /** One page of those that fit a query, newest first. */
  async datasets(query: DatasetQueryInput = {}): Promise<DatasetList> {
    return await this.#connection.json(DatasetList, `/v1/datasets?${search(query)}`);
  }

  /** All rows of the training log by step, as they hold now. */
  async *logRows(id: string): AsyncGenerator<StoredLogRow, void, undefined> {
    for (let after: number | null = -1; after !== null;) {
      const path = `/v1/experiments/${encodeURIComponent(id)}/log?${search({ after, limit: 5_000 })}`;
      const page: LogPage = await this.#connection.json(LogPage, path);
      yield* page.items;
      after = page.nextAfter;
    }
  }

  /** What an experiment has logged as numbers by now. */
  async metrics(id: string): Promise<MetricList> {
    return await this.#connection.json(MetricList, `/v1/experiments/${encodeURIComponent(id)}/metrics`);
  }

  /** Points of a metric, at most so many; undefined: as many as the API gives. */
  async series(id: string, name: string, maxPoints?: number): Promise<MetricSeries> {
    const path = `/v1/experiments/${encodeURIComponent(id)}/metrics/${encodeURIComponent(name)}`;
    return await this.#connection.json(MetricSeries, `${path}?${search({ maxPoints })}`);
  }

  /** The checkpoints of an experiment as they lie in the object store. */
  async checkpoints(id: string): Promise<StoredCheckpointList> {
    return await this.#connection.json(StoredCheckpointList, checkpointPath(id));
  }

  /** @param which `latest`, a step, or a name */
  async checkpoint(id: string, which: string): Promise<StoredCheckpointView> {
    return await this.#connection.json(StoredCheckpointView, `${checkpointPath(id)}/${encodeURIComponent(which)}`);
  }

  /** Has every byte of a checkpoint, or (undefined) of all and the log beside them, read and compared. It may take as long as it likes. */
  async verifyCheckpoints(id: string, which: string | undefined): Promise<CheckpointVerification> {
    const path = [checkpointPath(id), ...(which === undefined ? [] : [encodeURIComponent(which)]), 'verify'].join('/');
    return await this.#wholeAnswer(CheckpointVerification, path, { method: 'POST' });
  }

  /** Keeps a checkpoint, whatever is committed after it, or lets go of it. */
  async pinCheckpoint(id: string, which: string, isPinned: boolean): Promise<StoredCheckpointSummary> {
    const path = `${checkpointPath(id)}/${encodeURIComponent(which)}/pin`;
    return await this.#connection.json(StoredCheckpointSummary, path, { method: isPinned ? 'PUT' : 'DELETE' });
  }

  /** Publishes a module as the newest program of a name. */
  async publishProgram(name: string, { sha256, module }: { sha256: string; module: Uint8Array }): Promise<ProgramView> {
    const path = `/v1/programs/${sha256}?${search({ name })}`;
    return await this.#connection.json(ProgramView, path, {
      method: 'PUT',
      body: module,
      timeoutMs: PUBLISHED_WITHIN_MS,
    });
  }

  /** @param reference its name, or `name@` and the beginning of its SHA-256 */
  async program(reference: string): Promise<ProgramView> {
    return await this.#connection.json(ProgramView, `/v1/programs/${encodeURIComponent(reference)}`);
  }

  /** One page, last published first: of each name the newest. */
  async programs(query: { cursor?: string; limit?: number } = {}): Promise<ProgramList> {
    return await this.#connection.json(ProgramList, `/v1/programs?${search(query)}`);
  }

  /** Workers that are alive or were seen in the last day. */
  async workers(): Promise<WorkerList> {
    return await this.#connection.json(WorkerList, '/v1/workers');
  }

  /** Has a worker finish what it runs and take no further job. */
  async drainWorker(id: string, reason?: string): Promise<WorkerView> {
    const path = `/v1/workers/${encodeURIComponent(id)}/drain`;
    const body: DrainRequest = reason === undefined ? {} : { reason };
    return await this.#connection.json(WorkerView, path, { method: 'POST', body });
  }

  /** Lets a worker take jobs again. */
  async releaseWorker(id: string): Promise<WorkerView> {
    const path = `/v1/workers/${encodeURIComponent(id)}/release`;
    return await this.#connection.json(WorkerView, path, { method: 'POST' });
  }

  /** Does something with an experiment that is there. */
  async actOn(id: string, verb: Verb): Promise<ExperimentView> {
    const path = `/v1/experiments/${encodeURIComponent(id)}/${verb}`;
    return await this.#connection.json(ExperimentView, path, { method: 'POST' });
  }

  /** Has hyperparameters of an experiment that trains set before its next batch. */
  async setHyperparameters(id: string, hyperparameters: Hyperparameters): Promise<ExperimentView> {
    const path = `/v1/experiments/${encodeURIComponent(id)}/set`;
    return await this.#connection.json(ExperimentView, path, { method: 'POST', body: { hyperparameters } });
  }

  /** Changes notes, tags or priority. */
  async changeExperiment(id: string, change: ExperimentChange): Promise<ExperimentView> {
    const path = `/v1/experiments/${encodeURIComponent(id)}`;
    return await this.#connection.json(ExperimentView, path, { method: 'PATCH', body: change });
  }

  /** Deletes an experiment that has ended. */
  async deleteExperiment(id: string): Promise<void> {
    await this.#connection.done(`/v1/experiments/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** Asks for the end of a dataset's conversion. */
  async cancelDataset(id: string): Promise<DatasetView> {
    const path = `/v1/datasets/${encodeURIComponent(id)}/cancel`;
    return await this.#connection.json(DatasetView, path, { method: 'POST' });
  }

  /**
   * The events of an experiment, each once and in order, up to the last one, once it has ended. A broken connection is made
   * again from the last event seen.
   */
  async *follow(id: string, options: FollowOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    const { signal } = options;
    const reconnection = new Reconnection(options);
    let afterId = options.afterId ?? 0;
    // One that was retried has events after its end.
    let isOver = false;
    for (;;) {
      signal?.throwIfAborted();
      try {
        for await (const event of this.#events(id, afterId, signal)) {
          reconnection.serves();
          if (event.id !== null) afterId = event.id;
          if (event.id !== null) isOver = event.type === 'status' && isTerminal(event.data.status);
          yield event;
        }
        signal?.throwIfAborted();
        throw this.#connection.brokenOff('event stream', 'it was closed');
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (isOver) return;
        await reconnection.pause(error);
      }
    }
  }

  /** What is seen of a dataset at one look after the other, up to the one at which it has ended. A broken connection is made again. */
  lookAtDataset(id: string, options: LooksOptions = {}): AsyncGenerator<DatasetView, void, undefined> {
    return looks(
      () => this.dataset(id, options.signal),
      ({ status }) => isTerminalDataset(status),
      options,
    );
  }

  /** What is seen of an experiment so, without the events that have led there. */
  lookAtExperiment(id: string, options: LooksOptions = {}): AsyncGenerator<ExperimentView, void, undefined> {
    return looks(
      () => this.experiment(id, options.signal),
      ({ status }) => isTerminal(status),
      options,
    );
  }

  /** How two experiments compare at one look after the other, up to the one at which both have ended. */
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

  /**
   * The events that have happened by now, each once and in order; progress is not among them. The API says where they end,
   * however long that takes.
   *
   * @throws ApiUnreachable when the connection breaks before that: what was yielded is not all
   */
  async *eventsSoFar(id: string, signal?: AbortSignal): AsyncGenerator<LiveEvent, void, undefined> {
    let isOver = false;
    for await (const event of this.#events(id, 0, signal)) {
      if (event.type === 'caught-up') return;
      if (event.id === null) continue;
      isOver = event.type === 'status' && isTerminal(event.data.status);
      yield event;
    }
    if (isOver) return;
    throw this.#connection.brokenOff('event stream', 'it was closed');
  }

  /** What is answered when all of it is known, with signs of life meanwhile. */
  async #wholeAnswer<View>(shape: Shape<View>, path: string, request: ApiRequest = {}): Promise<View> {
    const { bytes, close } = await this.#connection.open(path, request, 'answer');
    try {
      const pieces: Uint8Array[] = [];
      for await (const piece of bytes) pieces.push(piece);
      return this.#connection.read(shape, Buffer.concat(pieces).toString(), path);
    } finally {
      close();
    }
  }

  async *#events(
    id: string,
    afterId: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LiveEvent, void, undefined> {
    const headers = { accept: 'text/event-stream', ...(afterId > 0 && { 'last-event-id': String(afterId) }) };
    const path = `/v1/experiments/${encodeURIComponent(id)}/events`;
    const { answer, bytes, close } = await this.#connection.open(path, { headers, signal }, 'event stream');
    try {
      const type = answer.headers.get('content-type');
      if (type?.startsWith('text/event-stream') !== true) {
        throw this.#connection.notLongrun(`an event stream was asked for, and ${type ?? 'nothing'} came`);
      }
      for await (const message of serverSentEvents(bytes)) {
        const event = this.#liveEvent(message.event, message.data);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (error instanceof ParseError)
        throw this.#connection.notLongrun('an event came that is larger than any that it sends');
      throw error;
    } finally {
      close();
    }
  }

  /** The event, or undefined for a type that this version does not know. */
  #liveEvent(type: string | undefined, data: string): LiveEvent | undefined {
    const known = LiveEvent.options.some((option) => option.shape.type.value === type);
    return known ? this.#connection.read(LiveEvent, data, `an event \`${type}\``) : undefined;
  }
}

/** What is done with an experiment that is there. */
export type Verb = 'cancel' | 'preempt' | 'pause' | 'resume' | 'retry';

/** On a busy machine a program takes its time to be imported, which the API bounds itself. */
const PUBLISHED_WITHIN_MS = 300_000;

function search(query: Readonly<Record<string, string | number | undefined>>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
  return words.toString();
}

function checkpointPath(id: string): string {
  return `/v1/experiments/${encodeURIComponent(id)}/checkpoints`;
}
