import { closeSync, existsSync, openSync } from 'node:fs';
import type { DType } from '@longrun/serialization';
import type { File, Metadata } from 'h5wasm/node';
import { CorruptInput, MissingInput } from '../errors.js';
import { hdf5Library, hdf5Problem, type Hdf5Library } from './library.js';
import { baseAddress, contiguousExtent, headerMessages, type Extent } from './object-header.js';
import { decodeSplitRows, type SplitRow } from './split-attribute.js';

/** A source as it lies in a file. */
export interface H5Source {
  readonly name: string;
  /** Null for what an array cannot hold: variable-length, float16, text. */
  readonly dtype: DType | null;
  /** `(examples, ...)`. */
  readonly shape: readonly number[];
  /** What the axes mean; an axis without a label has the empty string. */
  readonly axisLabels: readonly string[];
  /** Rows in a chunk; null when the source is not chunked. */
  readonly chunkRows: number | null;
  /** Where its bytes lie in one piece; undefined when they do not. */
  readonly extent: Extent | undefined;
}

/** An HDF5 file of Fuel's layout, open for reading: its sources, its splits and its version attributes. */
export class H5File {
  readonly path: string;
  /** For reading the bytes of contiguous sources. */
  readonly descriptor: number;
  readonly #library: Hdf5Library;
  readonly #file: File;
  readonly #base: number;

  private constructor(path: string, descriptor: number, library: Hdf5Library, file: File, base: number) {
    this.path = path;
    this.descriptor = descriptor;
    this.#library = library;
    this.#file = file;
    this.#base = base;
  }

  /**
   * @throws MissingInput when there is no such file
   * @throws CorruptInput when it is not an HDF5 file, or a damaged one
   */
  static async open(path: string): Promise<H5File> {
    if (!existsSync(path)) throw new MissingInput(`${path} does not exist; convert the dataset first`, [path]);
    const library = await hdf5Library();
    const descriptor = openSync(path, 'r');
    try {
      const base = baseAddress(descriptor);
      if (base === undefined) throw new CorruptInput(path, 'is not an HDF5 file; give the file that a converter wrote');
      return new H5File(path, descriptor, library, new library.File(path, 'r'), base);
    } catch (error) {
      closeSync(descriptor);
      throw error instanceof CorruptInput ? error : corrupt(path, error);
    }
  }

