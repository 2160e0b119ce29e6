import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  DatasetList,
  type DatasetSpecInput,
  DatasetView,
  type DrainRequest,
  EVENT_HEARTBEAT_HEADER,
  ExperimentList,
  type ExperimentSpecInput,
  ExperimentView,
  isTerminal,
  LiveEvent,
  LogPage,
  Problem,
  type StoredLogRow,
  WorkerList,
  WorkerView,
} from '@longrun/contracts';

import { serverSentEvents } from './event-stream.js';
import { SilenceWatch } from './silence-watch.js';

/** The API refused a request and said why. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Nothing answers at the API's address. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

/** What a client is made with. */
export interface ClientOptions {
  /** Address of the API, `http://127.0.0.1:4000`; its paths are taken below the path that it has itself. */
  readonly url: string;
  readonly token: string;
  /** How long an answer may take. Default 30 000. */
  readonly timeoutMs?: number;
}

/** How an experiment is followed. */
export interface FollowOptions {
  /** Go on after this event. Default 0: from the first one. */
  readonly afterId?: number;
  /** The first pause before the connection is made again; doubles up to 16 times of it. Default 250. */
  readonly reconnectMs?: number;
  /** Told when the connection broke, before the pause. */
  readonly onDisconnect?: (cause: unknown, pauseMs: number) => void;
  readonly signal?: AbortSignal;
}

