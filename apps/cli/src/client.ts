import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  CheckpointVerification,
  DatasetList,
  type DatasetSpecInput,
  DatasetView,
  type DrainRequest,
  EVENT_HEARTBEAT_HEADER,
  ExperimentList,
  type ExperimentSpecInput,
  ExperimentView,
  isTerminal,
  isTerminalDataset,
  LiveEvent,
  LogPage,
  Problem,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
  type StoredLogRow,
  WorkerList,
  WorkerView,
} from '@longrun/contracts';

import { ParseError } from 'eventsource-parser';

import { ApiProblem, ApiUnreachable, NotLongrun } from './api-errors.js';
import { serverSentEvents } from './event-stream.js';
import { causeOf, isBroken, isNetworkFailure, isPassing } from './network-failure.js';
import { Reconnection, type ReconnectionOptions } from './reconnection.js';
import { SilenceWatch } from './silence-watch.js';

/** What a client is made with. */
export interface ClientOptions {
  /** Address of the API, `http://127.0.0.1:4000`; its paths are taken below the path that it has itself. */
  readonly url: string;
  readonly token: string;
  /** How long an answer may take. Default 30 000. */
  readonly timeoutMs?: number;
}

/** How an experiment is followed. */
export interface FollowOptions extends ReconnectionOptions {
  /** Go on after this event. Default 0: from the first one. */
  readonly afterId?: number;
}

/** How a dataset is followed. */
export interface FollowDatasetOptions extends ReconnectionOptions {
  /** Pause between two looks. Default 500. */
  readonly pollMs?: number;
}

/** What the API says of a file. */
export interface FileFacts {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Which bytes of a file are asked for. */
export interface FileRange {
  readonly start: number;
  /** Default: its end. */
  readonly end?: number | undefined;
  /** Of the whole file; where it is another one by now, all of that comes. Default: of whichever it is. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file that is being read. */
export interface OpenFile extends FileFacts {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly close: () => void;
}

/**
 * Talks to the API. Every method throws ApiProblem when the API refuses, ApiUnreachable when it does not answer, NotLongrun when what
 * answers is no such API.
 */
export class Client {
  readonly url: string;
  /** Without a slash at its end: paths begin with one, and may lie below a prefix. */
  readonly #base: string;
  readonly #token: string;
  readonly #timeoutMs: number;

  constructor(options: ClientOptions) {
    this.url = options.url;
    this.#base = options.url.replace(/\/+$/, '');
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** Submits an experiment. The same key (default: a new one) submits at most once, however often it is tried. */
  async submitExperiment(
    spec: ExperimentSpecInput,
    idempotencyKey: string = randomUUID(),
    signal?: AbortSignal,
  ): Promise<ExperimentView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#json(ExperimentView, '/v1/experiments', { method: 'POST', body: spec, headers, signal });
  }

  /** Submits a dataset; an identical earlier request is answered with what it has made. */
  async submitDataset(
    spec: DatasetSpecInput,
    idempotencyKey: string = randomUUID(),
    signal?: AbortSignal,
  ): Promise<DatasetView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return await this.#json(DatasetView, '/v1/datasets', { method: 'POST', body: spec, headers, signal });
  }

  async experiment(id: string): Promise<ExperimentView> {
    return await this.#json(ExperimentView, `/v1/experiments/${encodeURIComponent(id)}`);
  }

  async dataset(id: string, signal?: AbortSignal): Promise<DatasetView> {
    return await this.#json(DatasetView, `/v1/datasets/${encodeURIComponent(id)}`, { signal });
  }

  /** One page, newest first. */
  async experiments(query: { cursor?: string; limit?: number } = {}): Promise<ExperimentList> {
    return await this.#json(ExperimentList, `/v1/experiments?${search(query)}`);
  }

  /** One page, newest first. */
  async datasets(query: { cursor?: string; limit?: number } = {}): Promise<DatasetList> {
    return await this.#json(DatasetList, `/v1/datasets?${search(query)}`);
  }

  /** All rows of the training log by step, as they hold now. */
  async *logRows(id: string): AsyncGenerator<StoredLogRow, void, undefined> {
    for (let after: number | null = -1; after !== null;) {
      const path = `/v1/experiments/${encodeURIComponent(id)}/log?${search({ after, limit: 5_000 })}`;
      const page: LogPage = await this.#json(LogPage, path);
      yield* page.items;
      after = page.nextAfter;
    }
  }

