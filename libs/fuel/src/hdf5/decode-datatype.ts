import { TEXT_PADDINGS, type Datatype, type Member } from './datatype.js';

/**
 * Decodes a datatype message (HDF5 file format specification, version 3.0, section IV.A.2.d).
 *
 * @throws RangeError for a message that ends too early, or is nested beyond reason
 */
export function decodeDatatype(message: Buffer): Datatype {
  return decode(new Cursor(message), 0);
}

class Cursor {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next unsigned integer, little-endian. */
  take(length: number): number {
    return this.bytes(length).readUIntLE(0, length);
  }

  bytes(length: number): Buffer {
    if (this.at + length > this.#bytes.length) throw new RangeError('a datatype ends before it is whole');
    const start = this.at;
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }

  /** A name that ends with a NUL; older versions fill it up to a multiple of 8. */
  name(padded: boolean): string {
    const end = this.#bytes.indexOf(0, this.at);
    if (end === -1) throw new RangeError('a datatype has a name without an end');
    const name = this.#bytes.toString('utf8', this.at, end);
    const length = end + 1 - this.at;
    this.bytes(padded ? (length + 7) & ~7 : length);
    return name;
  }
}

const DEEPEST = 16;
const CLASSES = ['integer', 'float', 'time', 'text', 'bitfield', 'opaque', 'compound', 'reference'] as const;

function decode(cursor: Cursor, depth: number): Datatype {
  if (depth > DEEPEST) throw new RangeError(`a datatype is nested more than ${DEEPEST} times`);
  const head = cursor.take(1);
  const [number, version] = [head & 15, head >> 4];
  const bits = cursor.take(3);
  const size = cursor.take(4);
  switch (CLASSES[number] ?? number) {
    case 'integer':
    case 'bitfield': {
      const [offset, precision] = [cursor.take(2), cursor.take(2)];
      const order = (bits & 1) === 0 ? 'little' : 'big';
      const signed = number === 0 && (bits & 8) !== 0;
      return { class: number === 0 ? 'integer' : 'bitfield', size, order, offset, precision, signed };
    }
    case 'float':
      return decodeFloat(cursor, bits, size);
    case 'text': {
      const padding = TEXT_PADDINGS[bits & 15];
      return padding === undefined ? other(size, 'text of unknown padding') : { class: 'text', size, padding };
    }
    case 'compound':
      return decodeCompound(cursor, version, bits & 0xffff, size, depth);
    case 'reference':
      return { class: 'reference', size, of: (bits & 15) === 0 && size === 8 ? 'object' : 'other' };
    case 8:
      return decodeEnumeration(cursor, version, bits & 0xffff, size, depth);
    case 9: {
      const base = decode(cursor, depth + 1);
      return (bits & 15) === 1 ? { class: 'variable-length text', size } : { class: 'variable-length', size, base };
    }
    case 10: {
      const rank = cursor.take(1);
      if (version < 3) cursor.bytes(3);
      const shape = Array.from({ length: rank }, () => cursor.take(4));
      if (version < 3) cursor.bytes(4 * rank); // permutation, never used
      return { class: 'array', size, shape, base: decode(cursor, depth + 1) };
    }
    case 'time':
      cursor.bytes(2);
      return other(size, 'time');
    case 'opaque':
      cursor.bytes(bits & 0xff);
      return other(size, `opaque of ${size} bytes`);
    case 11:
      return other(size, 'complex number');
    default:
      return other(size, `HDF5's class ${number}`);
  }
}

function other(size: number, name: string): Datatype {
  return { class: 'other', size, name };
}

function decodeFloat(cursor: Cursor, bits: number, size: number): Datatype {
  const [offset, precision] = [cursor.take(2), cursor.take(2)];
  const [exponent, exponentSize] = [cursor.take(1), cursor.take(1)];
  const [mantissa, mantissaSize] = [cursor.take(1), cursor.take(1)];
  const bias = cursor.take(4);
  const order = (bits & 0x41) === 0 ? 'little' : (bits & 0x41) === 1 ? 'big' : 'VAX';
  const implied = ((bits >> 4) & 3) === 2;
  const layout = { sign: (bits >> 8) & 0xff, exponent, exponentSize, mantissa, mantissaSize, bias, implied };
  return { class: 'float', size, order, offset, precision, layout };
}

function decodeCompound(cursor: Cursor, version: number, count: number, size: number, depth: number): Datatype {
  const offsetBytes = version < 3 ? 4 : size < 1 << 8 ? 1 : size < 1 << 16 ? 2 : size < 1 << 24 ? 3 : 4;
  const members: Member[] = [];
  for (let i = 0; i < count; i += 1) {
    const name = cursor.name(version < 3);
    const offset = cursor.take(offsetBytes);
    // Version 1 has the shape of an array here, of up to four axes.
    const rank = version === 1 ? cursor.take(1) : 0;
    if (version === 1) cursor.bytes(11);
    const dimensions = version === 1 ? [0, 1, 2, 3].map(() => cursor.take(4)) : [];
    const element = decode(cursor, depth + 1);
    const shape = dimensions.slice(0, rank);
    const elements = shape.reduce((product, dimension) => product * dimension, 1);
    const type: Datatype =
      rank === 0 ? element : { class: 'array', size: element.size * elements, base: element, shape };
    if (offset + type.size > size) throw new RangeError(`the member ${name} of a datatype lies outside of it`);
    members.push({ name, offset, type });
  }
  return { class: 'compound', size, members };
}

function decodeEnumeration(cursor: Cursor, version: number, count: number, size: number, depth: number): Datatype {
  const base = decode(cursor, depth + 1);
  const names = Array.from({ length: count }, () => cursor.name(version < 3));
  return { class: 'enumeration', size, base, members: new Map(names.map((name) => [name, cursor.bytes(base.size)])) };
}
