import { expect, test } from 'vitest';

import { type Part, partsOf } from './s3-content.js';

const PART_BYTES = 8 << 20;

test('parts have the bytes of the chunks, whatever these are cut into, in memory of parts that were given back', async () => {
  const all = Buffer.from(
    Uint8Array.from({ length: 5 * PART_BYTES + 1234 }, (_, byte) => (byte * 31 + (byte >> 8)) % 251),
  );
  const memories = new Set<ArrayBufferLike>();
  const sent: Buffer[] = [];
  let held: Part | undefined;
  for await (const part of partsOf(cutInto(all, 1_000_003))) {
    memories.add(part.bytes.buffer);
    sent.push(Buffer.from(part.bytes));
    // One is under way while the next is filled.
    held?.release();
    held = part;
  }
  expect(Buffer.concat(sent).equals(all)).toBe(true);
  expect(sent.map(({ byteLength }) => byteLength)).toEqual([...Array.from({ length: 5 }, () => PART_BYTES), 1234]);
  expect(memories.size).toBe(2);
});

test('a part that is not given back stays as it is', async () => {
  const all = Buffer.alloc(3 * PART_BYTES, 'longrun');
  const parts: Part[] = [];
  for await (const part of partsOf(cutInto(all, 3_000_000))) parts.push(part);
  expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(all)).toBe(true);
});

async function* cutInto(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size);
}
