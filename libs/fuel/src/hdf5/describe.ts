import { stat } from 'node:fs/promises';
import type { DType } from '@longrun/serialization';
import type { RowRange } from '../arrays/rows.js';
import { H5File } from './h5-file.js';
import type { SplitRow } from './split-rows.js';

/** What is in a dataset file; JSON-able. */
export interface DatasetDescription {
  readonly sources: readonly SourceDescription[];
  readonly splits: readonly SplitDescription[];
  /** Text attributes of the file, as `fuel_convert_command`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
}

/** A source of a dataset file. */
export interface SourceDescription {
  readonly name: string;
  /** Of its values; null for what cannot be read, as float16. */
  readonly dtype: DType | null;
  /** `(examples, ...)`; of a ragged source `(examples)`. */
  readonly shape: readonly number[];
  /** Whether rows may differ in shape (Fuel: `get_vlen_sources`): those of variable length, and text, as uint8. */
  readonly ragged: boolean;
  /** What the axes mean; empty when the file does not say. */
  readonly axisLabels: readonly string[];
}

/** A split of a dataset file. */
export interface SplitDescription {
  readonly name: string;
  /** Sources that the split has. */
  readonly sources: readonly string[];
  readonly examplesCount: number;
  /** Its rows of each of these sources: a range, or else a sorted list, each once (Fuel: `get_subsets`). */
  readonly ranges: Readonly<Record<string, RowRange | readonly number[]>>;
}

/**
 * Sources, splits and version attributes of a dataset file, without reading its data (Fuel: `fuel-info` and
 * `H5PYDataset.get_all_splits` and its like).
 *
 * @throws MissingInput, CorruptInput as `H5Dataset.open`
 */
export async function describeH5Dataset(path: string): Promise<DatasetDescription> {
  const file = await H5File.open(path);
  try {
    const rows = file.splitRows();
    const sources = [...new Set(rows.map(({ source }) => source))].toSorted().map((name) => {
      const { dtype, shape, ragged, axisLabels } = file.source(name);
      return { name, dtype, shape, ragged, axisLabels: axisLabels.some((label) => label !== '') ? axisLabels : [] };
    });
    const splits = [...new Set(rows.map(({ split }) => split))].map((name) => {
      const available = rows.filter((row) => row.split === name && row.available);
      const entries = available.map((row) => [row.source, rowsOf(file, row)] as const);
      const first = entries[0]?.[1] ?? [];
      return {
        name,
        sources: available.map(({ source }) => source),
        examplesCount: 'start' in first ? first.stop - first.start : first.length,
        ranges: Object.fromEntries(entries),
      };
    });
    return { sources, splits, attributes: file.textAttributes(), sizeBytes: (await stat(path)).size };
  } finally {
    file.close();
  }
}

function rowsOf(file: H5File, { start, stop, indices }: SplitRow): RowRange | number[] {
  return indices === null ? { start, stop } : [...new Set(file.indices(indices))].toSorted((a, b) => a - b);
}
