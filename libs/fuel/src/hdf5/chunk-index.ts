import { fstatSync } from 'node:fs';
import { decodeFilters, type Filter } from './filters.js';
import { MESSAGE, readAt, type HeaderMessage, type OpenFile } from './object-header.js';

/** Where the chunks of a dataset of one axis are. */
export interface ChunkIndex {
  /** Of the tree that has them; null when nothing was ever written. */
  readonly address: number | null;
  readonly chunkRows: number;
  /** In the order in which they were applied. */
  readonly filters: readonly Filter[];
}

/** A chunk as it lies in a file. */
export interface StoredChunk {
  readonly address: number;
  readonly sizeBytes: number;
  /** A bit for each filter that it did not go through, the first one lowest. */
  readonly skipped: number;
}

/**
 * The index of a dataset of one axis that is in chunks, or of which nothing was written (HDF5 file format specification, version 3.0, section
 * IV.A.2.i). Undefined where it is stored in another way, as with an index of HDF5 1.10 and later (`libver='latest'`).
 */
export function chunkIndexOf(messages: readonly HeaderMessage[], rows: number): ChunkIndex | undefined {
  const layout = messages.find(({ type }) => type === MESSAGE.layout)?.content;
  const filters = decodeFilters(messages.find(({ type }) => type === MESSAGE.filters)?.content);
  if (layout === undefined || layout.length < 10) return undefined;
  const [version, kind, axes] = layout;
  if (kind === CONTIGUOUS && (version === 3 || version === 4)) {
    const isUnwritten = layout.readBigUInt64LE(2) === UNDEFINED_ADDRESS;
    return isUnwritten ? { address: null, chunkRows: Math.max(1, rows), filters } : undefined;
  }
  // The size of an element counts as an axis.
  if (version !== 3 || kind !== CHUNKED || axes !== 2 || layout.length < 15) return undefined;
  const address = layout.readBigUInt64LE(3);
  return {
    address: address === UNDEFINED_ADDRESS ? null : Number(address),
    chunkRows: Math.max(1, layout.readUInt32LE(11)),
    filters,
  };
}

/**
 * The chunks by their number: that of rows 0 to `chunkRows` is chunk 0.
 *
 * @throws RangeError for a tree that is damaged
 */
export function readChunkIndex({ address, chunkRows }: ChunkIndex, file: OpenFile): ReadonlyMap<number, StoredChunk> {
  const chunks = new Map<number, StoredChunk>();
  // A damaged tree may lead back to itself.
  let mostNodes = fstatSync(file.descriptor).size / SMALLEST_NODE;
  const visit = (node: number, level: number | null): void => {
    mostNodes -= 1;
    const head = readAt(file.descriptor, file.base + node, NODE_HEAD);
    const [, , , , type, at = 0] = head;
    const isTree = head.length === NODE_HEAD && head.toString('latin1', 0, 4) === 'TREE' && type === CHUNKS;
    if (mostNodes < 0 || !isTree || (level !== null && at !== level))
      throw new RangeError(`there is no node of chunks at ${node}`);
    const count = head.readUInt16LE(6);
    const entries = readAt(file.descriptor, file.base + node + NODE_HEAD, count * ENTRY);
    if (entries.length < count * ENTRY) throw new RangeError(`the file ends within the node of chunks at ${node}`);
    for (let entry = 0; entry < entries.length; entry += ENTRY) {
      const child = Number(entries.readBigUInt64LE(entry + CHILD));
      if (at > 0) {
        visit(child, at - 1);
        continue;
      }
      const row = Number(entries.readBigUInt64LE(entry + 8));
      if (row % chunkRows !== 0 || chunks.has(row / chunkRows))
        throw new RangeError(`the node of chunks at ${node} has one at row ${row}, and a chunk has ${chunkRows} rows`);
      chunks.set(row / chunkRows, {
        address: child,
        sizeBytes: entries.readUInt32LE(entry),
        skipped: entries.readUInt32LE(entry + 4),
      });
    }
  };
  if (address !== null) visit(address, null);
  return chunks;
}

const UNDEFINED_ADDRESS = 0xffff_ffff_ffff_ffffn;
const CONTIGUOUS = 1;
const CHUNKED = 2;
/** The type of a tree's node whose entries are chunks. */
const CHUNKS = 1;
const NODE_HEAD = 24;
/** Size and mask of a chunk, its first row, its place within an element, and where it is. */
const ENTRY = 32;
const CHILD = 24;
const SMALLEST_NODE = 64;
