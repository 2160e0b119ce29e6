import { EVENT_HEARTBEAT_HEADER } from '@longrun/contracts';

import { causeOf, isNetworkFailure } from './network-failure.js';
import { SilenceWatch } from './silence-watch.js';

/** An answer of which the body is still to come. */
export interface OpenAnswer {
  readonly answer: Response;
  readonly bytes: AsyncGenerator<Uint8Array>;
  readonly close: () => void;
}

/** How a connection failed. */
export interface ConnectionFailure {
  readonly cause: unknown;
  /** Nothing came for too long, or it broke after the answer had begun: there was a connection. */
  readonly wasMade: boolean;
  /** For people. */
  readonly why: string;
}

/**
 * Asks, and gives the body of the answer as it comes; one of which nothing comes for too long is given up. Close it.
 *
 * @param failed the error to throw where the network fails, then and later; any other is thrown as it is
 */
export async function openAnswer(
  ask: (stop: AbortSignal) => Promise<Response>,
  {
    signal,
    failed,
  }: { readonly signal?: AbortSignal | undefined; readonly failed: (failure: ConnectionFailure) => Error },
): Promise<OpenAnswer> {
  const silence = new SilenceWatch();
  const stop = signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]);
  const failure = (cause: unknown, begun: boolean): unknown => {
    if (signal?.aborted === true) return signal.reason;
    if (!isNetworkFailure(cause)) return cause;
    const isSilent = silence.signal.aborted;
    const why = isSilent ? `nothing came for ${silence.patienceMs} ms` : causeOf(cause);
    return failed({ cause, wasMade: isSilent || begun, why });
  };
  try {
    const answer = await ask(stop);
    silence.expect(answer.headers.get(EVENT_HEARTBEAT_HEADER));
    const bytes = failingWith(silence.watched(piecesOf(answer.body)), (error) => failure(error, true));
    return { answer, bytes, close: () => silence.end() };
  } catch (error) {
    const reason = failure(error, false);
    silence.end();
    throw reason;
  }
}

/** Not every browser gives out the pieces of a body by `for await`. */
async function* piecesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Of one that broke off the reader has been told already.
    await reader.cancel().catch(() => undefined);
  }
}

async function* failingWith<T>(steps: AsyncIterable<T>, failure: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* steps;
  } catch (error) {
    throw failure(error);
  }
}
