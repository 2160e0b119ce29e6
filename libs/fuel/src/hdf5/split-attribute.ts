import { booleanType, compoundType, integerType, objectReferenceType, padded, textType } from './encode-datatype.js';
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
  const type = compoundType([
    ['split', textType(splitSize), splitSize],
    ['source', textType(sourceSize), sourceSize],
    ['start', integerType(8), 8],
    ['stop', integerType(8), 8],
    ['indices', objectReferenceType(), 8],
    ['available', booleanType(), 1],
    ['comment', textType(commentSize), commentSize],
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
