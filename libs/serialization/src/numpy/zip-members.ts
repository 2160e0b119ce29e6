import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { crc32, createInflateRaw } from 'node:zlib';

import * as yauzl from 'yauzl';

import type { RangedBytes } from '../ranged-bytes.js';
import { shown } from '../shown.js';

/** A file in a ZIP file. */
export interface ZipMember {
  readonly name: string;
  /** Bytes of it once it is inflated, as the directory says. */
  readonly sizeBytes: number;
  readonly deflated: boolean;
  /** Its bytes; after the last one its checksum and size have been found right. */
  pieces(): AsyncGenerator<Uint8Array>;
}

/**
 * The files in a ZIP file (ZIP64 too), by its directory. No two have a name or bytes in common, so that all together have no more than
 * the file, where they are not deflated.
 *
 * @throws the format's error
 */
export async function zipMembers(bytes: RangedBytes): Promise<ZipMember[]> {
  const { zip, entries } = await readDirectory(bytes);
  const names = new Set<string>();
  const members: ZipMember[] = [];
  let storedBytes = 0;
  for (const entry of entries) {
    const name = nameOf(entry);
    if (names.has(name)) throw bytes.invalid(`there are two members ${shown(name)}; it is unclear which one is meant`);
    names.add(name);
    storedBytes += entry.compressedSize;
    if (storedBytes > bytes.sizeBytes) {
      throw bytes.invalid(`the members have more bytes than the file, up to ${shown(name)}; the file is corrupt`);
    }
    members.push(memberOf(bytes, zip, entry, name));
  }
  return members;
}

const STORED = 0;
const DEFLATED = 8;

/** Deflate packs no more bytes into one. */
const MAX_INFLATION = 1032;

async function readDirectory(bytes: RangedBytes): Promise<{ zip: yauzl.ZipFile; entries: yauzl.Entry[] }> {
  const entries: yauzl.Entry[] = [];
  let zip: yauzl.ZipFile;
  try {
    zip = await yauzl.fromRandomAccessReaderPromise(new Reader(bytes), bytes.sizeBytes, {
      autoClose: false,
      decodeStrings: false,
    });
    for await (const entry of zip.eachEntry()) entries.push(entry);
  } catch (error) {
    throw bytes.invalid(`no readable ZIP file (${messageOf(error)}); it is truncated or corrupt`, { cause: error });
  }
  // A number of entries that is too small would leave arrays out unseen.
  // (Its types say that the cursor is a boolean.)
  const after = await bytes.take(Number(zip.readEntryCursor), END_SIGNATURE_BYTES);
  if (!END_SIGNATURES.has(after.toString('latin1'))) {
    throw bytes.invalid('the directory of the ZIP file has more members than it says; the file is corrupt');
  }
  return { zip, entries };
}

const END_SIGNATURE_BYTES = 4;
const END_SIGNATURES: ReadonlySet<string> = new Set(['PK\x05\x06', 'PK\x06\x06']);

function nameOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: yauzl.Entry): string {
  return yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
}

function memberOf(bytes: RangedBytes, zip: yauzl.ZipFile, entry: yauzl.Entry, name: string): ZipMember {
  const { compressedSize, uncompressedSize, compressionMethod } = entry;
  const corrupt = (problem: string, options?: ErrorOptions): Error =>
    bytes.invalid(`member ${shown(name)} ${problem}`, options);
  if (entry.isEncrypted()) throw corrupt('is encrypted; write the file without a password');
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw corrupt(
      `is compressed by method ${compressionMethod}; only deflate, or none, is read: write it with numpy.savez`,
    );
  }
  const deflated = compressionMethod === DEFLATED;
  if (uncompressedSize > compressedSize * (deflated ? MAX_INFLATION : 1)) {
    throw corrupt(`claims ${uncompressedSize} bytes in ${compressedSize}, which is not possible; the file is corrupt`);
  }
  return {
    name,
    sizeBytes: uncompressedSize,
    deflated,
    async *pieces() {
      const packed = await packedPieces(bytes, zip, entry, corrupt);
      let sum = 0;
      let size = 0;
      for await (const piece of deflated ? inflated(packed, corrupt) : packed) {
        sum = crc32(piece, sum);
        size += piece.byteLength;
        if (size > uncompressedSize)
          throw corrupt(`has more than the ${uncompressedSize} bytes it claims; the file is corrupt`);
        yield piece;
      }
      if (size < uncompressedSize)
        throw corrupt(`has ${size} bytes but claims ${uncompressedSize}; the file is corrupt`);
      if (sum !== entry.crc32) throw corrupt('has another checksum than was written; the file is corrupt');
    },
  };
}

async function packedPieces(
  bytes: RangedBytes,
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  corrupt: (problem: string, options?: ErrorOptions) => Error,
): Promise<AsyncGenerator<Buffer>> {
  try {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    return bytes.pieces(fileDataStart, fileDataStart + entry.compressedSize);
  } catch (error) {
    throw corrupt(`cannot be read (${messageOf(error)}); the file is truncated or corrupt`, { cause: error });
  }
}

async function* inflated(
  packed: AsyncGenerator<Buffer>,
  corrupt: (problem: string, options?: ErrorOptions) => Error,
): AsyncGenerator<Buffer> {
  const aborted = new AbortController();
  const output = new PassThrough();
  const done = pipeline(Readable.from(packed), createInflateRaw(), output, { signal: aborted.signal }).catch(
    (error: unknown) => error,
  );
  try {
    yield* output.iterator() as AsyncIterable<Buffer>;
  } catch (error) {
    throw corrupt(`cannot be inflated (${messageOf(error)}); the file is corrupt`, { cause: error });
  } finally {
    aborted.abort();
    await done;
  }
}

class Reader extends yauzl.RandomAccessReader {
  readonly #bytes: RangedBytes;

  constructor(bytes: RangedBytes) {
    super();
    this.#bytes = bytes;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    callbackify(() => this.#bytes.fill(buffer.subarray(offset, offset + length), position))(callback);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
