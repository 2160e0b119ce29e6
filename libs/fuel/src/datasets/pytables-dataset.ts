import { basename, extname } from 'node:path';
import type { Json } from '@longrun/serialization';
import type { Column, Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { ChunkCache, DEFAULT_CHUNK_CACHE_BYTES } from '../hdf5/chunk-cache.js';
import { H5File } from '../hdf5/h5-file.js';
import { SourceReader } from '../hdf5/source-reader.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { Batch } from '../streams/delivery.js';
import { commonLength, identityOf } from './dataset-identity.js';
import { Dataset, type DatasetOptions } from './dataset.js';
import { Subset } from './subset.js';

/** Which nodes of a file make up the dataset. */
export interface PytablesDatasetOptions extends Pick<DatasetOptions, 'axisLabels' | 'defaultTransformers'> {
  /** Names of the sources. */
  readonly sources: readonly string[];
  /** Names of their nodes below `dataNode`, in the same order. Default: those of the sources. */
  readonly sourcesInFile?: readonly string[];
  /** The group that has them. Default `Data`. */
  readonly dataNode?: string;
  /** The first row. Default 0. */
  readonly start?: number;
  /** The row after the last. Default: as many as there are. */
  readonly stop?: number;
  /** As of `H5Dataset`. Default 256 MiB. */
  readonly chunkCacheBytes?: number;
}

/** A dataset in an HDF5 file that PyTables wrote: arrays below one group, without splits (Fuel: `PytablesDataset`). */
export class PytablesDataset extends Dataset {
  readonly examplesCount: number;
  readonly path: string;
  readonly #file: H5File;
  readonly #readers: ReadonlyMap<string, SourceReader>;
  readonly #rows: Subset;
  #isClosed = false;

  private constructor(
    file: H5File,
    options: PytablesDatasetOptions,
    readers: ReadonlyMap<string, SourceReader>,
    rows: Subset,
  ) {
    super({ ...options, providesSources: options.sources });
    this.path = file.path;
    this.examplesCount = rows.length;
    this.#file = file;
    this.#readers = readers;
    this.#rows = rows;
  }

  /**
   * @throws MissingInput when there is no such file
   * @throws CorruptInput when it is no HDF5 file, damaged, or has no such node
   * @throws UnsuitableDataset when a source cannot be read, saying why and what to do
   * @throws RangeError for rows that there are not, and for sources of different lengths
   */
  static async open(path: string, options: PytablesDatasetOptions): Promise<PytablesDataset> {
    const {
      sources,
      sourcesInFile = sources,
      dataNode = 'Data',
      chunkCacheBytes = DEFAULT_CHUNK_CACHE_BYTES,
    } = options;
    if (sourcesInFile.length !== sources.length)
      throw new RangeError(
        `PytablesDataset: there are ${sources.length} sources, but sourcesInFile has ${sourcesInFile.length}; name the node of each`,
      );
    const file = await H5File.open(path);
    try {
      const cache = new ChunkCache(chunkCacheBytes);
      const readers = new Map<string, SourceReader>();
      const lengths = new Map<string, number>();
      for (const [at, source] of sources.entries()) {
        const node = file.readableSource(`${dataNode}/${sourcesInFile[at]}`);
        readers.set(source, new SourceReader(file, node, cache));
        lengths.set(source, node.shape[0] ?? 0);
      }
      const available = commonLength(`${path}: PytablesDataset`, lengths);
      return new PytablesDataset(
        file,
        options,
        readers,
        Subset.range(options.start ?? 0, options.stop ?? available, available),
      );
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async getData(request: Request, into?: Memory): Promise<Batch> {
    return { columns: this.#read(request, into) };
  }

  override identity(): { readonly [key: string]: Json } {
    return identityOf(this.examplesCount, (examples) => this.#read(examples));
  }

  override toString(): string {
    return basename(this.path, extname(this.path));
  }

  override async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.close();
  }

  #read(request: Request, into?: Memory): Columns {
    if (this.#isClosed) throw new Error(`${this.path}: the dataset is closed; open it again to read from it`);
    const rows = this.#rows.rowsOf(request);
    const columns = new Map<string, Column>();
    for (const [source, reader] of this.#readers) columns.set(source, reader.read(rows, into));
    return columns;
  }
}
