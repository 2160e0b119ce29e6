/** Which bytes of a file a request is answered with: undefined is all of them, null that the range has none. */
export type AskedRange = { readonly start: number; readonly end: number } | undefined | null;

/**
 * The bytes that a `Range` header asks for (RFC 9110, section 14): one range of bytes is served; several, and what is no range of bytes, are
 * answered with the whole, as the standard allows.
 */
export function askedRange(header: string | undefined, sizeBytes: number): AskedRange {
  const [, first, last] = ONE_RANGE.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? null : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  // Of more digits than a number tells apart, too.
  if (last !== '' && BigInt(last) < BigInt(first)) return undefined;
  if (start >= sizeBytes) return null;
  return { start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

const ONE_RANGE = /^bytes=(\d*)-(\d*)$/i;
