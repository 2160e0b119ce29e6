import { isTerminal, LiveEvent } from '@longrun/contracts';
import { ParseError } from 'eventsource-parser';

import type { ApiConnection } from './api-connection.js';
import { serverSentEvents } from './event-stream.js';
import { experimentPath } from './experiment-path.js';
import { isPassing } from './network-failure.js';
import { Reconnection, type ReconnectionOptions } from './reconnection.js';

/** How an experiment is followed. */
export interface FollowOptions extends ReconnectionOptions {
  /** Go on after this event. Default 0: from the first one. */
  readonly afterId?: number;
}

/** The events of an experiment up to the last one, once it has ended, over as many connections as it takes. */
export async function* followEvents(
  connection: ApiConnection,
  id: string,
  options: FollowOptions,
): AsyncGenerator<LiveEvent, void, undefined> {
  const { signal } = options;
  const reconnection = new Reconnection(options);
  let afterId = options.afterId ?? 0;
  // One that was retried has events after its end.
  let isOver = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      for await (const event of events(connection, id, { afterId, signal })) {
        reconnection.serves();
        if (event.id !== null) afterId = event.id;
        if (event.id !== null) isOver = event.type === 'status' && isTerminal(event.data.status);
        yield event;
      }
      signal?.throwIfAborted();
      throw connection.brokenOff('event stream', 'it was closed');
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (isOver) return;
      await reconnection.pause(error);
    }
  }
}

/** The events that have happened by now, over one connection. */
export async function* eventsSoFar(
  connection: ApiConnection,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<LiveEvent, void, undefined> {
  let isOver = false;
  for await (const event of events(connection, id, { afterId: 0, signal })) {
    if (event.type === 'caught-up') return;
    if (event.id === null) continue;
    isOver = event.type === 'status' && isTerminal(event.data.status);
    yield event;
  }
  if (isOver) return;
  throw connection.brokenOff('event stream', 'it was closed');
}

async function* events(
  connection: ApiConnection,
  id: string,
  { afterId, signal }: { readonly afterId: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<LiveEvent, void, undefined> {
  const headers = { accept: 'text/event-stream', ...(afterId > 0 && { 'last-event-id': String(afterId) }) };
  const path = `${experimentPath(id)}/events`;
  const { answer, bytes, close } = await connection.open(path, { headers, signal }, 'event stream');
  try {
    const type = answer.headers.get('content-type');
    if (type?.startsWith('text/event-stream') !== true) {
      throw connection.notLongrun(`an event stream was asked for, and ${type ?? 'nothing'} came`);
    }
    for await (const message of serverSentEvents(bytes)) {
      const event = liveEvent(connection, message.event, message.data);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    if (error instanceof ParseError) throw connection.notLongrun('an event came that is larger than any that it sends');
    throw error;
  } finally {
    close();
  }
}

/** The event, or undefined for a type that this version does not know. */
function liveEvent(connection: ApiConnection, type: string | undefined, data: string): LiveEvent | undefined {
  const known = LiveEvent.options.some((option) => option.shape.type.value === type);
  return known ? connection.read(LiveEvent, data, `an event \`${type}\``) : undefined;
}
