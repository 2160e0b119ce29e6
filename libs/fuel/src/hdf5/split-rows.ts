import { textValue, type AttributeMessage } from './attribute-message.js';
import { integerOf, nameOf, type Datatype } from './datatype.js';
import type { OpenFile } from './object-header.js';

/**
 * One row of the `split` attribute: where the examples of a split lie in a source (Fuel: `H5PYDataset.create_split_array`).
 * Every pair of a split and a source has a row.
 */
export interface SplitRow {
  readonly split: string;
  readonly source: string;
  /** First row of the source that belongs to the split. */
  readonly start: number;
  /** The row after the last one. */
  readonly stop: number;
  /** Object reference of a dataset that lists the rows, which then stands instead of `start` and `stop`; else null. */
  readonly indices: Uint8Array | null;
  /** False when the split does not have the source. */
  readonly available: boolean;
  /** Free text; empty is written as a dot. */
  readonly comment: string;
}

/**
 * Rows from the attribute, each member read as its type says: numbers of any size and byte order, or arrays of one, as newer NumPy makes
 * Fuel write them; texts of any padding, or of variable length. `indices` and `comment` may be missing, as in files of older Fuels.
 *
 * @throws TypeError when it is no compound, or a member is missing or of a type that does not serve, naming it
 */
export function decodeSplitRows({ type, shape, bytes }: AttributeMessage, file: OpenFile): SplitRow[] {
  if (type.class !== 'compound') throw new TypeError(`it is ${nameOf(type)} and no compound`);
  const members = new Map(type.members.map((member) => [member.name, member]));
  const read = <T>(name: string, row: Buffer, decode: (type: Datatype, bytes: Buffer) => T): T => {
    const member = members.get(name);
    if (member === undefined) {
      throw new TypeError(`it has no member ${name}, but ${[...members.keys()].join(', ')}`);
    }
    try {
      return decode(member.type, row.subarray(member.offset, member.offset + member.type.size));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`its member ${name} does not serve: ${error.message}`, { cause: error });
    }
  };
  const text = (name: string, row: Buffer): string => read(name, row, (t, b) => textValue(t, b, file));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count * type.size > bytes.length) throw new RangeError('the split attribute ends before its last row');
  return Array.from({ length: count }, (_, i) => {
    const row = bytes.subarray(i * type.size, (i + 1) * type.size);
    return {
      split: text('split', row),
      source: text('source', row),
      start: read('start', row, integerOf),
      stop: read('stop', row, integerOf),
      indices: members.has('indices') ? read('indices', row, referenceOf) : null,
      available: read('available', row, integerOf) !== 0,
      comment: members.has('comment') ? text('comment', row) : '',
    };
  });
}

function referenceOf(type: Datatype, bytes: Buffer): Uint8Array | null {
  if (type.class === 'array' && type.shape.every((size) => size === 1)) return referenceOf(type.base, bytes);
  if (type.class !== 'reference' || type.of !== 'object') {
    throw new TypeError(`it is ${nameOf(type)} and no object reference`);
  }
  return bytes.every((byte) => byte === 0) ? null : Uint8Array.from(bytes);
}
