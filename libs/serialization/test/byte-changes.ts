import * as fc from 'fast-check';

/** Each changes a few bytes: of a file's length, text, or numbers, where large and extreme ones are put. */
export const changes = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(
    ([at, byte]) =>
      (bytes: Buffer) =>
        put(bytes, at, Uint8Array.of(byte)),
  ),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0xffff_ffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
      fc.constantFrom(2, 4, 8),
    )
    .map(([at, value, width]) => (bytes: Buffer) => {
      const number = Buffer.from(BigUint64Array.of(value).buffer);
      return put(bytes, at, number.subarray(0, width));
    }),
  fc.tuple(fc.nat(), fc.constantFrom('0', '9', '-', '}', '"', ',', '[', '(', 'L', '7777', '99999999', '|O', '\0')).map(
    ([at, text]) =>
      (bytes: Buffer) =>
        put(bytes, at, Buffer.from(text)),
  ),
  fc.nat().map((size) => (bytes: Buffer) => bytes.subarray(0, size % (bytes.byteLength + 1))),
  fc.tuple(fc.nat(), fc.nat({ max: 64 })).map(
    ([at, length]) =>
      (bytes: Buffer) =>
        Buffer.concat([
          bytes.subarray(0, at % (bytes.byteLength + 1)),
          bytes.subarray((at % (bytes.byteLength + 1)) + length),
        ]),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 64 })).map(
    ([at, inserted]) =>
      (bytes: Buffer) =>
        Buffer.concat([
          bytes.subarray(0, at % (bytes.byteLength + 1)),
          inserted,
          bytes.subarray(at % (bytes.byteLength + 1)),
        ]),
  ),
);

function put(bytes: Buffer, at: number, part: Uint8Array): Buffer {
  const changed = Buffer.from(bytes);
  if (bytes.byteLength > 0) Buffer.from(part).copy(changed, at % bytes.byteLength);
  return changed;
}
