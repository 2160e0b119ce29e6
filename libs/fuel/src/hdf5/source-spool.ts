import type { Column } from '../arrays/column.js';
import type { SourceToWrite } from './dataset-to-write.js';

/** The rows of one source. */
export interface SourceSpool {
  /** @throws RangeError for rows that do not fit those before */
  check(name: string, column: Column): void;
  add(column: Column): Promise<void>;
  /** The source with all its rows; nothing can be added any more. */
  source(name: string, axisLabels: readonly string[]): Promise<SourceToWrite>;
  close(): Promise<void>;
}
