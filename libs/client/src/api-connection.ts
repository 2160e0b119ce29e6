import { Problem } from '@longrun/contracts';

import { ApiProblem, ApiUnreachable, NotLongrun } from './api-errors.js';
import { causeOf, isBroken, isNetworkFailure } from './network-failure.js';
import { openAnswer, type OpenAnswer } from './open-answer.js';

/** What a connection to an API is made with. */
export interface ApiConnectionOptions {
  /** Address of the API, `http://127.0.0.1:4000`; its paths are taken below the path that it has itself. */
  readonly url: string;
  /** Undefined: that of the session of this browser, which a page of the API's is signed in to. */
  readonly token?: string | undefined;
  /** How long an answer may take. Default 30 000. */
  readonly timeoutMs?: number;
}

/**
 * Asks an API and reads its answers. Every method throws ApiProblem when the API refuses, ApiUnreachable when it does not answer, NotLongrun when
 * what answers is no such API.
 */
export class ApiConnection {
  readonly url: string;
  /** Without a slash at its end: paths begin with one, and may lie below a prefix. */
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  constructor(options: ApiConnectionOptions) {
    this.url = options.url;
    this.#base = options.url.replace(/\/+$/, '');
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** An answer whose body is read as it comes; one of which nothing comes for too long is given up. Close it. */
  async open(path: string, request: ApiRequest, what: string): Promise<OpenAnswer> {
    const asked = this.#asked(path, request);
    return await openAnswer((stop) => this.#request(asked, stop), {
      signal: request.signal,
      failed: ({ cause, wasMade, why }) =>
        wasMade ? this.brokenOff(what, why, cause) : this.#unreachable(cause, request),
    });
  }

  /** What is answered in one piece. */
  async json<T>(shape: Shape<T>, path: string, request: ApiRequest = {}): Promise<T> {
    return this.read(shape, await this.#text(path, request), path);
  }

  /** What is answered when all of it is known, with signs of life meanwhile, however long it takes. */
  async slow<T>(shape: Shape<T>, path: string, request: ApiRequest): Promise<T> {
    const { bytes, close } = await this.open(path, request, 'answer');
    try {
      const decoder = new TextDecoder();
      let text = '';
      for await (const piece of bytes) text += decoder.decode(piece, { stream: true });
      return this.read(shape, text + decoder.decode(), path);
    } finally {
      close();
    }
  }

  /** Asks for what is answered without a word. */
  async done(path: string, request: ApiRequest): Promise<void> {
    await this.#text(path, request);
  }

  async #text(path: string, request: ApiRequest): Promise<string> {
    const { signal, timeoutMs = this.#timeoutMs } = request;
    const asked = this.#asked(path, request);
    const timeout = AbortSignal.timeout(timeoutMs);
    const stop = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    try {
      return await (await this.#request(asked, stop)).text();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isNetworkFailure(error)) throw error;
      throw timeout.aborted ? this.#silent({ ...request, timeoutMs }, error) : this.#unreachable(error, request);
    }
  }

  /** What came, if it is what this version of the API answers with. */
  read<T>(shape: Shape<T>, text: string, what: string): T {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.notLongrun(`what came for ${what} is no JSON`);
    }
    const read = shape.safeParse(value);
    if (read.success) return read.data;
    const faults = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
    throw this.notLongrun(`what came for ${what} has another shape: ${faults[0]}`);
  }

  /** The error for an answer that ended before it was complete. */
  brokenOff(what: string, how: string, cause?: unknown): ApiUnreachable {
    const message = `the ${what} of the API at ${this.url} broke off before its end (${how}); try again`;
    return new ApiUnreachable(message, { how: 'broken-off', cause });
  }

  /** The error for an answer that no API of this version gives. */
  notLongrun(why: string): NotLongrun {
    return new NotLongrun(`${this.url} answered, but not as a Longrun API of this version (${why})`);
  }

  /** What is sent. What cannot be sent fails here, and is no failure of the network. */
  #asked(path: string, { body, method = 'GET', headers, redirect = 'follow' }: ApiRequest): Asked {
    const isModule = body instanceof Uint8Array;
    return {
      url: this.#base + path,
      method,
      redirect,
      headers: new Headers({
        accept: 'application/json',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { 'content-type': isModule ? 'text/javascript' : 'application/json' }),
        ...headers,
      }),
      ...(body !== undefined && { body: isModule ? new Uint8Array(body) : JSON.stringify(body, refuseNotFinite) }),
    };
  }

  async #request({ url, ...asked }: Asked, signal: AbortSignal): Promise<Response> {
    const answer = await fetch(url, { ...asked, signal });
    const isAnswer = answer.ok || (asked.redirect === 'manual' && isRedirect(answer));
    if (!isAnswer) throw new ApiProblem(await problemOf(answer));
    return answer;
  }

  #silent({ method = 'GET', timeoutMs }: ApiRequest & { readonly timeoutMs: number }, cause: unknown): ApiUnreachable {
    const seconds = `${timeoutMs / 1_000} s`;
    const what =
      method === 'GET'
        ? `has not answered for ${seconds}; it may have much to do or stand still: try again`
        : `was sent the request and has not answered for ${seconds}; it may have done all the same what it was asked for`;
    return new ApiUnreachable(`the API at ${this.url} ${what}`, { how: 'silent', cause });
  }

  #unreachable(cause: unknown, { method = 'GET' }: ApiRequest = {}): ApiUnreachable {
    if (isBroken(cause)) {
      const what = method === 'GET' ? 'try again' : 'it may have done all the same what it was asked for';
      return new ApiUnreachable(
        `the connection to the API at ${this.url} broke before its answer had come (${causeOf(cause)}); ${what}`,
        { how: 'broken-off', cause },
      );
    }
    return new ApiUnreachable(`no Longrun API answers at ${this.url} (${causeOf(cause)})`, {
      how: 'not-connected',
      cause,
    });
  }
}

/** A request as it is sent. */
interface Asked {
  readonly url: string;
  readonly method: string;
  readonly redirect: 'follow' | 'manual';
  readonly headers: Headers;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What is asked. */
export interface ApiRequest {
  readonly method?: 'DELETE' | 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are the module of a program; all else is sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Whether an answer that names another place is given as it is (`manual`). Default: what is there is, `follow`. */
  readonly redirect?: 'follow' | 'manual';
  /** How long an answer in one piece may take, in ms. Default: as long as any of the connection. */
  readonly timeoutMs?: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Whether an answer names another place; a browser gives out no more of it than that. */
export function isRedirect({ status, type }: Response): boolean {
  return REDIRECTS.has(status) || type === 'opaqueredirect';
}

/** A schema of what is answered. */
export interface Shape<T> {
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
