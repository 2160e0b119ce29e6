import { EVENT_HEARTBEAT_HEADER, type LiveEvent } from '@longrun/contracts';
import type { ServerResponse } from 'node:http';

/** How a stream of live events behaves. */
export interface EventStreamOptions {
  /** Silence after which a comment is sent, in milliseconds. */
  readonly heartbeatMs: number;
  /** Ends the stream early: the service shuts down. */
  readonly shutdown: AbortSignal;
}

/**
 * Sends live events as server-sent events (`id`, `event`, `data` as one line of JSON) until the source ends, and then an
 * `end` event whose data is what `source` returned, if that is not undefined. Waits when the client reads slowly, and aborts the signal that `source`
 * gets when the client goes away or the service shuts down; then there is no `end`, and the client is to come back with the
 * last id it saw.
 */
export async function sendEvents(
  response: ServerResponse,
  source: (signal: AbortSignal) => AsyncGenerator<LiveEvent, unknown, undefined>,
  options: EventStreamOptions,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    // nginx would otherwise keep events until its buffer is full.
    'X-Accel-Buffering': 'no',
    // Who hears nothing for several of these knows that the stream is dead.
    [EVENT_HEARTBEAT_HEADER]: String(options.heartbeatMs),
  });
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.write(`retry: ${RECONNECT_MS}\n\n`);

  const gone = new AbortController();
  response.once('close', () => gone.abort());
  // It may have left before this was called: its 'close' does not come again.
  if (response.destroyed) return;
  const signal = AbortSignal.any([gone.signal, options.shutdown]);
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': alive\n\n');
  }, options.heartbeatMs);
  const events = source(signal);
  try {
    for (let next = await events.next(); !signal.aborted; next = await events.next()) {
      if (next.done === true) {
        if (next.value !== undefined) response.write(frame('end', next.value, null));
        break;
      }
      heartbeat.refresh();
      if (!response.write(frame(next.value.type, next.value, next.value.id))) await drained(response, signal);
    }
  } finally {
    clearInterval(heartbeat);
    gone.abort();
    // An event that came as the client left was never asked for again: the source must hear that it is over.
    await events.return(undefined);
    response.end();
  }
}

/** Pause before a browser reconnects, in milliseconds. */
const RECONNECT_MS = 2000;

function frame(event: string, data: unknown, id: number | null): string {
  // JSON escapes line breaks, so that data is always one line.
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
