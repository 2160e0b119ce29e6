import type { FileHandle } from 'node:fs/promises';
import { dtypeBytes, sizeOf, typedArrayConstructor } from '@longrun/serialization';
import type { File } from 'h5wasm/node';
import { indicesName, type SourceToWrite, type SplitsToWrite, type WritableDType } from './dataset-to-write.js';
import type { Hdf5Library } from './library.js';
import { headerMessages, MESSAGE, type HeaderMessage } from './object-header.js';
import { byteAttributeHeadBytes, splitAttributeMessage } from './split-attribute.js';
import type { SplitRow } from './split-rows.js';
import { writeAll } from './spool.js';

/** A dataset whose rows are all there. */
export interface DatasetToWrite {
  readonly splits: SplitsToWrite;
  readonly sources: readonly SourceToWrite[];
  /** Attribute `fuel_convert_command`. */
  readonly command: string | undefined;
}

/** Addresses of object headers, which HDF5 never moves, and the message that takes the place of the split attribute's. */
export interface Skeleton {
  readonly root: number;
  readonly sources: ReadonlyMap<string, number>;
  readonly others: readonly number[];
  readonly split: Buffer;
}

/**
 * The file without its bulk: sources of zero rows, labels, version attributes, and a placeholder as long as the `split`
 * attribute, whose type h5wasm cannot make.
 */
export function writeSkeleton(library: Hdf5Library, path: string, dataset: DatasetToWrite): Skeleton {
  // The low bound gives headers of version 1, which are what h5py writes and, having no checksums, can be patched.
  const file = new library.File(path, 'w', { libver: ['earliest', 'v110'] });
  try {
    const { Module: module } = library;
    const address = (name: string): Buffer => Buffer.from(module.create_object_reference(file.file_id, name));
    const sources = new Map<string, number>();
    for (const { name, dtype, shape, axisLabels } of dataset.sources) {
      const nothing = new (typedArrayConstructor(dtype))(0);
      file.create_dataset({ name, data: nothing, shape: [0, ...shape.slice(1)], dtype: DTYPES[dtype] });
      axisLabels.forEach((label, axis) => module.set_dimension_label(file.file_id, name, axis, label));
      sources.set(name, Number(address(`/${name}`).readBigUInt64LE()));
    }

    const { rows, others } = splitRows(file, address, dataset);
    const split = splitAttributeMessage(rows);
    const placeholder = new Uint8Array(split.length - byteAttributeHeadBytes('split'));
    file.create_attribute('split', placeholder, [placeholder.length], '<B');
    if (dataset.command !== undefined) {
      file.create_attribute('h5py_interface_version', '0.3', null, 'A');
      file.create_attribute('fuel_convert_version', '0.2', null, 'A');
      file.create_attribute('fuel_convert_command', dataset.command, null, 'A');
    }
    return { root: Number(address('/').readBigUInt64LE()), sources, others, split };
  } finally {
    file.close();
  }
}

/** A row for each pair of a split and a source, and datasets for the rows that are listed. */
function splitRows(
  file: File,
  address: (name: string) => Buffer,
  { splits, sources }: DatasetToWrite,
): { rows: SplitRow[]; others: number[] } {
  const others: number[] = [];
  const rows: SplitRow[] = [];
  const names = sources.map(({ name }) => name).toSorted();
  for (const [split, ranges] of Object.entries(splits)) {
    for (const source of names) {
      const range = ranges[source];
      let indices: Uint8Array | null = null;
      if (range?.indices !== undefined) {
        const name = indicesName(split, source);
        file.create_dataset({ name, data: BigInt64Array.from(range.indices, BigInt), dtype: '<q' });
        const reference = address(`/${name}`);
        others.push(Number(reference.readBigUInt64LE()));
        indices = Uint8Array.from(reference);
      }
      const { start = 0, stop = 0, comment = '' } = range ?? {};
      rows.push({ split, source, start, stop, indices, available: range !== undefined, comment });
    }
  }
  return { rows, others };
}

/**
 * Puts the data behind the skeleton, and patches the headers to say so.
 *
 * @param write Puts the data of a source at a position
 */
export async function fillSkeleton(
  file: FileHandle,
  skeleton: Skeleton,
  sources: readonly SourceToWrite[],
  write: (source: SourceToWrite, position: number) => Promise<void>,
): Promise<void> {
  const root = headerMessages(file.fd, 0, skeleton.root);
  const split = root.find((message) => message.type === MESSAGE.attribute && attributeName(message) === 'split');
  if (split === undefined || split.content.length < skeleton.split.length) {
    throw new Error('split: the placeholder of the attribute is not where it was written; this is a bug in Longrun');
  }
  await patch(file, split, 0, skeleton.split);

  let end = (await file.stat()).size;
  for (const source of sources) {
    const messages = headerMessages(file.fd, 0, skeleton.sources.get(source.name) ?? -1);
    await forgetModificationTime(file, messages);
    const sizeBytes = sizeOf(source.shape) * dtypeBytes(source.dtype);
    // Version 1: 8 bytes, then the dimensions, then their maxima.
    const rows = unsigned(source.shape[0] ?? 0);
    const dataspace = one(messages, MESSAGE.dataspace);
    await patch(file, dataspace, 8, rows);
    if (((dataspace.content[2] ?? 0) & 1) !== 0) await patch(file, dataspace, 8 + 8 * source.shape.length, rows);
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    await write(source, offset);
    if (sizeBytes === 0) continue;
    end = offset + sizeBytes;
    // Version 3, contiguous: address and size.
    await patch(file, one(messages, MESSAGE.layout), 2, Buffer.concat([unsigned(offset), unsigned(sizeBytes)]));
  }
  for (const other of skeleton.others) await forgetModificationTime(file, headerMessages(file.fd, 0, other));
  // The superblock of version 0 knows the end of the file; HDF5 refuses a file that ends before.
  await writeAll(file, unsigned(end), END_OF_FILE_ADDRESS);
}

const ALIGNMENT = 8;
const END_OF_FILE_ADDRESS = 40;

/** h5py does not note the time either; with it, the same dataset would give other bytes each time. */
async function forgetModificationTime(file: FileHandle, messages: readonly HeaderMessage[]): Promise<void> {
  for (const message of messages) {
    if (message.type !== MESSAGE.modificationTime) continue;
    const nil = Buffer.alloc(2);
    nil.writeUInt16LE(MESSAGE.nil);
    await writeAll(file, nil, message.headerOffset);
    await patch(file, message, 0, Buffer.alloc(message.content.length));
  }
}

const DTYPES: Readonly<Record<WritableDType, string>> = {
  float32: '<f',
  float64: '<d',
  int8: '<b',
  int16: '<h',
  int32: '<i',
  int64: '<q',
  uint8: '<B',
  uint16: '<H',
  uint32: '<I',
};

function one(messages: readonly HeaderMessage[], type: number): HeaderMessage {
  const message = messages.find((candidate) => candidate.type === type);
  if (message?.headerVersion === 1) return message;
  throw new Error(`object header: there is no message of type ${type} to patch; this is a bug in Longrun`);
}

function attributeName({ content }: HeaderMessage): string {
  return content.toString('utf8', 8, 8 + content.readUInt16LE(2) - 1);
}

async function patch(file: FileHandle, message: HeaderMessage, at: number, bytes: Uint8Array): Promise<void> {
  await writeAll(file, bytes, message.offset + at);
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
