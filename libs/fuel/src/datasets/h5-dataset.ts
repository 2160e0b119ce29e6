import { basename, extname } from 'node:path';
import { assertNever, type Json } from '@longrun/serialization';
import type { Column, Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { takeRow, takeRows, type RowRange } from '../arrays/rows.js';
import { CorruptInput } from '../errors.js';
import { ChunkCache, DEFAULT_CHUNK_CACHE_BYTES } from '../hdf5/chunk-cache.js';
import { H5File } from '../hdf5/h5-file.js';
import { readerOf } from '../hdf5/reader-of.js';
import type { RowReader } from '../hdf5/row-reader.js';
import type { SplitRow } from '../hdf5/split-rows.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { Batch } from '../streams/delivery.js';
import { identityOf } from './dataset-identity.js';
import { Dataset, type DatasetOptions } from './dataset.js';
import { Subset } from './subset.js';

/** Which part of a file makes up the dataset, and how it is read. */
export interface H5DatasetOptions extends Pick<DatasetOptions, 'sources' | 'axisLabels' | 'defaultTransformers'> {
  /** Splits, as `['train']`. Several make one dataset of the rows of all of them, each once, in the order of the file. */
  readonly whichSets: readonly string[];
  /** A part of these rows, counted within them: a range or a list of indices. Default: all. */
  readonly subset?: RowRange | ArrayLike<number>;
  /** Read the sources and rows wanted at once, and nothing from the file afterwards. Default false. */
  readonly loadInMemory?: boolean;
  /**
   * Bytes of chunked and compressed sources that are kept decoded, all sources together. Rows in any order are fast where this holds all
   * that they are taken from. Default 256 MiB.
   */
  readonly chunkCacheBytes?: number;
}

/**
 * A dataset in an HDF5 file of Fuel's layout, written by `writeH5Dataset` or by Fuel itself (Fuel: `H5PYDataset`).
 *
 * Sources are in alphabetical order, or in the order asked for. Rows that lie in one piece in the file are read by their
 * position, without the HDF5 library.
 */
export class H5Dataset extends Dataset {
  readonly examplesCount: number;
  readonly path: string;
  readonly whichSets: readonly string[];
  #identity: { readonly [key: string]: Json } | undefined;
  #storage: Storage;

  private constructor(path: string, contents: Contents, options: H5DatasetOptions, storage: Storage) {
    super({
      ...options,
      providesSources: contents.providesSources,
      axisLabels: options.axisLabels ?? contents.axisLabels,
    });
    this.path = path;
    this.whichSets = [...options.whichSets];
    this.examplesCount = contents.examplesCount;
    this.#storage = storage;
  }

  /**
   * @throws MissingInput when there is no such file
   * @throws CorruptInput when it is not a Fuel dataset, or damaged
   * @throws UnsuitableDataset when a source that is wanted cannot be read, saying why and what to do
   * @throws RangeError for an unknown split or source, listing those there are
   */
  static async open(path: string, options: H5DatasetOptions): Promise<H5Dataset> {
    const file = await H5File.open(path);
    try {
      const contents = contentsOf(file, options);
      // What is read once is not read again.
      const keptBytes = options.loadInMemory === true ? 0 : (options.chunkCacheBytes ?? DEFAULT_CHUNK_CACHE_BYTES);
      const cache = new ChunkCache(keptBytes);
      const readers = new Map<string, { reader: RowReader; rows: Subset }>();
      for (const [source, rows] of contents.rows)
        readers.set(source, { reader: readerOf(file, file.readableSource(source), cache), rows });
      if (options.loadInMemory !== true)
        return new H5Dataset(path, contents, options, { where: 'file', file, readers });

      const columns = new Map<string, Column>();
      for (const [source, { reader, rows }] of readers) {
        columns.set(source, reader.read(rows.rowsOf({ start: 0, stop: rows.length })));
      }
      const dataset = new H5Dataset(path, contents, options, { where: 'memory', columns });
      file.close();
      return dataset;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async getData(request: Request, into?: Memory): Promise<Batch> {
    return { columns: this.#read(request, into) };
  }

  /** That of the rows, wherever the file lies and however it is read. */
  override identity(): { readonly [key: string]: Json } {
    this.#identity ??= identityOf(this.examplesCount, (examples) => this.#read(examples));
    return this.#identity;
  }

  /** `fashion-mnist[train]`: the file, and which of its splits. */
  override toString(): string {
    return `${basename(this.path, extname(this.path))}[${this.whichSets.join(', ')}]`;
  }

  override async close(): Promise<void> {
    if (this.#storage.where === 'file') this.#storage.file.close();
    this.#storage = { where: 'closed' };
  }

  #read(request: Request, into?: Memory): Columns {
    const storage = this.#storage;
    const columns = new Map<string, Column>();
    switch (storage.where) {
      case 'memory':
        for (const [source, column] of storage.columns) {
          columns.set(
            source,
            typeof request === 'number' ? takeRow(column, request, into) : takeRows(column, request, into),
          );
        }
        return columns;
      case 'file':
        for (const [source, { reader, rows }] of storage.readers)
          columns.set(source, reader.read(rows.rowsOf(request), into));
        return columns;
      case 'closed':
        throw new Error(`${this.path}: the dataset is closed; open it again to read from it`);
      default:
        return assertNever(storage);
    }
  }
}

type Storage =
  | { readonly where: 'memory'; readonly columns: Columns }
  | {
      readonly where: 'file';
      readonly file: H5File;
      readonly readers: ReadonlyMap<string, { readonly reader: RowReader; readonly rows: Subset }>;
    }
  | { readonly where: 'closed' };

interface Contents {
  readonly providesSources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  /** Of the sources wanted, in the order wanted. */
  readonly rows: ReadonlyMap<string, Subset>;
  readonly examplesCount: number;
}

function contentsOf(file: H5File, options: H5DatasetOptions): Contents {
  const splitRows = file.splitRows();
  const whichSets = checkedSets(file.path, options.whichSets, splitRows);
  const providesSources = [...new Set(splitRows.map(({ source }) => source))]
    .filter((source) => whichSets.every((split) => available(splitRows, split, source) !== undefined))
    .toSorted();
  const rows = new Map<string, Subset>();
  const labels = new Map<string, readonly string[]>();
  for (const source of options.sources ?? providesSources) {
    if (!providesSources.includes(source)) {
      throw new RangeError(
        `${file.path}: there is no source ${source} in ${whichSets.join(' and ')}; there are ${providesSources.join(', ')}`,
      );
    }
    const { axisLabels, shape } = file.readableSource(source);
    if (axisLabels.some((label) => label !== '')) labels.set(source, axisLabels);
    const parts = whichSets.map((split) => subsetOf(file, available(splitRows, split, source), shape[0] ?? 0));
    const whole = parts.reduce((sum, part) => sum.union(part));
    rows.set(source, options.subset === undefined ? whole : whole.select(given(options.subset, whole.length)));
  }
  const lengths = [...rows].map(([source, subset]) => `${source} ${subset.length}`);
  const [first] = rows.values();
  if ([...rows.values()].some(({ length }) => length !== first?.length)) {
    throw new CorruptInput(
      file.path,
      `has sources of different lengths in ${whichSets.join(' and ')}: ${lengths.join(', ')}`,
    );
  }
  return { providesSources, axisLabels: labels.size > 0 ? labels : null, rows, examplesCount: first?.length ?? 0 };
}

function checkedSets(path: string, whichSets: unknown, rows: readonly SplitRow[]): readonly string[] {
  const splits = [...new Set(rows.map(({ split }) => split))];
  if (!Array.isArray(whichSets) || whichSets.length === 0) {
    throw new RangeError(
      `${path}: whichSets is ${JSON.stringify(whichSets)}; give a list of some of ${splits.join(', ')}`,
    );
  }
  return whichSets.map((split: unknown) => {
    if (typeof split === 'string' && splits.includes(split)) return split;
    throw new RangeError(`${path}: there is no split ${String(split)}; the splits available are ${splits.join(', ')}`);
  });
}

function available(rows: readonly SplitRow[], split: string, source: string): SplitRow | undefined {
  return rows.find((row) => row.split === split && row.source === source && row.available);
}

function subsetOf(file: H5File, row: SplitRow | undefined, rowsInFile: number): Subset {
  if (row === undefined) return Subset.range(0, 0, 0);
  try {
    if (row.indices !== null) return Subset.list(file.indices(row.indices), rowsInFile);
    return Subset.range(row.start, row.stop, rowsInFile);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CorruptInput(file.path, `has a split ${row.split} that does not fit ${row.source}: ${error.message}`, {
      cause: error,
    });
  }
}

function given(subset: RowRange | ArrayLike<number>, length: number): Subset {
  return 'start' in subset ? Subset.range(subset.start, subset.stop, length) : Subset.list(subset, length);
}
