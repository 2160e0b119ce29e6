import { open, unlink, type FileHandle } from 'node:fs/promises';

/**
 * Bytes that are put one after the other, and moved to their place in a file once it is known: in memory while they are few, then in a file
 * without a name, which is gone with the process whatever happens.
 */
export class Spool {
  readonly #path: string;
  #file: FileHandle | undefined;
  #inFile = 0;
  #inMemory: Uint8Array[] = [];
  #memoryBytes = 0;

  /** @param path Where the file is for a moment, if there has to be one; nothing may be there */
  constructor(path: string) {
    this.#path = path;
  }

  get sizeBytes(): number {
    return this.#inFile + this.#memoryBytes;
  }

  /** Takes a copy of the bytes. */
  async add(bytes: Uint8Array): Promise<void> {
    if (this.#memoryBytes + bytes.length <= LARGEST_MEMORY) {
      this.#inMemory.push(Uint8Array.prototype.slice.call(bytes));
      this.#memoryBytes += bytes.length;
      return;
    }
    const file = (this.#file ??= await this.#open());
    await this.#flush(file);
    await writeAll(file, bytes, this.#inFile);
    this.#inFile += bytes.length;
  }

  /**
   * Moves all bytes to a place in another file. What has been moved is cut off here, from the end on, so that the disk holds them about once.
   *
   * @param change Changes bytes in place on their way, a piece of a multiple of 16 at a time if they came so. Default: they stay
   */
  async moveTo(target: FileHandle, position: number, change?: (piece: Buffer) => void): Promise<void> {
    let end = position + this.#inFile;
    for (const bytes of this.#inMemory) {
      change?.(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      await writeAll(target, bytes, end);
      end += bytes.length;
    }
    const piece = Buffer.allocUnsafe(Math.min(this.#inFile, PIECE_BYTES));
    for (let left = this.#inFile; left > 0 && this.#file !== undefined;) {
      const length = Math.min(piece.length, left);
      left -= length;
      await readAll(this.#file, piece.subarray(0, length), left);
      change?.(piece.subarray(0, length));
      await writeAll(target, piece.subarray(0, length), position + left);
      await this.#file.truncate(left);
    }
    await this.close();
  }

  /** Gives the bytes up. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#inMemory = [];
    this.#memoryBytes = this.#inFile = 0;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'wx+');
    await unlink(this.#path);
    return file;
  }

  async #flush(file: FileHandle): Promise<void> {
    const bytes = Buffer.concat(this.#inMemory);
    this.#inMemory = [];
    this.#memoryBytes = 0;
    await writeAll(file, bytes, this.#inFile);
    this.#inFile += bytes.length;
  }
}

/** Writes all of the bytes at a position. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

const LARGEST_MEMORY = 1 << 22;
const PIECE_BYTES = 1 << 23;

async function readAll(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.byteLength;) {
    const { bytesRead } = await file.read(target, done, target.byteLength - done, position + done);
    if (bytesRead === 0) throw new Error('a spool file ends before what was written to it; the disk has lost it');
    done += bytesRead;
  }
}
