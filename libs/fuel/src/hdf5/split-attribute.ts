import type { SplitRow } from './split-rows.js';

/**
 * The `split` attribute as a message of a version 1 object header, byte for byte as h5py writes Fuel's.
 *
 * Text fields are as long as their longest value in UTF-8. (Fuel counts characters, and cuts off names that are not ASCII.)
 *
 * @throws RangeError when there are no rows, or so many that they exceed what a header message holds
 */
export function splitAttributeMessage(rows: readonly SplitRow[]): Buffer {
  if (rows.length === 0) throw new RangeError('split: there are no splits; give at least one');
  const splitSize = longest(rows.map((row) => row.split));
  const sourceSize = longest(rows.map((row) => row.source));
  const commentSize = longest(rows.map((row) => row.comment));
  const type = compound([
    ['split', text(splitSize), splitSize],
    ['source', text(sourceSize), sourceSize],
    ['start', integer(8), 8],
    ['stop', integer(8), 8],
    ['indices', objectReference(), 8],
    ['available', boolean(), 1],
    ['comment', text(commentSize), commentSize],
  ]);
  const message = Buffer.concat([
    attributeHead('split', type, rows.length),
    ...rows.map((row) => encodeRow(row, splitSize, sourceSize, commentSize)),
  ]);
  if (message.length > LARGEST_MESSAGE) {
    throw new RangeError(
      `split: ${rows.length} pairs of split and source take ${message.length} bytes, but the attribute holds ${LARGEST_MESSAGE}; ` +
        'use fewer splits or sources, or shorter names and comments',
    );
  }
  return message;
}

/** Bytes before the content of a one-dimensional attribute of bytes, as the library writes the message. */
export function byteAttributeHeadBytes(name: string): number {
  return attributeHead(name, Buffer.alloc(12), 1).length;
}

// The size field has 16 bits, and counts in eights.
const LARGEST_MESSAGE = 0xfff8;

function encodeRow(row: SplitRow, splitSize: number, sourceSize: number, commentSize: number): Buffer {
  const bytes = Buffer.alloc(splitSize + sourceSize + 25 + commentSize);
  bytes.write(row.split);
  let at = splitSize;
  bytes.write(row.source, at);
  at += sourceSize;
  bytes.writeBigInt64LE(BigInt(row.start), at);
  bytes.writeBigInt64LE(BigInt(row.stop), at + 8);
  if (row.indices !== null) bytes.set(row.indices, at + 16);
  bytes[at + 24] = row.available ? 1 : 0;
  bytes.write(row.comment || '.', at + 25);
  return bytes;
}

function longest(texts: readonly string[]): number {
  return Math.max(1, ...texts.map((value) => Buffer.byteLength(value)));
}

// Datatype messages, version 1. Class and version in the first byte, class bits in the next three, the size, then properties.

function text(size: number): Buffer {
  return datatypeHead(0x13, 0x01, size); // padded with NULs, ASCII
}

function integer(size: number): Buffer {
  const precision = Buffer.alloc(4);
  precision.writeUInt16LE(size * 8, 2);
  return Buffer.concat([datatypeHead(0x10, 0x08, size), precision]); // little-endian, signed
}

function objectReference(): Buffer {
  return datatypeHead(0x17, 0x00, 8);
}

/** NumPy's bool as h5py writes it: an enumeration over int8. */
function boolean(): Buffer {
  return Buffer.concat([datatypeHead(0x18, 2, 1), integer(1), padded('FALSE'), padded('TRUE'), Buffer.from([0, 1])]);
}

function compound(members: readonly (readonly [name: string, type: Buffer, size: number])[]): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, type, size] of members) {
    const head = Buffer.alloc(32); // offset in the row, then a dimensionality of none
    head.writeUInt32LE(offset);
    parts.push(padded(name), head, type);
    offset += size;
  }
  return Buffer.concat([datatypeHead(0x16, members.length, offset), ...parts]);
}

function datatypeHead(classAndVersion: number, bits: number, size: number): Buffer {
  const head = Buffer.alloc(8);
  head[0] = classAndVersion;
  head.writeUIntLE(bits, 1, 3);
  head.writeUInt32LE(size, 4);
  return head;
}

function attributeHead(name: string, type: Buffer, count: number): Buffer {
  const head = Buffer.alloc(8);
  const dataspace = Buffer.alloc(24);
  head[0] = 1;
  head.writeUInt16LE(Buffer.byteLength(name) + 1, 2);
  head.writeUInt16LE(type.length, 4);
  head.writeUInt16LE(dataspace.length, 6);
  dataspace.set([1, 1, 1]); // version 1, one dimension, whose maximum is given
  dataspace.writeBigUInt64LE(BigInt(count), 8);
  dataspace.writeBigUInt64LE(BigInt(count), 16);
  return Buffer.concat([head, padded(name), type, Buffer.alloc(-type.length & 7), dataspace]);
}

function padded(value: string): Buffer {
  const bytes = Buffer.alloc((Buffer.byteLength(value) + 8) & ~7);
  bytes.write(value);
  return bytes;
}
