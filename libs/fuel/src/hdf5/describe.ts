import { stat } from 'node:fs/promises';
import type { DType } from '@longrun/serialization';
import { H5File } from './h5-file.js';

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
  /** Null for what cannot be read as an array: variable-length, text, float16. */
  readonly dtype: DType | null;
  /** `(examples, ...)`. */
  readonly shape: readonly number[];
  /** What the axes mean; empty when the file does not say. */
  readonly axisLabels: readonly string[];
}

/** A split of a dataset file. */
export interface SplitDescription {
  readonly name: string;
  /** Sources that the split has. */
  readonly sources: readonly string[];
  readonly examplesCount: number;
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
      const { dtype, shape, axisLabels } = file.source(name);
      return { name, dtype, shape, axisLabels: axisLabels.some((label) => label !== '') ? axisLabels : [] };
    });
    const splits = [...new Set(rows.map(({ split }) => split))].map((name) => {
      const available = rows.filter((row) => row.split === name && row.available);
      const [first] = available;
      const indices = first?.indices ?? null;
      const count = first === undefined ? 0 : first.stop - first.start;
      return {
        name,
        sources: available.map(({ source }) => source),
        examplesCount: indices === null ? count : new Set(file.indices(indices)).size,
      };
    });
    return { sources, splits, attributes: file.textAttributes(), sizeBytes: (await stat(path)).size };
  } finally {
    file.close();
  }
}
