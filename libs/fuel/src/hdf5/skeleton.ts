import type { FileHandle } from 'node:fs/promises';
import { sizeOf } from '@longrun/serialization';
import type { File } from 'h5wasm/node';
import { indicesName, type SourceToWrite, type SplitsToWrite } from './dataset-to-write.js';
import type { Hdf5Library } from './library.js';
import { headerMessages, MESSAGE, readAt, type HeaderMessage } from './object-header.js';
import { byteAttributeHeadBytes, splitAttributeMessage } from './split-attribute.js';
import type { SplitRow } from './split-rows.js';
import { writeAll } from './spool.js';
import type { StoredDataset, StoredType } from './stored-dataset.js';

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
  readonly stored: ReadonlyMap<string, number>;
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
    const stored = new Map<string, number>();
    for (const empty of dataset.sources.flatMap((source) => source.stored)) {
      createEmpty(library, file, empty);
      stored.set(empty.name, Number(address(`/${empty.name}`).readBigUInt64LE()));
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
    return { root: Number(address('/').readBigUInt64LE()), stored, others, split };
  } finally {
    file.close();
  }
}

/** The dataset without rows, attached to its source if it is a scale of it. */
function createEmpty(
  { Module: module }: Hdf5Library,
  file: File,
  { name, shape, type, axisLabels, scale }: StoredDataset,
): void {
  const { placeholder } = type;
  const options = { name, shape: [0, ...shape.slice(1)] };
  if (placeholder === null) file.create_dataset({ ...options, data: new Map([['a', []]]), dtype: [['a', '<b']] });
  else file.create_dataset({ ...options, data: [], dtype: placeholder });
  axisLabels.forEach((label, axis) => module.set_dimension_label(file.file_id, name, axis, label));
  if (scale === undefined) return;
  module.set_scale(file.file_id, name, scale.name);
  module.attach_scale(file.file_id, scale.of, name, 0);
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

/** Puts the data behind the skeleton, and patches the headers to say so. */
export async function fillSkeleton(
  file: FileHandle,
  skeleton: Skeleton,
  sources: readonly SourceToWrite[],
): Promise<void> {
  const root = headerMessages(file.fd, 0, skeleton.root);
  const split = root.find((message) => message.type === MESSAGE.attribute && attributeName(message) === 'split');
  if (split === undefined || split.content.length < skeleton.split.length) {
    throw new Error('split: the placeholder of the attribute is not where it was written; this is a bug in Longrun');
  }
  await patch(file, split, 0, skeleton.split);

  let end = (await file.stat()).size;
  const align = (): number => Math.ceil(end / ALIGNMENT) * ALIGNMENT;
  for (const { name, shape, type, heap, move } of sources.flatMap(({ stored }) => stored)) {
    const header = skeleton.stored.get(name) ?? -1;
    const messages = headerMessages(file.fd, 0, header);
    await forgetModificationTime(file, messages);
    const sizeBytes = sizeOf(shape) * type.sizeBytes;
    // Version 1: 8 bytes, then the dimensions, then their maxima.
    const rows = unsigned(shape[0] ?? 0);
    const dataspace = one(messages, MESSAGE.dataspace);
    await patch(file, dataspace, 8, rows);
    if (((dataspace.content[2] ?? 0) & 1) !== 0) await patch(file, dataspace, 8 + 8 * shape.length, rows);
    await patchType(file, header, messages, type);

    const heapPosition = align();
    if (heap !== undefined && heap.sizeBytes > 0) {
      end = heapPosition + heap.sizeBytes;
      await heap.moveTo(file, heapPosition);
    }
    const offset = align();
    await move(file, offset, heapPosition);
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
    await writeAll(file, short(MESSAGE.nil), message.headerOffset);
    await patch(file, message, 0, Buffer.alloc(message.content.length));
  }
}

/** The type itself in the place of the one that the library made the dataset of; what it takes less becomes a message without content. */
async function patchType(
  file: FileHandle,
  header: number,
  messages: readonly HeaderMessage[],
  { message, isSequence }: StoredType,
): Promise<void> {
  if (message === null) return;
  const known = one(messages, MESSAGE.datatype);
  const padded = Buffer.concat([message, Buffer.alloc(-message.length & 7)]);
  const rest = known.content.length - padded.length;
  if (rest < 0) throw new Error('datatype: there is no room for it in its header; this is a bug in Longrun');
  await patch(file, known, 0, Buffer.concat([padded, Buffer.alloc(rest)]));
  if (rest > 0) {
    await writeAll(file, short(padded.length), known.headerOffset + 2);
    await patch(file, known, padded.length, Buffer.concat([short(MESSAGE.nil), short(rest - MESSAGE_HEAD)]));
    const count = readAt(file.fd, header + 2, 2).readUInt16LE();
    await writeAll(file, short(count + 1), header + 2);
  }
  // When the library writes the value of what was never written: where it is a sequence, with its memory.
  if (isSequence) await patch(file, one(messages, MESSAGE.fillValue), 2, Buffer.of(0));
}

const MESSAGE_HEAD = 8;

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

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
