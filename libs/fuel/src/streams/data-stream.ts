import type { NdArray, Stateful } from '@longrun/serialization';

/** One batch, or one example of an example stream, by source name. */
export interface Batch {
  /** Batches: `(batch, ...)` each, with the same number of rows. Examples: the same without the first axis. */
  readonly arrays: ReadonlyMap<string, NdArray>;
}

/**
 * Batches or examples of a dataset, epoch by epoch, that can be saved at any point and resumed exactly
 * (Fuel: `AbstractDataStream`).
 *
 * `state()` is the state after the last batch *delivered*. A stream built the same way that restores it goes on with
 * exactly the batch that would have come next, also between two epochs, and any number of times in a row.
 */
export interface DataStream extends Stateful {
  /** Names of the arrays that each batch has, in order. */
  readonly sources: readonly string[];
  /** What the axes of each source mean, as `batch, channel, height, width`; null when unknown. */
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  /** True when `next()` gives single examples rather than batches. */
  readonly producesExamples: boolean;
  /** How often `next()` gives something in one epoch; null when it is not known beforehand or endless. */
  readonly batchesPerEpoch: number | null;
  /** The next batch; undefined at the end of the epoch, and again until `nextEpoch()` is called. One call at a time. */
  next(): Promise<Batch | undefined>;
  /** Starts the following epoch, whether or not this one is at its end. Not to be called before the first epoch. */
  nextEpoch(): Promise<void>;
  /** Lets go of files. The stream gives nothing afterwards. */
  close(): Promise<void>;
}

/** A function that puts a transformer around a stream; what default transformers are made of. */
export type StreamTransformation = (stream: DataStream) => DataStream;

/** The batches left in the present epoch, for `for await`. */
export async function* remainingBatches(stream: DataStream): AsyncGenerator<Batch, void, undefined> {
  for (;;) {
    const batch = await stream.next();
    if (batch === undefined) return;
    yield batch;
  }
}
