import { ParseError } from 'eventsource-parser';
import { expect, test } from 'vitest';

import { serverSentEvents } from './event-stream.js';

const stream = [
  '\uFEFF: a comment keeps the connection open\n',
  'retry: 1500\n',
  'id: 7\nevent: log_row\ndata: {"step":\ndata: 1}\n\n',
  'data:no space\r\n\r\n',
  'id: 8\rdata: größer than ☃\r\r',
  'event: nothing to say\n\n',
  'unknown: field\ndata: {}\n\n',
  'id: 9\ndata: broken off',
].join('');

test('events are the same wherever the bytes are cut', async () => {
  const bytes = new TextEncoder().encode(stream);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const read = await collected(given([bytes.subarray(0, cut), bytes.subarray(cut)]));
    expect(
      read.map(({ event = 'message', data }) => [event, data]),
      `cut at byte ${cut}`,
    ).toEqual([
      ['log_row', '{"step":\n1}'],
      ['message', 'no space'],
      ['message', 'größer than ☃'],
      ['message', '{}'],
    ]);
  }
});

test('an event without an end is refused, not kept', async () => {
  const mebibyte = new TextEncoder().encode('x'.repeat(1024 * 1024));
  const endless = given([new TextEncoder().encode('data: '), ...Array.from({ length: 40 }, () => mebibyte)]);
  await expect(collected(endless)).rejects.toThrow(ParseError);
});

async function* given(parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<{ event?: string | undefined; data: string }[]> {
  const all = [];
  for await (const event of serverSentEvents(bytes)) all.push(event);
  return all;
}
