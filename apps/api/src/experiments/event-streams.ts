import { isTerminal, type LiveEvent } from '@longrun/contracts';
import type { Platform } from '@longrun/platform';
import type { Response } from 'express';
import { sendEvents } from './event-stream.js';

/** The open event streams of the service. */
export class EventStreams {
  readonly #heartbeatMs: number;
  readonly #shutdown = new AbortController();

  /** @param heartbeatMs silence after which a stream sends a comment. */
  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs;
  }

  /** Sends the events of an experiment after `afterId`, and then `end` with its status, unless the service closes first. */
  async send(response: Response, platform: Platform, id: string, afterId: number): Promise<void> {
    await sendEvents(response, (signal) => untilTheEnd(platform, id, afterId, signal), {
      heartbeatMs: this.#heartbeatMs,
      shutdown: this.#shutdown.signal,
    });
  }

  /** Ends all streams. Their clients come back elsewhere, or later. */
  close(): void {
    this.#shutdown.abort();
  }
}

async function* untilTheEnd(
  platform: Platform,
  id: string,
  afterId: number,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, unknown, undefined> {
  yield* platform.experiments.subscribe(id, afterId, signal);
  if (signal.aborted) return undefined;
  const { status, reason } = await platform.experiments.get(id);
  return isTerminal(status) ? { status, reason } : undefined;
}