  /** Names of the datasets in the root group. */
  datasetNames(): string[] {
    return this.#guarded(() =>
      this.#file.keys().filter((name) => this.#file.get_type(`/${name}`) === this.#library.Module.H5G_DATASET),
    );
  }

  /** What is known about a dataset without reading its data. */
  source(name: string): H5Source {
    return this.#guarded(() => {
      const { Module: module } = this.#library;
      const metadata = module.get_dataset_metadata(this.#file.file_id, `/${name}`);
      const labels = module.get_dimension_labels(this.#file.file_id, `/${name}`);
      return {
        name,
        dtype: this.#dtypeOf(metadata),
        shape: metadata.shape ?? [],
        axisLabels: (metadata.shape ?? []).map((_, axis) => labels[axis] ?? ''),
        chunkRows: metadata.chunks?.[0] ?? null,
        extent: metadata.littleEndian || metadata.size === 1 ? this.#extentOf(name) : undefined,
      };
    });
  }

  /**
   * The rows of the `split` attribute.
   *
   * @throws CorruptInput when there is none, or one that is not Fuel's
   */
  splitRows(): SplitRow[] {
    return this.#guarded(() => {
      const { Module: module } = this.#library;
      if (!module.get_attribute_names(this.#file.file_id, '/').includes('split')) {
        throw new CorruptInput(this.path, 'has no split attribute, so it is not a Fuel dataset; convert it anew');
      }
      const metadata = module.get_attribute_metadata(this.#file.file_id, '/', 'split');
      const members = metadata.compound_type?.members;
      if (members === undefined) {
        throw new CorruptInput(this.path, 'has a split attribute that is no compound type; convert it anew');
      }
      const bytes = this.#inWasm(metadata.size * metadata.total_size, (pointer) =>
        module.get_attribute_data(this.#file.file_id, '/', 'split', pointer),
      );
      return decodeSplitRows(Buffer.from(bytes.buffer), metadata.size, members);
    });
  }

  /** Text attributes of the root group: the version attributes of Fuel, and whatever else was noted. */
  textAttributes(): Record<string, string> {
    return this.#guarded(() => {
      const entries: [string, string][] = [];
      for (const name of this.#library.Module.get_attribute_names(this.#file.file_id, '/')) {
        const { type } = this.#library.Module.get_attribute_metadata(this.#file.file_id, '/', name);
        if (type !== this.#library.Module.H5T_class_t.H5T_STRING.value) continue;
        const value = this.#file.get_attribute(name, true);
        if (typeof value === 'string') entries.push([name, value]);
      }
      return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    });
  }

  /** The list of rows that an object reference of the `split` attribute points to. */
  indices(reference: Uint8Array): number[] {
    return this.#guarded(() => {
      const name = this.#library.Module.get_referenced_name(this.#file.file_id, reference, true);
      const value = new this.#library.Dataset(this.#file.file_id, name).value;
      if (!ArrayBuffer.isView(value) || value instanceof DataView) {
        throw new CorruptInput(this.path, `has a split whose indices ${name} are not numbers; convert it anew`);
      }
      return Array.from(value as ArrayLike<number | bigint>, Number);
    });
  }

  /** Rows of any source through the library, whatever its layout; little-endian bytes. */
  rows(source: H5Source, start: number, stop: number): Uint8Array {
    return this.#guarded(() => {
      const { Module: module } = this.#library;
      const { size } = module.get_dataset_metadata(this.#file.file_id, `/${source.name}`);
      const rest = source.shape.slice(1);
      const elements = rest.reduce((product, dimension) => product * dimension, stop - start);
      const count = [stop - start, ...rest].map(BigInt);
      const offset = [start, ...rest.map(() => 0)].map(BigInt);
      const strides = source.shape.map(() => 1n);
      return this.#inWasm(size * elements, (pointer) =>
        module.get_dataset_data(this.#file.file_id, `/${source.name}`, count, offset, strides, pointer),
      );
    });
  }

  close(): void {
    try {
      this.#file.close();
    } catch (error) {
      // A library that a damaged file has crashed closes nothing, which is no problem of its own: nothing was written.
      hdf5Problem(error);
    } finally {
      closeSync(this.descriptor);
    }
  }

  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof CorruptInput ? error : corrupt(this.path, error);
    }
  }

  #inWasm(sizeBytes: number, read: (pointer: bigint) => unknown): Uint8Array {
    const { Module: module } = this.#library;
    const pointer = module._malloc(Math.max(1, sizeBytes));
    if (pointer === 0) throw new Error(`there is no memory for reading ${sizeBytes} bytes; read fewer rows at a time`);
    try {
      read(BigInt(pointer));
      // The heap moves when it grows, so it is looked up after the read.
      return module.HEAPU8.slice(pointer, pointer + sizeBytes);
    } finally {
      module._free(pointer);
    }
  }

  #extentOf(name: string): Extent | undefined {
    const reference = Uint8Array.from(this.#library.Module.create_object_reference(this.#file.file_id, `/${name}`));
    const address = Number(Buffer.from(reference.buffer).readBigUInt64LE());
    try {
      return contiguousExtent(headerMessages(this.descriptor, this.#base, address), this.#base);
    } catch {
      // A header of a version to come: the library reads the data instead.
      return undefined;
    }
  }

  #dtypeOf(metadata: Metadata): DType | null {
    const { H5T_class_t: classes } = this.#library.Module;
    const { type, size, signed, enum_type: enumeration } = metadata;
    if (type === classes.H5T_FLOAT.value) return size === 4 ? 'float32' : size === 8 ? 'float64' : null;
    if (type === classes.H5T_INTEGER.value) return integerDtype(size, signed);
    if (type === classes.H5T_ENUM.value && size === 1 && enumeration?.members['TRUE'] === 1) return 'bool';
    return null;
  }
}

function integerDtype(size: number, signed: boolean): DType | null {
  switch (size) {
    case 1:
      return signed ? 'int8' : 'uint8';
    case 2:
      return signed ? 'int16' : 'uint16';
    case 4:
      return signed ? 'int32' : 'uint32';
    case 8:
      return signed ? 'int64' : null;
    default:
      return null;
  }
}

function corrupt(path: string, error: unknown): CorruptInput {
  const problem = `cannot be read as HDF5: ${hdf5Problem(error)}; the file is damaged or incomplete, get or convert it anew`;
  return new CorruptInput(path, problem, { cause: error });
}
