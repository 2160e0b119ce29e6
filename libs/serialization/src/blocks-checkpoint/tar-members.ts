import type { RangedBytes } from '../ranged-bytes.js';
import { shown } from '../shown.js';

/** A regular file in a tar file: where its bytes lie. */
export interface TarMember {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The regular files in a tar file (ustar, GNU or pax, as Python's `tarfile` writes them) in their order: the headers are read and nothing
 * else. Each has been seen to lie within the file.
 *
 * @throws the format's error
 */
export async function* tarMembers(bytes: RangedBytes): AsyncGenerator<TarMember> {
  let given: Given = {};
  for (let position = 0; position < bytes.sizeBytes;) {
    const header = await headerAt(bytes, position);
    if (header === undefined) return;
    const { type } = header;
    const size = DESCRIBES_NEXT.has(type) ? header.size : (given.size ?? header.size);
    const start = position + BLOCK_BYTES;
    const end = start + size;
    if (end > bytes.sizeBytes) {
      throw bytes.invalid(
        `member ${shown(given.path ?? header.name)} ends at byte ${end} but the file at ${bytes.sizeBytes}; it is truncated or corrupt`,
      );
    }
    if (DESCRIBES_NEXT.has(type)) given = { ...given, ...(await describedAt(bytes, type, start, size)) };
    else {
      if (REGULAR.has(type)) yield { name: given.path ?? header.name, start, end };
      given = {};
    }
    position = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw bytes.invalid('there is no block of zeros at the end; this is no tar file, or it is truncated');
}

/** What stands before a header about the member after it. */
interface Given {
  readonly path?: string;
  readonly size?: number;
}

const BLOCK_BYTES = 512;
const REGULAR: ReadonlySet<string> = new Set(['0', '\0', '7']);
const GNU_LONG_NAME = 'L';
const PAX = 'x';
const DESCRIBES_NEXT: ReadonlySet<string> = new Set([GNU_LONG_NAME, PAX]);

/** Names and pax records are read into memory; longer ones are no names. */
const MAX_DESCRIPTION_BYTES = 1 << 20;

interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** The header at a place; undefined for the block of zeros that ends the file. */
async function headerAt(bytes: RangedBytes, position: number): Promise<TarHeader | undefined> {
  if (position + BLOCK_BYTES > bytes.sizeBytes) {
    throw bytes.invalid(`no tar header fits in at byte ${position}; this is no tar file, or it is truncated`);
  }
  const block = await bytes.take(position, BLOCK_BYTES);
  if (block.every((byte) => byte === 0)) return undefined;
  const wanted = numberIn(block.subarray(148, 156));
  if (wanted === undefined || !checksumsOf(block).includes(wanted)) {
    throw bytes.invalid(`the header at byte ${position} has no valid checksum; this is no tar file, or it is corrupt`);
  }
  const size = numberIn(block.subarray(124, 136));
  if (size === undefined) throw bytes.invalid(`the header at byte ${position} has no valid size; the file is corrupt`);
  const name = textIn(block.subarray(0, 100));
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textIn(block.subarray(345, 500)) : '';
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type: block.toString('latin1', 156, 157) };
}

/** The sum of the bytes, of which some writers take those above 127 as negative; the field itself counts as spaces. */
function checksumsOf(block: Buffer): readonly [unsigned: number, signed: number] {
  let [unsigned, signed] = [0, 0];
  for (const [index, found] of block.entries()) {
    const byte = index >= 148 && index < 156 ? 32 : found;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return [unsigned, signed];
}

/** A number in octal digits or, for large ones of GNU, in base 256 after a byte of 0x80. */
function numberIn(field: Buffer): number | undefined {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = textIn(field).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function textIn(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.byteLength : end);
}

async function describedAt(bytes: RangedBytes, type: string, start: number, size: number): Promise<Given> {
  if (size > MAX_DESCRIPTION_BYTES) {
    throw bytes.invalid(
      `a name of ${size} bytes at byte ${start}, more than ${MAX_DESCRIPTION_BYTES}; the file is corrupt`,
    );
  }
  const content = await bytes.take(start, size);
  if (type === GNU_LONG_NAME) return { path: textIn(content) };
  const records = paxRecords(content);
  if (records === undefined) throw bytes.invalid(`the pax records at byte ${start} are not valid; the file is corrupt`);
  const { path, size: sizeText } = Object.fromEntries(records);
  const given = path === undefined ? {} : { path };
  if (sizeText === undefined) return given;
  if (!/^\d{1,15}$/.test(sizeText))
    throw bytes.invalid(`the pax size ${shown(sizeText)} at byte ${start} is no number`);
  return { ...given, size: Number(sizeText) };
}

/** Records of the form `27 path=some/other/name\n`, of which the number is the length of all of it. */
function paxRecords(content: Buffer): [string, string][] | undefined {
  const records: [string, string][] = [];
  for (let position = 0; position < content.byteLength;) {
    const space = content.indexOf(' ', position);
    const digits = space < 0 ? '' : content.toString('latin1', position, space);
    const length = /^\d{1,7}$/.test(digits) ? Number(digits) : 0;
    const end = position + length;
    const equals = content.indexOf('=', space);
    if (end <= space || end > content.byteLength || equals < 0 || equals >= end || content[end - 1] !== 0x0a)
      return undefined;
    records.push([content.toString('utf8', space + 1, equals), content.toString('utf8', equals + 1, end - 1)]);
    position = end;
  }
  return records;
}
