import type { Column } from '../arrays/column.js';

/** Takes the rows of a dataset as they come. */
export interface H5Appender {
  /**
   * Puts rows behind those that are there, of all sources or of some: arrays `(rows, ...)` or ragged columns, as many rows in each. They may
   * be used again once it has ended. The first rows of a source say its dtype and the shape of an example, or that these may differ.
   *
   * @throws RangeError for arrays of different lengths, for those that do not fit the rows before, and for names that HDF5 cannot hold
   */
  append(rows: Readonly<Record<string, Column>>): Promise<void>;
}
