import { closeSync, existsSync, openSync } from 'node:fs';
import { sizeOf } from '@longrun/serialization';
import type { File } from 'h5wasm/node';
import { CorruptInput, MissingInput, UnsuitableDataset } from '../errors.js';
import type { ReadableSource } from './h5-source.js';
import { hdf5Problem, libraryFor, type Hdf5Library, type LibraryUse } from './library.js';
import { headerMessages, superblock, type HeaderMessage, type OpenFile } from './object-header.js';
import { explained } from './reading-error.js';

/** What is held of an HDF5 file that is open. */
export interface Hdf5Handle {
  readonly descriptor: number;
  readonly use: LibraryUse;
  readonly file: File;
  /** Address that all others count from. */
  readonly base: number;
}

/**
 * @throws MissingInput when there is no such file
 * @throws CorruptInput when it is not an HDF5 file, or a damaged one
 * @throws UnsuitableDataset when it is one of several files that are one together
 */
export async function hdf5Handle(path: string): Promise<Hdf5Handle> {
  if (!existsSync(path)) throw new MissingInput(`${path} does not exist; convert the dataset first`, [path]);
  const descriptor = openSync(path, 'r');
  let use: LibraryUse | undefined;
  try {
    const block = superblock(descriptor);
    if (block === undefined) {
      throw new CorruptInput(path, 'is not an HDF5 file; give the file that a converter wrote');
    }
    if (block.driver !== null) {
      throw new UnsuitableDataset(
        `${path}: is one of several files that are a dataset together (HDF5's driver ${block.driver}); put them into one with h5repart or h5repack`,
      );
    }
    if (block.addressBytes !== 8) {
      throw new UnsuitableDataset(
        `${path}: has addresses of ${block.addressBytes} bytes, this build reads those of 8; write it anew with h5repack`,
      );
    }
    use = await libraryFor(descriptor);
    return { descriptor, use, file: new use.library.File(path, 'r'), base: block.base };
  } catch (error) {
    use?.end();
    closeSync(descriptor);
    throw explained(path, error);
  }
}

/** An HDF5 file, open for reading: by position, and through the library where that alone finds what is asked for. */
export class OpenHdf5 implements OpenFile {
  readonly path: string;
  readonly #handle: Hdf5Handle;

  constructor(path: string, handle: Hdf5Handle) {
    this.path = path;
    this.#handle = handle;
  }

  get descriptor(): number {
    return this.#handle.descriptor;
  }

  get base(): number {
    return this.#handle.base;
  }

  /** What the library does, of any file. */
  get module(): Hdf5Library['Module'] {
    return this.#handle.use.library.Module;
  }

  /** The file as the library has it. */
  get file(): File {
    return this.#handle.file;
  }

  /** By which the library knows the file. */
  get id(): bigint {
    return this.#handle.file.file_id;
  }

  /** The messages of the object header of a dataset or group. */
  messages(path: string): HeaderMessage[] {
    const reference = Uint8Array.from(this.module.create_object_reference(this.id, path));
    return headerMessages(this.descriptor, this.base, Number(Buffer.from(reference.buffer).readBigUInt64LE()));
  }

  /**
   * A block of any readable source through the library, whatever its layout; little-endian bytes in row-major order.
   *
   * @param offset First element, along each axis
   * @param count Elements, along each axis
   */
  block(source: ReadableSource, offset: readonly number[], count: readonly number[]): Uint8Array {
    const sizeBytes = sizeOf(count) * source.elementBytes;
    // The library is a program of 32 bits, which takes a larger size for its remainder.
    if (sizeBytes > LARGEST_BLOCK)
      throw new Error(`${source.name}: a block of ${sizeBytes} bytes; this is a bug in Longrun`);
    const strides = count.map(() => 1n);
    return this.guarded(() =>
      this.inWasm(sizeBytes, (pointer) =>
        this.module.get_dataset_data(
          this.id,
          `/${source.name}`,
          count.map(BigInt),
          offset.map(BigInt),
          strides,
          pointer,
        ),
      ),
    );
  }

  /** What the library has put at a pointer. @throws UnsuitableDataset when it has no memory for that many bytes */
  inWasm(sizeBytes: number, read: (pointer: bigint) => unknown): Uint8Array {
    const { module } = this;
    const pointer = module._malloc(Math.max(1, sizeBytes));
    if (pointer === 0) {
      throw new UnsuitableDataset(
        `${this.path}: there is no memory to read ${sizeBytes} bytes at once; write it anew in smaller chunks, with h5repack -l`,
      );
    }
    try {
      read(BigInt(pointer));
      // The heap moves when it grows, so it is looked up after the read.
      return module.HEAPU8.slice(pointer, pointer + sizeBytes);
    } finally {
      module._free(pointer);
    }
  }

  /** What `read` gives; what it throws is said in our words. */
  guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw explained(this.path, error);
    }
  }

  close(): void {
    try {
      this.#handle.file.close();
    } catch (error) {
      // A library that a damaged file has crashed closes nothing, which is no problem of its own: nothing was written.
      hdf5Problem(error);
    } finally {
      this.#handle.use.end();
      closeSync(this.descriptor);
    }
  }
}

const LARGEST_BLOCK = 1 << 29;
