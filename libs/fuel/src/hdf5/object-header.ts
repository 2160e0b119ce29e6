import { readSync } from 'node:fs';

/** One message of an object header: what HDF5 keeps about a dataset or group, a piece at a time. */
export interface HeaderMessage {
  readonly type: number;
  /** Where the message's type field lies in the file. In bytes. */
  readonly headerOffset: number;
  /** Where the message's content lies in the file. In bytes. */
  readonly offset: number;
  readonly content: Buffer;
  /** True when the content says where the message is, rather than being it. */
  readonly shared: boolean;
  /** Version of the object header. Headers of version 2 carry checksums and must not be patched. */
  readonly headerVersion: 1 | 2;
}

/** A file that is read by position. */
export interface OpenFile {
  readonly descriptor: number;
  /** Address that all others count from. */
  readonly base: number;
}

/** Message types of the HDF5 file format specification, version 3.0, section IV.A.2. */
export const MESSAGE = {
  nil: 0x00,
  dataspace: 0x01,
  datatype: 0x03,
  fillValue: 0x05,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  modificationTime: 0x12,
  attributeInfo: 0x15,
} as const;

/** Size and address of contiguous data in a file, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What the first block of an HDF5 file says about all the others. */
export interface Superblock {
  /** Where it lies, which all other addresses count from: 0, unless the file starts with a user block. In bytes. */
  readonly base: number;
  /** Bytes that an address takes. */
  readonly addressBytes: number;
  /** The driver that spreads the bytes over several files, as `NCSAfami`; null when they are in this one. */
  readonly driver: string | null;
}

/** The superblock of a file; undefined when there is none, as the file is not HDF5. */
export function superblock(descriptor: number): Superblock | undefined {
  for (let base = 0; ; base = base === 0 ? 512 : base * 2) {
    const block = readAt(descriptor, base, 96);
    const signature = block.subarray(0, SIGNATURE.length);
    if (signature.length < SIGNATURE.length) return undefined;
    if (!signature.equals(SIGNATURE)) continue;
    // Of the versions after 1, the driver is in a block of its own; the library says what it misses there.
    if ((block[8] ?? 0) > 1) return { base, addressBytes: block[9] ?? 0, driver: null };
    const at = (block[8] ?? 0) === 0 ? 48 : 52;
    const address = block.length < at + 8 ? UNDEFINED_ADDRESS : block.readBigUInt64LE(at);
    const driver = address === UNDEFINED_ADDRESS ? '' : readAt(descriptor, base + Number(address) + 8, 8).toString();
    return { base, addressBytes: block[13] ?? 0, driver: driver === '' ? null : driver };
  }
}

/** The content of a header's only message of a type; looked up where it is shared, as a committed datatype is. */
export function messageContent(
  descriptor: number,
  base: number,
  messages: readonly HeaderMessage[],
  type: number,
): Buffer | undefined {
  const message = messages.find((candidate) => candidate.type === type);
  if (message?.shared !== true) return message?.content;
  const [version, where] = message.content;
  if (version === 3 && where === 1) return undefined; // in a heap that the library alone knows
  const address = Number(message.content.readBigUInt64LE(version === 1 ? 8 : 2));
  return headerMessages(descriptor, base, address).find((m) => m.type === type && !m.shared)?.content;
}

/** Sizes of the axes in a dataspace message; empty for a scalar, null for a dataspace without elements. */
export function decodeDataspace(content: Buffer): number[] | null {
  const [version, rank = 0, , kind] = content;
  if (version !== 1 && version !== 2) throw new Error(`dataspace has version ${version}, this build reads 1 and 2`);
  if (version === 2 && kind === 2) return null;
  return Array.from({ length: rank }, (_, axis) => Number(content.readBigUInt64LE((version === 1 ? 8 : 4) + 8 * axis)));
}

/**
 * The messages of the object header at an address, continuation blocks included. Both versions of headers are read.
 *
 * @throws Error when there is no object header of a known version
 */
export function headerMessages(descriptor: number, base: number, address: number): HeaderMessage[] {
  const head = readAt(descriptor, base + address, 32);
  if (head.toString('latin1', 0, 4) === 'OHDR') return messagesOfVersion2(descriptor, base, address, head);
  if (head[0] !== 1) throw new Error(`object header at ${address} has version ${head[0]}, this build reads 1 and 2`);
  return messagesOfVersion1(descriptor, base, address, head);
}

/** Where the data of a dataset lie in one piece, as they are; undefined when they do not (chunked, compact, not yet written). */
export function contiguousExtent(messages: readonly HeaderMessage[], base: number): Extent | undefined {
  if (messages.some((message) => message.type === MESSAGE.externalFiles)) return undefined;
  const layout = messages.find((message) => message.type === MESSAGE.layout)?.content;
  const known = layout !== undefined && layout.length >= 18 && (layout[0] === 3 || layout[0] === 4 || layout[0] === 5);
  if (!known || layout[1] !== CONTIGUOUS) return undefined;
  const address = layout.readBigUInt64LE(2);
  if (address === UNDEFINED_ADDRESS) return undefined;
  return { offset: base + Number(address), sizeBytes: Number(layout.readBigUInt64LE(10)) };
}

