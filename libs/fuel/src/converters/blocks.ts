/** Bytes that come in pieces of any size, in blocks of one size; the last one has what is left. Each is new memory. */
export async function* inBlocks(
  pieces: AsyncIterable<Uint8Array>,
  blockBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let block = new Uint8Array(blockBytes);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + blockBytes - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < blockBytes) continue;
      yield block;
      block = new Uint8Array(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/**
 * The items of two iterables side by side. Both are read to their ends, and closed.
 *
 * @throws Error when one ends before the other
 */
export async function* inStep<A, B>(
  first: AsyncGenerator<A, void, undefined>,
  second: AsyncGenerator<B, void, undefined>,
): AsyncGenerator<readonly [A, B], void, undefined> {
  try {
    for await (const item of first) {
      const other = await second.next();
      if (other.done === true) throw new Error('the second of two files in step ended before the first');
      yield [item, other.value];
    }
    const other = await second.next();
    if (other.done !== true) throw new Error('the first of two files in step ended before the second');
  } finally {
    await second.return();
  }
}
