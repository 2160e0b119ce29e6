import { closeSync, existsSync, openSync } from 'node:fs';
import { sizeOf } from '@longrun/serialization';
import type { File } from 'h5wasm/node';
import { CorruptInput, MissingInput, UnsuitableDataset } from '../errors.js';
import { attributesOf, textsOf, type AttributeMessage } from './attribute-message.js';
import { ChunkCache } from './chunk-cache.js';
import { chunkIndexOf } from './chunk-index.js';
import { dtypeOf, isAsInMemory, raggedDtypeOf } from './datatype.js';
import { decodeDatatype } from './decode-datatype.js';
import { firstAxisScales, isAttachedScale } from './dimension-scales.js';
import { hdf5Problem, libraryFor, type Hdf5Library, type LibraryUse } from './library.js';
import {
  contiguousExtent,
  decodeDataspace,
  hasOtherAttributes,
  headerMessages,
  MESSAGE,
  messageContent,
  superblock,
  type HeaderMessage,
  type OpenFile,
} from './object-header.js';
import { explained } from './reading-error.js';
import type { H5Source, ReadableSource } from './h5-source.js';
import { rowReader } from './row-reader.js';
import { isVariable, sourceProblem } from './source-problem.js';
import { SourceReader } from './source-reader.js';
import { libraryDatatype } from './library-datatype.js';
import { decodeSplitRows, type SplitRow } from './split-rows.js';

/** An HDF5 file of Fuel's layout, open for reading: its sources, its splits and its version attributes. */
export class H5File {
  readonly path: string;
  /** For reading the bytes of contiguous sources. */
  readonly descriptor: number;
  readonly #library: Hdf5Library;
  readonly #file: File;
  readonly #base: number;
  readonly #use: LibraryUse;

  private constructor(path: string, descriptor: number, use: LibraryUse, file: File, base: number) {
    this.path = path;
    this.descriptor = descriptor;
    this.#use = use;
    this.#library = use.library;
    this.#file = file;
    this.#base = base;
  }

