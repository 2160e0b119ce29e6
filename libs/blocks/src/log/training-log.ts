import { TrainingLogBase } from './training-log-base.js';

/** Options of {@link TrainingLog}. */
export interface TrainingLogOptions {
  /** How many of the newest rows stay in memory. Default 100,000. */
  readonly rowsKept?: number;
}

/** A log in memory (Blocks: `TrainingLog`). */
export class TrainingLog extends TrainingLogBase {
  constructor({ rowsKept = 100_000 }: TrainingLogOptions = {}) {
    super(rowsKept);
  }
}
