import { expect, test } from 'vitest';

import { type ServerSentEvent, serverSentEvents } from './event-stream.js';

const stream = [
  '\uFEFF: a comment keeps the connection open\n',
  'retry: 1500\n',
  'id: 7\nevent: log_row\ndata: {"step":\ndata: 1}\n\n',
  'data:no space\r\n\r\n',
  'id: 8\rdata: größer than ☃\r\r',
  'event: nothing to say\n\n',
  'unknown: field\ndata\n\n',
  'id: 9\ndata: broken off',
].join('');

const events: ServerSentEvent[] = [
  { lastEventId: '7', type: 'log_row', data: '{"step":\n1}' },
  { lastEventId: '7', type: 'message', data: 'no space' },
  { lastEventId: '8', type: 'message', data: 'größer than ☃' },
  { lastEventId: '8', type: 'message', data: '' },
];

test('events are the same wherever the bytes are cut', async () => {
  const bytes = new TextEncoder().encode(stream);
  for (let size = 1; size <= bytes.length; size += 1) {
    const retries: number[] = [];
    const read = await collected(
      serverSentEvents(chunks(bytes, size), { onRetry: (retryMs) => retries.push(retryMs) }),
    );
    expect(read, `chunks of ${size} bytes`).toEqual(events);
    expect(retries).toEqual([1500]);
  }
});

test('every single cut in two gives the same events', async () => {
  const bytes = new TextEncoder().encode(stream);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const read = await collected(serverSentEvents(given([bytes.subarray(0, cut), bytes.subarray(cut)])));
    expect(read, `cut at byte ${cut}`).toEqual(events);
  }
});

test('the id of an earlier connection counts until the stream gives one', async () => {
  const bytes = new TextEncoder().encode('data: one\n\nid: 5\ndata: two\n\nid: 6\0\ndata: three\n\n');
  const read = await collected(serverSentEvents(given([bytes]), { lastEventId: '4' }));
  expect(read.map(({ lastEventId }) => lastEventId)).toEqual(['4', '5', '5']);
});

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* given(parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function collected(source: AsyncIterable<ServerSentEvent>): Promise<ServerSentEvent[]> {
  const all: ServerSentEvent[] = [];
  for await (const event of source) all.push(event);
  return all;
}
