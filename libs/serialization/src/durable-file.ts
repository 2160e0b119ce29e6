import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

import { namingDisk } from './disk-error.js';

/** Who is told and fed while a file is written. */
export interface WritingOptions {
  /** Fed with the bytes. Default: nobody asks for it. */
  readonly hash?: Hash;
  /** Told, after each piece, where the file lies as yet and how many of its first bytes are written and stay as they are. Default: nobody is. */
  readonly onWritten?: ((file: string, sizeBytes: number) => void) | undefined;
  /** The chunks stay as they are until the file is written: the disk is given more than one piece of them at a time. Default false. */
  readonly areLasting?: boolean;
}

/** What was written, for a manifest: its SHA-256 in lower-case hexadecimal digits and its size. */
export interface WrittenFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Writes the chunks to a file that appears at `target` complete and on disk, or not at all, whatever dies in between.
 * What was at `target` is replaced. The folder must exist.
 */
export async function writeDurably(target: string, chunks: Chunks): Promise<WrittenFile> {
  return placed(target, async (temporary) => {
    const written = await writeSynced(temporary, chunks);
    await rename(temporary, target);
    await syncFolder(path.dirname(target));
    return written;
  });
}

/**
 * Writes the chunks to a file that appears at `target` complete or not at all, whichever process dies in between. When the machine itself
 * falls it may be lost or cut short: for what is made anew then, or synced by whoever it is for. What was at `target` is replaced. The
 * folder must exist.
 *
 * @returns The number of its bytes
 */
export async function writeWhole(target: string, chunks: Chunks, options: WritingOptions = {}): Promise<number> {
  return placed(target, async (temporary) => {
    const sizeBytes = await writeNew(temporary, chunks, options);
    await rename(temporary, target);
    return sizeBytes;
  });
}

