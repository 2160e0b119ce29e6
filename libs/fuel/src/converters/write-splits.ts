import { dirname } from 'node:path';
import { isRagged, type Column } from '../arrays/column.js';
import { rowsOf } from '../arrays/rows.js';
import { describeH5Dataset, type DatasetDescription } from '../hdf5/describe.js';
import type { SplitRange } from '../hdf5/dataset-to-write.js';
import { writeH5Dataset, type WriteH5Options } from '../hdf5/h5-writer.js';
import type { ConvertOptions } from './converter.js';
import { checkEnoughSpace } from './disk-space.js';

/** A split as it comes from its raw files. */
export interface SplitToConvert {
  /** As `train`. */
  readonly name: string;
  /** The raw file that it is read from. */
  readonly file: string;
  /** Its rows by source, in pieces: arrays `(rows, ...)` or ragged, as many rows in each. */
  readonly batches: () => AsyncIterable<Readonly<Record<string, Column>>> | Iterable<Readonly<Record<string, Column>>>;
}

/** What is written beside the rows, and who is told. */
export interface WriteSplitsOptions extends ConvertOptions, WriteH5Options {
  /** Bytes of all rows; null when they are not known. */
  readonly totalBytes: number | null;
}

/**
 * Writes a dataset file of splits that lie one after the other, and have the same sources. Answers what is in it.
 *
 * @throws NotEnoughSpace before anything is written, where the size is known
 */
export async function writeSplits(
  outputPath: string,
  splits: readonly SplitToConvert[],
  { totalBytes, onProgress, signal, ...written }: WriteSplitsOptions,
): Promise<DatasetDescription> {
  if (totalBytes !== null) await checkEnoughSpace(dirname(outputPath), totalBytes);
  let doneBytes = 0;
  let rows = 0;
  await writeH5Dataset(
    outputPath,
    async (writer) => {
      const ranges: Record<string, Record<string, SplitRange>> = {};
      for (const { name, file, batches } of splits) {
        const start = rows;
        const sources = new Set<string>();
        for await (const batch of batches()) {
          signal?.throwIfAborted();
          await writer.append(batch);
          const before = rows;
          for (const [source, column] of Object.entries(batch)) {
            sources.add(source);
            doneBytes += (isRagged(column) ? column.values : column).data.byteLength;
            rows = before + rowsOf(column, source);
          }
          onProgress?.({ file, doneBytes, totalBytes });
        }
        ranges[name] = Object.fromEntries([...sources].map((source) => [source, { start, stop: rows }]));
      }
      return ranges;
    },
    written,
  );
  return describeH5Dataset(outputPath);
}

/** The axes of images and the numbers of their classes (Fuel: `bchw` and `bi`). */
export const IMAGE_AXES = {
  features: ['batch', 'channel', 'height', 'width'],
  targets: ['batch', 'index'],
} as const;
