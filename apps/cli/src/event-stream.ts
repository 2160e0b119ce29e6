/** One server-sent event, as the HTML standard names its parts. */
export interface ServerSentEvent {
  /** The newest id the stream has given, this event's own or an earlier one's; what Last-Event-ID takes. */
  readonly lastEventId: string;
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** Called when the stream says how long to wait before reconnecting. */
export interface EventStreamOptions {
  readonly onRetry?: (retryMs: number) => void;
  /** The id that counts until the stream gives one. Default: the empty string. */
  readonly lastEventId?: string;
}

/**
 * Reads `text/event-stream` bytes, cut anywhere, into events, as
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream says: lines end with LF, CR or
 * CRLF, comments and unknown fields are dropped, and an event the stream breaks off in is not given out.
 */
export async function* serverSentEvents(
  bytes: AsyncIterable<Uint8Array>,
  options: EventStreamOptions = {},
): AsyncGenerator<ServerSentEvent, void, undefined> {
  let lastEventId = options.lastEventId ?? '';
  let type = '';
  let data: string[] = [];
  for await (const line of lines(bytes)) {
    if (line === '') {
      if (data.length > 0) yield { lastEventId, type: type === '' ? 'message' : type, data: data.join('\n') };
      type = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) options.onRetry?.(Number(value));
  }
}

/** The lines that are complete; a CR at the end of a chunk may be the first half of a CRLF. */
async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let afterReturn = false;
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let at = 0; at < rest.length; at += 1) {
      const character = rest[at];
      if (character === '\n' && afterReturn) {
        afterReturn = false;
        start = at + 1;
      } else if (character === '\n' || character === '\r') {
        yield rest.slice(start, at);
        start = at + 1;
        afterReturn = character === '\r';
      } else {
        afterReturn = false;
      }
    }
    rest = rest.slice(start);
  }
}
