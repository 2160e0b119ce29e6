import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dtypeBytes, sizeOf, syncFolder, typedArrayConstructor, type DType } from '@longrun/serialization';
import type { File } from 'h5wasm/node';
import { checkDataset, type H5DatasetToWrite, type SourceToWrite } from './dataset-to-write.js';
import { H5File } from './h5-file.js';
import { hdf5Library, type Hdf5Library } from './library.js';
import { headerMessages, MESSAGE, type HeaderMessage } from './object-header.js';
import { byteAttributeHeadBytes, splitAttributeMessage } from './split-attribute.js';
import type { SplitRow } from './split-rows.js';

/**
 * Writes an HDF5 file that Fuel's `H5PYDataset` reads, and h5py. The same dataset gives the same bytes.
 *
 * The data stream through: memory stays small whatever the size. The file appears at `path` complete and on disk, or not at
 * all: an error, also one thrown by `rows`, leaves nothing behind, and what was at `path` as it was.
 *
 * @throws RangeError for a split that does not fit its source
 * @throws Error when the rows of a source have more or fewer bytes than its shape says
 */
export async function writeH5Dataset(path: string, dataset: H5DatasetToWrite): Promise<void> {
  checkDataset(dataset);
  const library = await hdf5Library();
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`);
  try {
    // Node's error for a folder that is missing or not to be written to says more than HDF5's.
    await (await open(partial, 'wx')).close();
    const skeleton = writeSkeleton(library, partial, dataset);
    const file = await open(partial, constants.O_RDWR);
    try {
      await fillSkeleton(file, skeleton, dataset);
      await file.sync();
    } finally {
      await file.close();
    }
    await checkWritten(partial, dataset);
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

const DTYPES: Readonly<Record<Exclude<DType, 'bool'>, string>> = {
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

// Addresses of object headers, which HDF5 never moves.
interface Skeleton {
  readonly root: number;
  readonly sources: ReadonlyMap<string, number>;
  readonly others: readonly number[];
  readonly split: Buffer;
}

/**
 * The file without its bulk: sources of zero rows, labels, version attributes, and a placeholder as long as the `split`
 * attribute, whose type h5wasm cannot make.
 */
function writeSkeleton(library: Hdf5Library, path: string, dataset: H5DatasetToWrite): Skeleton {
  // The low bound gives headers of version 1, which are what h5py writes and, having no checksums, can be patched.
  const file = new library.File(path, 'w', { libver: ['earliest', 'v110'] });
  try {
    const { Module: module } = library;
    const address = (name: string): Buffer => Buffer.from(module.create_object_reference(file.file_id, name));
    const sources = new Map<string, number>();
    for (const { name, dtype, shape, axisLabels } of dataset.sources) {
      const nothing = new (typedArrayConstructor(dtype))(0);
      file.create_dataset({ name, data: nothing, shape: [0, ...shape.slice(1)], dtype: DTYPES[dtype] });
      axisLabels?.forEach((label, axis) => module.set_dimension_label(file.file_id, name, axis, label));
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
  { splits, sources }: H5DatasetToWrite,
): { rows: SplitRow[]; others: number[] } {
  const others: number[] = [];
  const rows: SplitRow[] = [];
  const names = sources.map(({ name }) => name).toSorted();
  for (const [split, ranges] of Object.entries(splits)) {
    for (const source of names) {
      const range = ranges[source];
      let indices: Uint8Array | null = null;
      if (range?.indices !== undefined) {
        const name = `${split}_${source}_indices`;
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

/** Puts the data behind the skeleton, and patches the headers to say so. */
async function fillSkeleton(file: FileHandle, skeleton: Skeleton, dataset: H5DatasetToWrite): Promise<void> {
  const root = headerMessages(file.fd, 0, skeleton.root);
  const split = root.find((message) => message.type === MESSAGE.attribute && attributeName(message) === 'split');
  if (split === undefined || split.content.length < skeleton.split.length) {
    throw new Error('split: the placeholder of the attribute is not where it was written; this is a bug in Longrun');
  }
  await patch(file, split, 0, skeleton.split);

  let end = (await file.stat()).size;
  for (const source of dataset.sources) {
    const messages = headerMessages(file.fd, 0, skeleton.sources.get(source.name) ?? -1);
    await forgetModificationTime(file, messages);
    const sizeBytes = sizeOf(source.shape) * dtypeBytes(source.dtype);
    // Version 1: 8 bytes, then the dimensions, then their maxima.
    const rows = unsigned(source.shape[0] ?? 0);
    const dataspace = one(messages, MESSAGE.dataspace);
    await patch(file, dataspace, 8, rows);
    if (((dataspace.content[2] ?? 0) & 1) !== 0) await patch(file, dataspace, 8 + 8 * source.shape.length, rows);
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    await writeRows(file, source, offset, sizeBytes);
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

async function writeRows(file: FileHandle, source: SourceToWrite, offset: number, sizeBytes: number): Promise<void> {
  let written = 0;
  for await (const bytes of source.rows) {
    if (written + bytes.byteLength > sizeBytes) {
      throw new Error(
        `${source.name}: the rows have more than the ${sizeBytes} bytes that the shape (${source.shape.join(', ')}) of ${source.dtype} takes`,
      );
    }
    await writeAll(file, bytes, offset + written);
    written += bytes.byteLength;
  }
  if (written < sizeBytes) {
    throw new Error(
      `${source.name}: the rows have ${written} bytes, but the shape (${source.shape.join(', ')}) of ${source.dtype} takes ${sizeBytes}`,
    );
  }
}

/** Patching went well when the library finds what was to be written. */
async function checkWritten(path: string, dataset: H5DatasetToWrite): Promise<void> {
  const file = await H5File.open(path);
  try {
    for (const { name, dtype, shape } of dataset.sources) {
      const found = file.source(name);
      const extent = sizeOf(shape) === 0 || found.extent?.sizeBytes === sizeOf(shape) * dtypeBytes(dtype);
      if (found.dtype !== dtype || found.shape.join() !== shape.join() || !extent) {
        throw new Error(
          `${name}: ${dtype} (${shape.join(', ')}) was written but ${found.dtype} (${found.shape.join(', ')}) is read; this is a bug in Longrun`,
        );
      }
    }
    file.splitRows();
  } finally {
    file.close();
  }
}

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

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
