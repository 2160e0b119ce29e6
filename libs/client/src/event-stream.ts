import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** What one event may hold at most; the API's largest, a log row, has 256 KiB. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/**
 * Reads `text/event-stream` bytes, cut anywhere, into events. One that the stream breaks off in is not given out.
 *
 * @throws ParseError for an event of more than 16 MiB
 */
export async function* serverSentEvents(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const decoder = new TextDecoder('utf-8');
  const complete: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => complete.push(event),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw error;
    },
    maxBufferSize: MAX_EVENT_CHARACTERS,
  });
  for await (const chunk of bytes) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* complete.splice(0);
  }
}