  /** The checkpoints of an experiment as they lie in the object store. */
  async checkpoints(id: string): Promise<StoredCheckpointList> {
    return await this.#json(StoredCheckpointList, checkpointPath(id));
  }

  /** @param which `latest`, a step, or a name */
  async checkpoint(id: string, which: string): Promise<StoredCheckpointView> {
    return await this.#json(StoredCheckpointView, `${checkpointPath(id)}/${encodeURIComponent(which)}`);
  }

  /** Has every byte of a checkpoint, or (undefined) of all and the log beside them, read and compared. It may take as long as it likes. */
  async verifyCheckpoints(id: string, which: string | undefined): Promise<CheckpointVerification> {
    const path = [checkpointPath(id), ...(which === undefined ? [] : [encodeURIComponent(which)]), 'verify'].join('/');
    const { bytes, close } = await this.#open(path, { method: 'POST' }, 'answer');
    try {
      const pieces: Uint8Array[] = [];
      for await (const piece of bytes) pieces.push(piece);
      return this.#read(CheckpointVerification, Buffer.concat(pieces).toString(), path);
    } finally {
      close();
    }
  }

  /** Keeps a checkpoint, whatever is committed after it, or lets go of it. */
  async pinCheckpoint(id: string, which: string, isPinned: boolean): Promise<StoredCheckpointSummary> {
    const path = `${checkpointPath(id)}/${encodeURIComponent(which)}/pin`;
    return await this.#json(StoredCheckpointSummary, path, { method: isPinned ? 'PUT' : 'DELETE' });
  }

  /** What is said of the file at a path. */
  async fileFacts(path: string, signal?: AbortSignal): Promise<FileFacts> {
    const { answer, close } = await this.#open(path, { method: 'HEAD', signal }, 'answer');
    close();
    return this.#factsOf(answer);
  }