/** Writes the chunks to a new file and waits until its bytes, though not yet its name, are on disk. */
export async function writeSynced(target: string, chunks: Chunks): Promise<WrittenFile> {
  const hash = createHash('sha256');
  const sizeBytes = await writeNew(target, chunks, { hash, isSynced: true });
  return { sha256: hash.digest('hex'), sizeBytes };
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Has a file made under a name beside `target`, which is gone when that fails. */
async function placed<T>(target: string, make: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID()}.tmp`);
  try {
    return await make(temporary);
  } catch (error) {
    await rm(temporary, { force: true });
    throw namingDisk(`file ${target} could not be written`, error);
  }
}

async function writeNew(
  target: string,
  chunks: Chunks,
  { hash, onWritten, areLasting = false, isSynced = false }: WritingOptions & { readonly isSynced?: boolean },
): Promise<number> {
  const pace = new Pace();
  const file = await open(target, 'wx');
  const underWay: { readonly end: number; readonly written: Promise<void>; readonly begun: Begun }[] = [];
  const untilFewer = async (atMost: number): Promise<void> => {
    while (underWay.length > atMost) {
      const [oldest] = underWay;
      await oldest?.written;
      if (oldest !== undefined) pace.heard(oldest.begun, underWay.length);
      underWay.shift();
      if (oldest !== undefined) onWritten?.(target, oldest.end);
    }
  };
  try {
    let sizeBytes = 0;
    for await (const chunk of chunks) {
      for (const piece of pieces(chunk)) {
        const written = writeFully(file, piece, sizeBytes);
        // It is heard of when those before it are over.
        written.catch(() => undefined);
        sizeBytes += piece.byteLength;
        underWay.push({ end: sizeBytes, written, begun: pace.begin() });
        // While the disk is at work.
        hash?.update(piece);
        // Others are valid only until the next one is asked for.
        await untilFewer(areLasting ? pace.atOnce - 1 : 0);
      }
    }
    await untilFewer(0);
    if (isSynced) await file.sync();
    return sizeBytes;
  } finally {
    await Promise.allSettled(underWay.map(({ written }) => written));
    if (isSynced) leave(file);
    else await file.close();
  }
}

/**
 * The bytes of a file, a piece at a time. Each piece is valid only until the next one is asked for. A handle is read from its file's
 * start, whatever was read of it before, and left open.
 *
 * @param mostBytes How many at most: whoever makes the file may never be done. Default: to its end
 * @param start Where it begins, in bytes. Default 0
 */
export async function* readPieces(
  source: string | FileHandle,
  mostBytes = Infinity,
  start = 0,
): AsyncGenerator<Uint8Array> {
  const file = typeof source === 'string' ? await open(source, 'r') : source;
  const read = async (done: number, spare: Uint8Array | undefined): Promise<Piece> => {
    const wanted = Math.min(PIECE_BYTES, mostBytes - done);
    if (wanted === 0) return { buffer: spare, length: 0 };
    const buffer = spare ?? new Uint8Array(wanted);
    const { bytesRead } = await file.read(buffer, 0, wanted, start + done);
    return { buffer, length: bytesRead };
  };
  let coming = read(0, undefined);
  try {
    let taken: Uint8Array | undefined;
    for (let done = 0; ;) {
      const { buffer, length } = await coming;
      if (buffer === undefined || length === 0) return;
      done += length;
      // While this piece is used, into the place of the one before it.
      coming = read(done, taken);
      coming.catch(() => undefined);
      taken = buffer;
      yield buffer.subarray(0, length);
    }
  } finally {
    await coming.catch(() => undefined);
    if (typeof source === 'string') await file.close();
  }
}

interface Piece {
  readonly buffer: Uint8Array | undefined;
  readonly length: number;
}

/**
 * SHA-256 and size of a file.
 *
 * @param mostBytes As of {@link readPieces}
 */
export async function hashFile(source: string | FileHandle, mostBytes?: number): Promise<WrittenFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of readPieces(source, mostBytes)) {
    hash.update(piece);
    sizeBytes += piece.byteLength;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Makes a folder with all its parents, and waits until their names are on disk. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = path.dirname(first);
  for (let current = path.dirname(folder); ; current = path.dirname(current)) {
    await syncFolder(current);
    if (current === top) return;
  }
}

/** Waits until the bytes of a file are on disk. */
export async function syncFile(file: string): Promise<void> {
  await synced(file);
}

/** Waits until the names in a folder are on disk. */
export async function syncFolder(folder: string): Promise<void> {
  await synced(folder);
}

async function synced(target: string): Promise<void> {
  const handle = await open(target, 'r');
  try {
    await handle.sync();
  } finally {
    leave(handle);
  }
}

/** Closes a handle that is synced, for which nobody has to wait: its bytes are on disk, and closing it adds nothing. */
function leave(handle: FileHandle): void {
  handle.close().catch(() => undefined);
}

const PIECE_BYTES = 1 << 20;

/**
 * How many pieces the disk is given at once. One, where the process hears of each as soon as it is written: several threads that write one
 * file take the processors from whoever reads it meanwhile. A process that computes, and turns to its files as seldom as once in a second, has
 * more under way the longer that takes, so that some percent of its time are spent on them. Larger pieces instead would cost the system more:
 * of 4 MiB, twice the processor time.
 */
class Pace {
  #atOnce = 1;
  #lateAt = -Infinity;

  get atOnce(): number {
    return this.#atOnce;
  }

  begin(): Begun {
    return { at: performance.now(), loop: performance.eventLoopUtilization() };
  }

  /** One was written, of so many that were under way, and this process hears of it now: late, if it was busy itself. A slow disk is given no more than one. */
  heard({ at: begunAt, loop }: Begun, underWay: number): void {
    const now = performance.now();
    const wasBusy = performance.eventLoopUtilization(loop).utilization > BUSY_PART;
    if (wasBusy && now - begunAt > LATE_MS * underWay) {
      this.#lateAt = now;
      this.#atOnce = Math.min(2 * this.#atOnce, MOST_AT_ONCE);
    } else if (now - this.#lateAt > AGAIN_PROMPT_MS) this.#atOnce = 1;
  }
}

/** When a piece was given to the disk. */
interface Begun {
  /** In ms. */
  readonly at: number;
  readonly loop: EventLoopUtilization;
}

/** Of the time in which a piece was under way. */
const BUSY_PART = 0.5;
/** For each that was under way. A disk's cache takes a piece in a fiftieth of it. */
const LATE_MS = 24;
/** Between two of its steps a process hears of some soon. */
const AGAIN_PROMPT_MS = 1_000;
const MOST_AT_ONCE = 256;

function* pieces(chunk: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < chunk.byteLength; start += PIECE_BYTES) yield chunk.subarray(start, start + PIECE_BYTES);
}

async function writeFully(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let start = 0; start < piece.byteLength;) {
    const { bytesWritten } = await file.write(piece, start, piece.byteLength - start, position + start);
    start += bytesWritten;
  }
}
