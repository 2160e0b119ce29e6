/** What both sides read: rows of bytes, in batches, and images. */
export interface Amounts {
  readonly rows: number;
  /** Bytes of a row. */
  readonly width: number;
  readonly batchSize: number;
  readonly images: number;
  /** Pixels of an image, either way, and of what is cut out of it. */
  readonly side: number;
  readonly window: number;
}

/** A batch of our side and of the peer's, in ms, of each round; of the peer null where it is missing. */
export interface Sides {
  readonly ours: number[];
  readonly peer: number[] | null;
}

export const ROUNDS = 5;