  /** Opens the file at a path, from a byte to before another, to be read as it comes. Close it. */
  async openFile(path: string, { start, end, sha256, signal }: FileRange): Promise<OpenFile> {
    const headers = {
      accept: 'application/octet-stream',
      range: `bytes=${start}-${end === undefined ? '' : end - 1}`,
      ...(sha256 !== undefined && { 'if-range': `"${sha256}"` }),
    };
    const { answer, bytes, close } = await this.#open(path, { headers, signal }, 'file');
    try {
      const facts = this.#factsOf(answer);
      // Of other bytes than were meant all come.
      if (answer.status === 206 || (sha256 !== undefined && facts.sha256 !== sha256)) return { ...facts, bytes, close };
      throw this.#notLongrun(`a range of a file was asked for, and the status is ${answer.status}`);
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Workers that are alive or were seen in the last day. */
  async workers(): Promise<WorkerList> {
    return await this.#json(WorkerList, '/v1/workers');
  }

  /** Has a worker finish what it runs and take no further job. */
  async drainWorker(id: string, reason?: string): Promise<WorkerView> {
    const path = `/v1/workers/${encodeURIComponent(id)}/drain`;
    const body: DrainRequest = reason === undefined ? {} : { reason };
    return await this.#json(WorkerView, path, { method: 'POST', body });
  }

  /** Lets a worker take jobs again. */
  async releaseWorker(id: string): Promise<WorkerView> {
    const path = `/v1/workers/${encodeURIComponent(id)}/release`;
    return await this.#json(WorkerView, path, { method: 'POST' });
  }

  /** Asks for the end of an experiment. */
  async cancelExperiment(id: string): Promise<ExperimentView> {
    const path = `/v1/experiments/${encodeURIComponent(id)}/cancel`;
    return await this.#json(ExperimentView, path, { method: 'POST' });
  }

  /** Asks for the end of a dataset's conversion. */
  async cancelDataset(id: string): Promise<DatasetView> {
    const path = `/v1/datasets/${encodeURIComponent(id)}/cancel`;
    return await this.#json(DatasetView, path, { method: 'POST' });
  }

  /**
   * The events of an experiment, each once and in order, up to the one that says it has ended. A broken connection is made
   * again from the last event seen.
   */
  async *follow(id: string, options: FollowOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    const { signal } = options;
    const reconnection = new Reconnection(options);
    let afterId = options.afterId ?? 0;
    for (;;) {
      signal?.throwIfAborted();
      try {
        for await (const event of this.#events(id, afterId, signal)) {
          reconnection.serves();
          if (event.id !== null) afterId = event.id;
          yield event;
          if (event.type === 'status' && isTerminal(event.data.status)) return;
        }
        signal?.throwIfAborted();
        throw this.#brokenOff('event stream', 'it was closed');
      } catch (error) {
        if (!isPassing(error)) throw error;
        await reconnection.pause(error);
      }
    }
  }

  /** What is seen of a dataset at one look after the other, up to the one at which it has ended. A broken connection is made again. */
  async *followDataset(id: string, options: FollowDatasetOptions = {}): AsyncGenerator<DatasetView, void, undefined> {
    const { pollMs = 500, signal } = options;
    const reconnection = new Reconnection(options);
    for (;;) {
      signal?.throwIfAborted();
      try {
        const view = await this.dataset(id, signal);
        reconnection.serves();
        yield view;
        if (isTerminalDataset(view.status)) return;
        await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        if (!isPassing(error)) throw error;
        await reconnection.pause(error);
      }
    }
  }

  /**
   * The events that have happened by now, each once and in order; progress is not among them. The API says where they end,
   * however long that takes.
   *
   * @throws ApiUnreachable when the connection breaks before that: what was yielded is not all
   */
  async *eventsSoFar(id: string, signal?: AbortSignal): AsyncGenerator<LiveEvent, void, undefined> {
    for await (const event of this.#events(id, 0, signal)) {
      if (event.type === 'caught-up') return;
      if (event.id === null) continue;
      yield event;
      if (event.type === 'status' && isTerminal(event.data.status)) return;
    }
    throw this.#brokenOff('event stream', 'it was closed');
  }

  async *#events(
    id: string,
    afterId: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LiveEvent, void, undefined> {
    const headers = { accept: 'text/event-stream', ...(afterId > 0 && { 'last-event-id': String(afterId) }) };
    const path = `/v1/experiments/${encodeURIComponent(id)}/events`;
    const { answer, bytes, close } = await this.#open(path, { headers, signal }, 'event stream');
    try {
      const type = answer.headers.get('content-type');
      if (type?.startsWith('text/event-stream') !== true) {
        throw this.#notLongrun(`an event stream was asked for, and ${type ?? 'nothing'} came`);
      }
      for await (const message of serverSentEvents(bytes)) {
        const event = this.#liveEvent(message.event, message.data);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (error instanceof ParseError) throw this.#notLongrun('an event came that is larger than any that it sends');
      throw error;
    } finally {
      close();
    }
  }

  /** An answer whose body is read as it comes; one of which nothing comes for too long is given up. Close it. */
  async #open(path: string, request: Request, what: string): Promise<OpenAnswer> {
    const { signal } = request;
    const silence = new SilenceWatch();
    const stop = signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]);
    const failure = (error: unknown, begun: boolean): unknown => {
      if (signal?.aborted === true) return signal.reason;
      if (!isNetworkFailure(error)) return error;
      if (silence.signal.aborted) return this.#brokenOff(what, `nothing came for ${silence.patienceMs} ms`, error);
      return begun ? this.#brokenOff(what, causeOf(error), error) : this.#unreachable(error, request);
    };
    try {
      const answer = await this.#request(path, { ...request, signal: stop });
      silence.expect(answer.headers.get(EVENT_HEARTBEAT_HEADER));
      const bytes = failingWith(silence.watched(answer.body ?? Readable.from([])), (error) => failure(error, true));
      return { answer, bytes, close: () => silence.end() };
    } catch (error) {
      const reason = failure(error, false);
      silence.end();
      throw reason;
    }
  }

  #factsOf(answer: Response): FileFacts {
    const [, sha256] = /^"([0-9a-f]{64})"$/.exec(answer.headers.get('etag') ?? '') ?? [];
    const sizeBytes =
      /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? answer.headers.get('content-length');
    if (sha256 !== undefined && sizeBytes !== null) return { sha256, sizeBytes: Number(sizeBytes) };
    throw this.#notLongrun('a file was asked for, and what came says neither its SHA-256 nor its size');
  }