  /**
   * @throws MissingInput when there is no such file
   * @throws CorruptInput when it is not an HDF5 file, or a damaged one
   * @throws UnsuitableDataset when it is one of several files that are one together
   */
  static async open(path: string): Promise<H5File> {
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
      return new H5File(path, descriptor, use, new use.library.File(path, 'r'), block.base);
    } catch (error) {
      use?.end();
      closeSync(descriptor);
      throw explained(path, error);
    }
  }

  /** For reading what lies outside of sources, as the global heap. */
  get openFile(): OpenFile {
    return { descriptor: this.descriptor, base: this.#base };
  }

  /**
   * What is known about a dataset of the root group without reading its data.
   *
   * @throws CorruptInput when there is none of this name
   */
  source(name: string): H5Source {
    return this.#guarded(() => this.#described(name));
  }

  /**
   * The same of a source that is to be read.
   *
   * @throws UnsuitableDataset when it cannot be, saying why and what to do
   */
  readableSource(name: string): ReadableSource {
    const source = this.source(name);
    const { dtype, problem } = source;
    if (dtype !== null && problem === null) return { ...source, dtype };
    throw new UnsuitableDataset(
      `${this.path}: the source ${name} cannot be read: ${problem}; or ask for the other sources by name`,
    );
  }

  /** Whether a dataset is a dimension scale that is attached to another one. */
  isAttachedScale(name: string): boolean {
    return this.#guarded(() => isAttachedScale(this.#messages(`/${name}`)));
  }

  /**
   * The rows of the `split` attribute.
   *
   * @throws CorruptInput when there is none, or one that is not Fuel's
   */
  splitRows(): SplitRow[] {
    return this.#guarded(() => {
      if (!this.#library.Module.get_attribute_names(this.#file.file_id, '/').includes('split')) {
        throw new CorruptInput(this.path, 'has no split attribute, so it is not a Fuel dataset; convert it anew');
      }
      const attribute = attributesOf(this.#messages('/')).get('split') ?? this.#splitByLibrary();
      try {
        return decodeSplitRows(attribute, this.openFile);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        throw new CorruptInput(
          this.path,
          `has a split attribute that is not Fuel's: ${error.message}; convert it anew`,
          {
            cause: error,
          },
        );
      }
    });
  }

  /** Text attributes of the root group: the version attributes of Fuel, and whatever else was noted. */
  textAttributes(): Record<string, string> {
    return this.#guarded(() => {
      const messages = this.#messages('/');
      const entries = [...attributesOf(messages)].flatMap(([name, attribute]): [string, string][] => {
        const [text, ...more] = textsOf(attribute, this.openFile) ?? [];
        return text === undefined || more.length > 0 || attribute.shape.length > 0 ? [] : [[name, text]];
      });
      if (hasOtherAttributes(messages)) entries.push(...this.#otherTextAttributes());
      return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    });
  }

  /**
   * The list of rows that an object reference of the `split` attribute points to.
   *
   * @throws CorruptInput when it points to anything but a list of whole numbers
   */
  indices(reference: Uint8Array): number[] {
    return this.#guarded(() => {
      const name = this.#library.Module.get_referenced_name(this.#file.file_id, reference, true);
      const list = this.readableSource(name.replace(/^\//, ''));
      if (list.ragged || list.dtype.startsWith('float') || list.shape.length !== 1) {
        const what = `${list.dtype} (${list.shape.join(', ')})`;
        throw new CorruptInput(this.path, `has a split whose indices ${name} are ${what}, not a list; convert it anew`);
      }
      const reader = new SourceReader(this, list, new ChunkCache(0));
      return Array.from(reader.read({ start: 0, stop: list.shape[0] ?? 0 }).data, Number);
    });
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
    return this.#guarded(() =>
      this.#inWasm(sizeBytes, (pointer) =>
        this.#library.Module.get_dataset_data(
          this.#file.file_id,
          `/${source.name}`,
          count.map(BigInt),
          offset.map(BigInt),
          strides,
          pointer,
        ),
      ),
    );
  }

  close(): void {
    try {
      this.#file.close();
    } catch (error) {
      // A library that a damaged file has crashed closes nothing, which is no problem of its own: nothing was written.
      hdf5Problem(error);
    } finally {
      this.#use.end();
      closeSync(this.descriptor);
    }
  }

  #described(name: string): H5Source {
    const path = `/${name}`;
    const { Module: module } = this.#library;
    const id = this.#file.file_id;
    this.#checkLink(name, path);
    const messages = this.#messages(path);
    const content = messageContent(this.descriptor, this.#base, messages, MESSAGE.datatype);
    const dataspace = messageContent(this.descriptor, this.#base, messages, MESSAGE.dataspace);
    if (content === undefined || dataspace === undefined) {
      throw new UnsuitableDataset(
        `${this.path}: the description of ${name} is shared in a way that this build does not read; write the file anew with h5repack`,
      );
    }
    const type = decodeDatatype(content);
    const shape = decodeDataspace(dataspace) ?? [0];
    const simple = dtypeOf(type);
    const dtype = simple ?? raggedDtypeOf(type);
    const ragged = simple === null && dtype !== null;
    // The library describes simple types only without a fault, so that it is not asked about others.
    const metadata = simple === null && type.class !== 'text' ? null : module.get_dataset_metadata(id, path);
    const isOutside = metadata?.virtual_sources !== undefined || messages.some((m) => m.type === MESSAGE.externalFiles);
    const extent = isAsInMemory(type) || ragged ? contiguousExtent(messages, this.#base) : undefined;
    const chunkIndex = isVariable(type) && !isOutside ? chunkIndexOf(messages, shape[0] ?? 0) : undefined;
    const filters = chunkIndex?.filters ?? (metadata?.chunks == null ? [] : module.get_dataset_filters(id, path));
    const chunks = chunkIndex === undefined ? (metadata?.chunks ?? null) : [chunkIndex.chunkRows];
    const layout = {
      shape,
      elementBytes: type.size,
      chunks,
      filtered: filters.length > 0 || (chunkIndex?.address ?? null) !== null,
    };
    const isFound = extent !== undefined || chunkIndex !== undefined;
    const problem = sourceProblem({ name, type, filters, isOutside, isFound, ...layout });
    if (problem === null && extent !== undefined && extent.sizeBytes < sizeOf(shape) * type.size) {
      throw new CorruptInput(
        this.path,
        `has ${extent.sizeBytes} bytes of ${name}, whose shape (${shape.join(', ')}) takes ${sizeOf(shape) * type.size}; the file is damaged, get or convert it anew`,
      );
    }
    const labels = this.#axisLabels(path, messages);
    // A row of a ragged source has at least one axis, which the dataset does not know.
    const axisLabels = [...shape, ...(ragged ? [0] : [])].map(
      (_, axis) => (axis < shape.length ? labels[axis] : null) ?? '',
    );
    const source = { name, dtype, type, ragged, shapesName: null, problem, axisLabels, extent, chunkIndex, ...layout };
    return ragged && type.class === 'variable-length' ? this.#withShapes(source, path, messages) : source;
  }

  /** What the scales `shapes` and `shape_labels` of its first axis say about the rows of a source. */
  #withShapes(source: H5Source, path: string, messages: readonly HeaderMessage[]): H5Source {
    const { Module: module } = this.#library;
    const scales = new Map<string, string>();
    if (hasOtherAttributes(messages)) {
      for (const scale of module.get_attached_scales(this.#file.file_id, path, 0))
        scales.set(module.get_scale_name(this.#file.file_id, scale) ?? '', scale);
    } else {
      for (const [scale, reference] of firstAxisScales(messages, this.openFile))
        scales.set(scale, module.get_referenced_name(this.#file.file_id, reference, true));
    }
    const nameOf = (scale: string): string | null => scales.get(scale)?.replace(/^\//, '') ?? null;
    const shapesName = nameOf('shapes');
    if (shapesName === null) return source;
    const {
      shape: [rows = 0, axes],
      dtype,
    } = this.#described(shapesName);
    if (axes === undefined || dtype === null || dtype.startsWith('float') || rows < (source.shape[0] ?? 0)) {
      throw new CorruptInput(
        this.path,
        `has shapes of the rows of ${source.name} in ${shapesName} that are not one list of whole numbers for each row; convert it anew`,
      );
    }
    const labelsName = nameOf('shape_labels');
    const labels = labelsName === null ? [] : this.#texts(labelsName);
    return {
      ...source,
      shapesName,
      axisLabels: [source.axisLabels[0] ?? '', ...Array.from({ length: axes }, (_, axis) => labels[axis] ?? '')],
    };
  }

  /** The rows of a source of text. */
  #texts(name: string): string[] {
    const source = this.readableSource(name);
    if (!source.ragged || source.type.class === 'variable-length') return [];
    const reader = rowReader(this, source, new ChunkCache(0));
    return Array.from({ length: source.shape[0] ?? 0 }, (_, row) =>
      Buffer.from(reader.read(row).data.buffer).toString('utf8'),
    );
  }

  /** Where the link of a name leads, before the library follows it. */
  #checkLink(name: string, path: string): void {
    const { Module: module } = this.#library;
    const absent = new CorruptInput(this.path, `has no dataset ${name}; name one that it has, or convert it anew`);
    let filename: string | undefined;
    try {
      ({ filename } = module.get_external_link(this.#file.file_id, path));
    } catch (error) {
      // So it is called of what lies below a group; of others the type is none.
      throw String(error).includes("doesn't exist") ? absent : error;
    }
    if (filename !== undefined) {
      throw new UnsuitableDataset(
        `${this.path}: ${name} is a link to the file ${filename}, and a dataset is one file; copy what it links to into this one`,
      );
    }
    if (module.get_type(this.#file.file_id, path) !== module.H5G_DATASET) throw absent;
  }

  #messages(path: string): HeaderMessage[] {
    const reference = Uint8Array.from(this.#library.Module.create_object_reference(this.#file.file_id, path));
    return headerMessages(this.descriptor, this.#base, Number(Buffer.from(reference.buffer).readBigUInt64LE()));
  }

  /** What the axes mean. Read here as far as it can be: on a damaged heap of texts the library never ends. */
  #axisLabels(path: string, messages: readonly HeaderMessage[]): readonly (string | null)[] {
    const attribute = attributesOf(messages).get('DIMENSION_LABELS');
    if (attribute !== undefined) return textsOf(attribute, this.openFile) ?? [];
    return hasOtherAttributes(messages) ? this.#library.Module.get_dimension_labels(this.#file.file_id, path) : [];
  }

  #otherTextAttributes(): [string, string][] {
    const { Module: module } = this.#library;
    return module.get_attribute_names(this.#file.file_id, '/').flatMap((name): [string, string][] => {
      if (name === 'split') return [];
      const metadata = module.get_attribute_metadata(this.#file.file_id, '/', name);
      if (metadata.type !== module.H5T_class_t.H5T_STRING.value) return [];
      if (metadata.size * metadata.total_size > LARGEST_ATTRIBUTE) return [];
      const value = this.#file.get_attribute(name, true);
      return typeof value === 'string' ? [[name, value]] : [];
    });
  }

  #splitByLibrary(): AttributeMessage {
    const { Module: module } = this.#library;
    const metadata = module.get_attribute_metadata(this.#file.file_id, '/', 'split');
    const sizeBytes = metadata.size * metadata.total_size;
    if (sizeBytes > LARGEST_ATTRIBUTE) throw new RangeError(`the split attribute has ${sizeBytes} bytes`);
    const type = libraryDatatype(metadata, module.H5T_class_t);
    const bytes = this.#inWasm(sizeBytes, (pointer) =>
      module.get_attribute_data(this.#file.file_id, '/', 'split', pointer),
    );
    return { name: 'split', type, shape: metadata.shape ?? [], bytes: Buffer.from(bytes.buffer) };
  }

  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw explained(this.path, error);
    }
  }

  #inWasm(sizeBytes: number, read: (pointer: bigint) => unknown): Uint8Array {
    const { Module: module } = this.#library;
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
}

const LARGEST_ATTRIBUTE = 1 << 26;
const LARGEST_BLOCK = 1 << 29;
