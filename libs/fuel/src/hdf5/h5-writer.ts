import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sizeOf, syncFolder } from '@longrun/serialization';
import { checkSplits, checkText, type SourceToWrite, type SplitsToWrite } from './dataset-to-write.js';
import type { H5Appender } from './h5-appender.js';
import { H5File } from './h5-file.js';
import { hdf5Library } from './library.js';
import { RowSpools } from './row-spools.js';
import { fillSkeleton, writeSkeleton, type DatasetToWrite } from './skeleton.js';

/** What a dataset file says besides its rows. */
export interface WriteH5Options {
  /** By source, what each axis means, as `batch, channel, height, width`. Default: no labels. */
  readonly axisLabels?: Readonly<Record<string, readonly string[]>>;
  /**
   * Sources whose rows may differ in shape, each of as many axes. Default: those whose first rows are ragged. (Rows that happen to have one
   * shape come as an array.)
   */
  readonly ragged?: readonly string[];
  /** Attribute `fuel_convert_command`: how the file came about. Default: not written. */
  readonly command?: string;
}

/**
 * Writes an HDF5 file that Fuel's `H5PYDataset` reads, and h5py (Fuel: `fill_hdf5_file`). The same rows give the same bytes, however
 * many are appended at a time.
 *
 * Counts and splits need to be known at the end only. Memory stays small whatever the size: rows wait in files beside `path`, which have
 * no name and take no more of the disk than the file will. It appears at `path` complete and on disk, or not at all: an error, also
 * one thrown by `fill`, leaves nothing behind, and what was at `path` as it was.
 *
 * @param fill Appends all rows, and answers the splits
 * @throws RangeError for a split that does not fit its source
 */
export async function writeH5Dataset(
  path: string,
  fill: (writer: H5Appender) => SplitsToWrite | Promise<SplitsToWrite>,
  options: WriteH5Options = {},
): Promise<void> {
  const { axisLabels = {}, ragged = [], command } = options;
  checkText('the command', command ?? '');
  const library = await hdf5Library();
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`);
  const spools = new RowSpools(partial, axisLabels, ragged);
  try {
    // Node's error for a folder that is missing or not to be written to says more than HDF5's.
    await (await open(partial, 'wx')).close();
    const splits = await fill(spools);
    const dataset: DatasetToWrite = { splits, sources: await spools.finish(), command };
    checkSplits(splits, dataset.sources);
    const skeleton = writeSkeleton(library, partial, dataset);
    const file = await open(partial, constants.O_RDWR);
    try {
      await fillSkeleton(file, skeleton, dataset.sources);
      await file.sync();
    } finally {
      await file.close();
    }
    await checkWritten(partial, dataset.sources);
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await spools.close();
  }
}

/** Patching went well when the library finds what was to be written. */
async function checkWritten(path: string, sources: readonly SourceToWrite[]): Promise<void> {
  const file = await H5File.open(path);
  try {
    for (const { name, dtype, shape, stored } of sources) {
      const found = file.source(name);
      const extent = sizeOf(shape) === 0 || found.extent?.sizeBytes === sizeOf(shape) * found.elementBytes;
      const isAttached = stored.slice(1).every((scale) => file.isAttachedScale(scale.name));
      const shapes = (found.shapes?.name ?? null) === (stored[1]?.name ?? null) && isAttached;
      if (found.dtype !== dtype || found.shape.join() !== shape.join() || !extent || !shapes) {
        throw new Error(
          `${name}: ${dtype} (${shape.join(', ')}) was written but ${found.dtype} (${found.shape.join(', ')}) is read; this is a bug in Longrun`,
        );
      }
    }
    file.splitRows();
  } finally {
    file.close();
  }
}
