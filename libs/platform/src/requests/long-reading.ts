/** A request that reads for long, once it has found what it was asked to read. */
export interface LongReading {
  /** Aborted, nothing is read any more. */
  readonly signal: AbortSignal;
  /** What was asked for is there, and the reading begins: what is thrown before it is for whoever asked wrongly. May be called again. */
  readonly onFound?: () => void;
}