/** True when there are attributes that are not messages of the header, as there are too many, or too large ones. */
export function hasOtherAttributes(messages: readonly HeaderMessage[]): boolean {
  const info = messages.find((message) => message.type === MESSAGE.attributeInfo)?.content;
  return info !== undefined && info.readBigUInt64LE(((info[1] ?? 0) & 1) === 0 ? 2 : 4) !== UNDEFINED_ADDRESS;
}

/** Up to `length` bytes at a position; fewer at the end of the file. */
export function readAt(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readUpTo(descriptor, buffer, position));
}

/** Fills the target from a position on. @throws RangeError when the file ends before */
export function readFully(descriptor: number, target: Uint8Array, position: number): void {
  if (readUpTo(descriptor, target, position) < target.length)
    throw new RangeError(`the file ends before byte ${position + target.length}`);
}

function readUpTo(descriptor: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    // Node reads at most 2 GiB at once.
    const length = Math.min(target.length - done, LARGEST_READ);
    const count = readSync(descriptor, target, done, length, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

const LARGEST_READ = 1 << 30;
const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const UNDEFINED_ADDRESS = 0xffff_ffff_ffff_ffffn;
const CONTIGUOUS = 1;
const SHARED = 2;
const LARGEST_BLOCK = 1 << 26;
const MOST_MESSAGES = 100_000;

interface Block {
  readonly offset: number;
  readonly length: number;
}

function messagesOfVersion1(descriptor: number, base: number, address: number, head: Buffer): HeaderMessage[] {
  const messages: HeaderMessage[] = [];
  // 16 bytes of prefix; the block's size does not count them.
  const blocks = [{ offset: base + address + 16, length: head.readUInt32LE(8) }];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const bytes = readBlock(descriptor, block, address, messages.length);
    for (let at = 0; at + 8 <= bytes.length;) {
      const type = bytes.readUInt16LE(at);
      const start = at + 8;
      const end = start + bytes.readUInt16LE(at + 2);
      if (end > bytes.length) break;
      const content = bytes.subarray(start, end);
      messages.push({
        type,
        headerOffset: block.offset + at,
        offset: block.offset + start,
        content,
        shared: ((bytes[at + 4] ?? 0) & SHARED) !== 0,
        headerVersion: 1,
      });
      if (type === MESSAGE.continuation) blocks.push(continuation(content, base));
      at = end;
    }
  }
  return messages;
}

function messagesOfVersion2(descriptor: number, base: number, address: number, head: Buffer): HeaderMessage[] {
  if (head[4] !== 2) throw new Error(`object header at ${address} has version ${head[4]}, this build reads 1 and 2`);
  const flags = head[5] ?? 0;
  let at = 6;
  if ((flags & 0x20) !== 0) at += 16; // times
  if ((flags & 0x10) !== 0) at += 4; // attribute storage thresholds
  const sizeBytes = 1 << (flags & 3);
  const length = sizeBytes === 8 ? Number(head.readBigUInt64LE(at)) : head.readUIntLE(at, sizeBytes);
  const prefixOfMessage = (flags & 4) === 0 ? 4 : 6; // with or without the order of creation

  const messages: HeaderMessage[] = [];
  const blocks = [{ offset: base + address + at + sizeBytes, length }];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const bytes = readBlock(descriptor, block, address, messages.length);
    for (let message = 0; message + prefixOfMessage <= bytes.length;) {
      const type = bytes[message] ?? 0;
      const start = message + prefixOfMessage;
      const end = start + bytes.readUInt16LE(message + 1);
      if (end > bytes.length) break;
      const content = bytes.subarray(start, end);
      messages.push({
        type,
        headerOffset: block.offset + message,
        offset: block.offset + start,
        content,
        shared: ((bytes[message + 3] ?? 0) & SHARED) !== 0,
        headerVersion: 2,
      });
      if (type === MESSAGE.continuation) {
        const { offset, length: whole } = continuation(content, base);
        // A signature of 4 bytes before and a checksum of 4 bytes behind the messages.
        blocks.push({ offset: offset + 4, length: whole - 8 });
      }
      message = end;
    }
  }
  return messages;
}

/** A damaged header may continue in itself, or say that it is larger than memory. */
function readBlock(descriptor: number, { offset, length }: Block, address: number, messagesBefore: number): Buffer {
  if (length >= 0 && length <= LARGEST_BLOCK && messagesBefore <= MOST_MESSAGES)
    return readAt(descriptor, offset, length);
  throw new Error(
    `object header at ${address} has a block of ${length} bytes after ${messagesBefore} messages; it is damaged`,
  );
}

function continuation(content: Buffer, base: number): Block {
  return { offset: base + Number(content.readBigUInt64LE(0)), length: Number(content.readBigUInt64LE(8)) };
}
