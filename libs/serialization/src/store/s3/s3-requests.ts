import { jitteredPause } from '../../jittered-pause.js';
import type { OperationOptions, TransferOptions } from '../object-store.js';

/** How patient a store is with its server. */
export interface S3Patience {
  /** How often a request is made in all. Default 6. */
  readonly attempts?: number | undefined;
  /** How long one may move nothing before it is made again, in ms. Default 60,000. */
  readonly silentMs?: number | undefined;
  /** Longest pause before the second, in ms, doubled for each after it up to 32 times that; each is drawn from between nothing and it. Default 200. */
  readonly pauseMs?: number | undefined;
}

/** What a server was asked and has refused, or has not answered however often it was asked. Holds nothing of what was sent. */
export class S3Failed extends Error {
  override readonly name = 'S3Failed';

  /** Of its answer; undefined where there was none. */
  readonly status: number | undefined;
  /** In the words of S3 or of the system: `NoSuchBucket`, `ECONNREFUSED`. */
  readonly code: string;
  /** Whether it may have been done by an earlier request of which no answer has come. */
  readonly mayBeDone: boolean;

  constructor(what: string, failure: Failure, { tries, mayBeDone }: { tries: number; mayBeDone: boolean }) {
    const { status, code, message } = failure;
    const said = [status, code, message].filter((part) => part !== undefined && part !== '').join(' ');
    const times = tries === 1 ? '' : `, asked ${tries} times`;
    super(`${what}: ${said}${times}; ${remedyOf(failure)}`);
    this.status = status;
    this.code = code;
    this.mayBeDone = mayBeDone;
  }
}

/** Requests to a server: made again, after a pause, where it was busy, failed or silent, and given up at once where it has refused. */
export class S3Requests {
  readonly #attempts: number;
  readonly #pauseMs: number;
  readonly silentMs: number;

  constructor({ attempts = 6, silentMs = 60_000, pauseMs = 200 }: S3Patience = {}) {
    this.#attempts = attempts;
    this.#pauseMs = pauseMs;
    this.silentMs = silentMs;
  }

  /**
   * What a request is answered.
   *
   * @param what it does, for the error: `object store s3://b/p: write k`
   * @param request makes it once; it has to end when its signal is aborted, and to say when it moves
   * @param options.silences How often longer than others it may move nothing. Default 1
   * @throws S3Failed; what is no failure of the server's is thrown as it is
   */
  async ask<T>(what: string, request: Request<T>, options: AskOptions = {}): Promise<T> {
    const { signal } = options;
    let mayBeDone = false;
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      try {
        return await this.#once(request, options);
      } catch (error) {
        signal?.throwIfAborted();
        const failure = failureOf(error);
        if (failure === undefined) throw error;
        if (!failure.isPassing || tries >= this.#attempts) {
          throw new S3Failed(what, failure, { tries, mayBeDone: mayBeDone || failure.mayBeDone });
        }
        mayBeDone ||= failure.mayBeDone;
      }
      await this.pause(tries, { signal });
    }
  }

  /** Waits after so many failures in a row. */
  async pause(failures: number, options: OperationOptions): Promise<void> {
    await jitteredPause(failures, this.#pauseMs, options);
  }

  /** Whether a failure in the middle of an answer is one to ask again after so many. */
  isPassing(error: unknown, failures: number): boolean {
    return failures < this.#attempts && failureOf(error)?.isPassing === true;
  }

  async #once<T>(request: Request<T>, { signal, onMoved, silences = 1 }: AskOptions): Promise<T> {
    const silentMs = this.silentMs * silences;
    const over = new AbortController();
    const end = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', end);
    const timer = setTimeout(() => over.abort(new Silence(silentMs)), silentMs);
    const moved = (): void => {
      timer.refresh();
      onMoved?.();
    };
    try {
      return await request(over.signal, moved);
    } catch (error) {
      throw over.signal.reason instanceof Silence ? over.signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    }
  }
}

/** How a request is made. */
export type AskOptions = TransferOptions & { readonly silences?: number | undefined };

type Request<T> = (signal: AbortSignal, moved: () => void) => Promise<T>;

/** Nothing has moved for too long. */
export class Silence extends Error {
  override readonly name = 'Silence';
  readonly code = 'ETIMEDOUT';

  constructor(silentMs: number) {
    super(`nothing has moved for ${silentMs / 1000} s`);
  }
}

interface Failure {
  readonly status: number | undefined;
  readonly code: string;
  readonly message: string;
  /** Whether the next time may go better. */
  readonly isPassing: boolean;
  readonly mayBeDone: boolean;
}

/** What an error says of the server and the way to it; undefined where it says nothing of these. */
function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const message = error.message === 'UnknownError' ? '' : error.message;
  const status = statusOf(error);
  if (status !== undefined && status >= 300) {
    const isPassing = status >= 500 || PASSING.has(status) || error.name === 'RequestTimeout' || isOfClock(error);
    return { status, code: error.name, message, isPassing, mayBeDone: status >= 500 };
  }
  const code = 'code' in error ? String(error.code) : '';
  if (status === undefined && !/^(E[A-Z_]+|UND_ERR_\w+)$/u.test(code) && !CUT.has(error.name)) return undefined;
  return { status, code: code || error.name, message, isPassing: true, mayBeDone: !UNSENT.has(code) };
}

function statusOf(error: Error): number | undefined {
  const status = metadataOf(error)['httpStatusCode'];
  return typeof status === 'number' ? status : undefined;
}

/** Whether it was refused for its time: the AWS SDK goes by the server's clock from then on. */
function isOfClock(error: Error): boolean {
  return error.name === SKEWED || metadataOf(error)['clockSkewCorrected'] === true;
}

function metadataOf(error: Error): Readonly<Record<string, unknown>> {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null ? { ...metadata } : {};
}

function remedyOf({ status, code }: Failure): string {
  if (code === SKEWED) return 'set the clock of this machine or of the server';
  if (code === 'NoSuchBucket') return 'make the bucket, or give another one';
  if (status === 403 || status === 401) return 'look at the credentials and at what they may do with the bucket';
  if (status === undefined) return 'see that the endpoint is right and answers';
  return status >= 500 || status === 429 ? 'see how the server does' : 'see what the server says';
}

/** Too late, too often, or beside another write of the same key: not done. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 429]);
const SKEWED = 'RequestTimeTooSkewed';
const CUT: ReadonlySet<string> = new Set(['TimeoutError', 'AbortError']);
const UNSENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
