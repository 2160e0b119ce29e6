import { stat } from 'node:fs/promises';
import { CorruptInput } from '../errors.js';
import { gunzipped } from './gunzipped.js';

/** A gzipped IDX file of bytes, as MNIST is published: its header, and its elements for the asking. */
export interface IdxFile {
  readonly path: string;
  /** Sizes of its axes; the first is the example. */
  readonly shape: readonly number[];
  /** The elements in row-major order, in pieces. Memory stays small. @throws CorruptInput unless there are exactly as many as the header says */
  readonly elements: () => AsyncGenerator<Buffer, void, undefined>;
}

/**
 * Opens a gzipped IDX file of unsigned bytes and reads its header.
 *
 * @param rank how many axes it should have: 3 for images, 1 for labels
 * @throws MissingInput when there is no such file
 * @throws CorruptInput when it is not gzip, not IDX of bytes of this rank, or says it has more than it can hold
 */
export async function openIdx(path: string, rank: number): Promise<IdxFile> {
  const headerBytes = 4 + 4 * rank;
  const header = await firstBytes(path, headerBytes);
  // Two zeros, the element type (8: unsigned byte), the number of axes.
  const magic = header.length < 4 ? undefined : header.readUInt32BE(0);
  const expected = 0x0800 + rank;
  if (magic !== undefined && magic !== expected) {
    throw new CorruptInput(
      path,
      `starts with the magic number ${hex(magic)}, but IDX of bytes with ${rank} axes has ${hex(expected)}; ${REMEDY}`,
    );
  }
  if (header.length < headerBytes) {
    throw new CorruptInput(
      path,
      `holds ${header.length} bytes, too few for an IDX header of ${headerBytes}; ${REMEDY}`,
    );
  }
  const shape = Array.from({ length: rank }, (_, axis) => header.readUInt32BE(4 + 4 * axis));
  const sizeBytes = shape.reduce((product, size) => product * size, 1);
  if (sizeBytes === 0)
    throw new CorruptInput(path, `says its shape is (${shape.join(', ')}), which has no elements; ${REMEDY}`);
  const { size: gzipBytes } = await stat(path);
  if (sizeBytes > gzipBytes * LARGEST_RATIO) {
    throw new CorruptInput(
      path,
      `says its shape is (${shape.join(', ')}), ${sizeBytes} bytes, more than its ${gzipBytes} bytes of gzip can hold; ${REMEDY}`,
    );
  }
  return { path, shape, elements: () => elements(path, headerBytes, sizeBytes) };
}

const REMEDY = 'download it again';
// Deflate makes at most 1032 bytes of one.
const LARGEST_RATIO = 1032;

async function* elements(
  path: string,
  headerBytes: number,
  sizeBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  let skip = headerBytes;
  let seen = 0;
  for await (const piece of gunzipped(path)) {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    if (seen + rest.length > sizeBytes) {
      throw new CorruptInput(path, `holds more than the ${sizeBytes} elements that its header says; ${REMEDY}`);
    }
    seen += rest.length;
    if (rest.length > 0) yield rest;
  }
  if (seen < sizeBytes) {
    throw new CorruptInput(path, `holds ${seen} elements, but its header says ${sizeBytes}; ${REMEDY}`);
  }
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of gunzipped(path)) {
    pieces.push(piece);
    length += piece.length;
    if (length >= count) break;
  }
  return Buffer.concat(pieces).subarray(0, count);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