  async #json<T>(shape: Shape<T>, path: string, request: Request = {}): Promise<T> {
    const { signal } = request;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const stop = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    let text: string;
    try {
      text = await (await this.#request(path, { ...request, signal: stop })).text();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isNetworkFailure(error)) throw error;
      throw timeout.aborted ? this.#silent(request, error) : this.#unreachable(error, request);
    }
    return this.#read(shape, text, path);
  }

  /** The event, or undefined for a type that this version does not know. */
  #liveEvent(type: string | undefined, data: string): LiveEvent | undefined {
    const known = LiveEvent.options.some((option) => option.shape.type.value === type);
    return known ? this.#read(LiveEvent, data, `an event \`${type}\``) : undefined;
  }

  /** What came, if it is what this version of the API answers with. */
  #read<T>(shape: Shape<T>, text: string, what: string): T {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.#notLongrun(`what came for ${what} is no JSON`);
    }
    const read = shape.safeParse(value);
    if (read.success) return read.data;
    const faults = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
    throw this.#notLongrun(`what came for ${what} has another shape: ${faults[0]}`);
  }

  async #request(path: string, request: Request): Promise<Response> {
    const { body, method = 'GET', headers, signal } = request;
    const answer = await fetch(this.#base + path, {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body, refuseNotFinite) }),
      ...(signal !== undefined && { signal }),
    });
    if (!answer.ok) throw new ApiProblem(await problemOf(answer));
    return answer;
  }

  #brokenOff(what: string, how: string, cause?: unknown): ApiUnreachable {
    return new ApiUnreachable(`the ${what} of the API at ${this.url} broke off before its end (${how}); try again`, {
      cause,
    });
  }

  #notLongrun(why: string): NotLongrun {
    return new NotLongrun(`${this.url} answered, but not as a Longrun API of this version (${why}); see LONGRUN_URL`);
  }

  #silent({ method = 'GET' }: Request, cause: unknown): ApiUnreachable {
    const seconds = `${this.#timeoutMs / 1_000} s`;
    const what =
      method === 'GET'
        ? `has not answered for ${seconds}; it may have much to do or stand still: try again`
        : `was sent the request and has not answered for ${seconds}; it may have done all the same what it was asked for`;
    return new ApiUnreachable(`the API at ${this.url} ${what}`, { mayHaveArrived: true, cause });
  }

  #unreachable(cause: unknown, { method = 'GET' }: Request = {}): ApiUnreachable {
    if (isBroken(cause)) {
      const what = method === 'GET' ? 'try again' : 'it may have done all the same what it was asked for';
      return new ApiUnreachable(
        `the connection to the API at ${this.url} broke before its answer had come (${causeOf(cause)}); ${what}`,
        { mayHaveArrived: true, cause },
      );
    }
    return new ApiUnreachable(
      `no Longrun API answers at ${this.url} (${causeOf(cause)}); start one with \`longrun up\`, or set LONGRUN_URL and LONGRUN_TOKEN`,
      { cause },
    );
  }
}

interface Request {
  readonly method?: 'DELETE' | 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** An answer of which the body is still to come. */
interface OpenAnswer {
  readonly answer: Response;
  readonly bytes: AsyncGenerator<Uint8Array>;
  readonly close: () => void;
}

/** A schema of what is answered. */
interface Shape<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** JSON would make null of it, and the API would say that this is what stands there. */
function refuseNotFinite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new RangeError(`${JSON.stringify(key)} is ${value}, which JSON cannot say; give a finite number`);
}

function search(query: Readonly<Record<string, string | number>>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) words.set(name, String(value));
  return words.toString();
}

/** The problem document of a refusal, or one made from what came instead. */
async function problemOf(answer: Response): Promise<Problem> {
  const text = await answer.text();
  try {
    const problem = Problem.safeParse(JSON.parse(text));
    if (problem.success) return problem.data;
  } catch {
    // Not JSON: something between us and the API answered.
  }
  const detail = `${answer.url} answered ${answer.status} ${answer.statusText} without a problem document: ${text.slice(0, 200)}`;
  return { type: 'about:blank', title: answer.statusText, status: answer.status, detail };
}

function checkpointPath(id: string): string {
  return `/v1/experiments/${encodeURIComponent(id)}/checkpoints`;
}

async function* failingWith<T>(steps: AsyncIterable<T>, failure: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* steps;
  } catch (error) {
    throw failure(error);
  }
}
