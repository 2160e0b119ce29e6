/**
 * Numbers as a parameter of the type `float8[]`, in PostgreSQL's binary format: it parses a decimal text so slowly that
 * most of the time of storing numbers would go there. Null is NULL.
 */
export function float8Array(values: readonly (number | null)[]): Buffer {
  return binaryArray(FLOAT8, values, (buffer, value, offset) => buffer.writeDoubleBE(value, offset));
}

/** Safe integers as a parameter of the type `bigint[]`, in PostgreSQL's binary format. */
export function bigintArray(values: readonly number[]): Buffer {
  return binaryArray(INT8, values, (buffer, value, offset) => {
    const high = Math.floor(value / 2 ** 32);
    buffer.writeInt32BE(high, offset);
    buffer.writeUInt32BE(value - high * 2 ** 32, offset + 4);
  });
}

/** The opposite of {@link float8Array}: what `array_send` gives of a `float8[]`. */
export function readFloat8Array(buffer: Buffer): (number | null)[] {
  const values: (number | null)[] = [];
  for (let offset = FIRST_VALUE; offset < buffer.length; offset += 4) {
    const isNull = buffer.readInt32BE(offset) < 0;
    values.push(isNull ? null : buffer.readDoubleBE(offset + 4));
    if (!isNull) offset += 8;
  }
  return values;
}

/** The opposite of {@link bigintArray}. */
export function readBigintArray(buffer: Buffer): number[] {
  const values: number[] = [];
  for (let offset = FIRST_VALUE; offset < buffer.length; offset += 12)
    values.push(buffer.readInt32BE(offset + 4) * 2 ** 32 + buffer.readUInt32BE(offset + 8));
  return values;
}

/** Where the first value's length stands. */
const FIRST_VALUE = 20;

/** The types' numbers in every PostgreSQL. */
const INT8 = 20;
const FLOAT8 = 701;

/** As `array_recv` reads it: dimensions, whether there are nulls, the type; length and first index; each value after its length. */
function binaryArray(
  type: number,
  values: readonly (number | null)[],
  write: (buffer: Buffer, value: number, offset: number) => void,
): Buffer {
  const nulls = values.reduce<number>((count, value) => count + (value === null ? 1 : 0), 0);
  const buffer = Buffer.alloc((values.length === 0 ? 12 : 20) + 12 * values.length - 8 * nulls);
  buffer.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(nulls === 0 ? 0 : 1, 4);
  buffer.writeInt32BE(type, 8);
  if (values.length === 0) return buffer;
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let offset = 20;
  for (const value of values) {
    buffer.writeInt32BE(value === null ? -1 : 8, offset);
    offset += 4;
    if (value === null) continue;
    write(buffer, value, offset);
    offset += 8;
  }
  return buffer;
}