/** Talks to the API. Every method throws ApiProblem when the API refuses, ApiUnreachable when it does not answer. */
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
  async submitExperiment(spec: ExperimentSpecInput, idempotencyKey: string = randomUUID()): Promise<ExperimentView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return ExperimentView.parse(await this.#json('/v1/experiments', { method: 'POST', body: spec, headers }));
  }

  /** Submits a dataset; an identical earlier request is answered with what it has made. */
  async submitDataset(spec: DatasetSpecInput, idempotencyKey: string = randomUUID()): Promise<DatasetView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return DatasetView.parse(await this.#json('/v1/datasets', { method: 'POST', body: spec, headers }));
  }

  async experiment(id: string): Promise<ExperimentView> {
    return ExperimentView.parse(await this.#json(`/v1/experiments/${encodeURIComponent(id)}`));
  }

  async dataset(id: string): Promise<DatasetView> {
    return DatasetView.parse(await this.#json(`/v1/datasets/${encodeURIComponent(id)}`));
  }

  /** One page, newest first. */
  async experiments(query: { cursor?: string; limit?: number } = {}): Promise<ExperimentList> {
    return ExperimentList.parse(await this.#json(`/v1/experiments?${search(query)}`));
  }

  /** One page, newest first. */
  async datasets(query: { cursor?: string; limit?: number } = {}): Promise<DatasetList> {
    return DatasetList.parse(await this.#json(`/v1/datasets?${search(query)}`));
  }

  /** All rows of the training log by step, as they hold now. */
  async *logRows(id: string): AsyncGenerator<StoredLogRow, void, undefined> {
    for (let after: number | null = -1; after !== null;) {
      const path = `/v1/experiments/${encodeURIComponent(id)}/log?${search({ after, limit: 5_000 })}`;
      const page: LogPage = LogPage.parse(await this.#json(path));
      yield* page.items;
      after = page.nextAfter;
    }
  }

  /** Workers that are alive or were seen in the last day. */
  async workers(): Promise<WorkerList> {
    return WorkerList.parse(await this.#json('/v1/workers'));
  }

  /** Has a worker finish what it runs and take no further job. */
  async drainWorker(id: string, reason?: string): Promise<WorkerView> {
    const path = `/v1/workers/${encodeURIComponent(id)}/drain`;
    const body: DrainRequest = reason === undefined ? {} : { reason };
    return WorkerView.parse(await this.#json(path, { method: 'POST', body }));
  }

  /** Lets a worker take jobs again. */
  async releaseWorker(id: string): Promise<WorkerView> {
    const path = `/v1/workers/${encodeURIComponent(id)}/release`;
    return WorkerView.parse(await this.#json(path, { method: 'POST' }));
  }

  /** Asks for the end of an experiment. */
  async cancelExperiment(id: string): Promise<ExperimentView> {
    const path = `/v1/experiments/${encodeURIComponent(id)}/cancel`;
    return ExperimentView.parse(await this.#json(path, { method: 'POST' }));
  }

  /** Asks for the end of a dataset's conversion. */
  async cancelDataset(id: string): Promise<DatasetView> {
    const path = `/v1/datasets/${encodeURIComponent(id)}/cancel`;
    return DatasetView.parse(await this.#json(path, { method: 'POST' }));
  }

  /**
   * The events of an experiment, each once and in order, up to the one that says it has ended. A broken connection is made
   * again from the last event seen.
   */
  async *follow(id: string, options: FollowOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    const { reconnectMs = 250, onDisconnect, signal } = options;
    let afterId = options.afterId ?? 0;
    let failures = 0;
    for (;;) {
      signal?.throwIfAborted();
      try {
        for await (const event of this.#events(id, afterId, signal)) {
          failures = 0;
          if (event.id !== null) afterId = event.id;
          yield event;
          if (event.type === 'status' && isTerminal(event.data.status)) return;
        }
        signal?.throwIfAborted();
        throw this.#brokenOff('it was closed');
      } catch (error) {
        if (!isPassing(error)) throw error;
        const pauseMs = reconnectMs * 2 ** Math.min(failures, 4);
        failures += 1;
        onDisconnect?.(error, pauseMs);
        await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
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
    throw this.#brokenOff('it was closed');
  }

  async *#events(
    id: string,
    afterId: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LiveEvent, void, undefined> {
    const silence = new SilenceWatch();
    const stop = signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]);
    let begun = false;
    try {
      const answer = await this.#request(`/v1/experiments/${encodeURIComponent(id)}/events`, {
        headers: { accept: 'text/event-stream', ...(afterId > 0 && { 'last-event-id': String(afterId) }) },
        signal: stop,
      });
      if (answer.body === null) throw new ApiUnreachable('the API answered without an event stream');
      begun = true;
      silence.expect(answer.headers.get(EVENT_HEARTBEAT_HEADER));
      for await (const message of serverSentEvents(silence.watched(answer.body))) {
        const event = liveEvent(message.event, message.data);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isNetworkFailure(error)) throw error;
      if (silence.signal.aborted) throw this.#brokenOff(`nothing came for ${silence.patienceMs} ms`, error);
      throw begun ? this.#brokenOff(causeOf(error), error) : this.#unreachable(error);
    } finally {
      silence.end();
    }
  }

  async #json(path: string, request: Request = {}): Promise<unknown> {
    try {
      const answer = await this.#request(path, { signal: AbortSignal.timeout(this.#timeoutMs), ...request });
      return await answer.json();
    } catch (error) {
      throw isNetworkFailure(error) ? this.#unreachable(error) : error;
    }
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

  #brokenOff(how: string, cause?: unknown): ApiUnreachable {
    return new ApiUnreachable(
      `the event stream of the API at ${this.url} broke off before its end (${how}); try again`,
      {
        cause,
      },
    );
  }

  #unreachable(cause: unknown): ApiUnreachable {
    return new ApiUnreachable(
      `no Longrun API answers at ${this.url} (${causeOf(cause)}); start one with \`longrun up\`, or set LONGRUN_URL and LONGRUN_TOKEN`,
      { cause },
    );
  }
}

interface Request {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
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

/** The event, or undefined for a type that this version does not know. Throws when a known type has another shape. */
function liveEvent(type: string | undefined, data: string): LiveEvent | undefined {
  const known = LiveEvent.options.some((option) => option.shape.type.value === type);
  return known ? LiveEvent.parse(JSON.parse(data)) : undefined;
}

/** Whether the same request may well be answered in a moment: the API is away, or it (or a proxy before it) says so. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiUnreachable || (error instanceof ApiProblem && error.problem.status >= 502);
}

/** fetch throws these TypeErrors when a connection fails or breaks, and a DOMException on our time-outs. */
function isNetworkFailure(error: unknown): boolean {
  if (error instanceof TypeError) return error.message === 'fetch failed' || error.message === 'terminated';
  return error instanceof DOMException && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
