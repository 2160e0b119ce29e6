import type { NdArray, VersionedState } from '@longrun/serialization';
import type { Batch, DataStream } from '../streams/data-stream.js';

/**
 * A stream around a stream, that changes what comes through (Fuel: `Transformer`).
 *
 * One that keeps nothing between batches has no state of its own: its state is that of the stream below.
 */
export abstract class Transformer implements DataStream {
  protected readonly stream: DataStream;

  constructor(stream: DataStream) {
    this.stream = stream;
  }

  get sources(): readonly string[] {
    return this.stream.sources;
  }

  get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    return this.stream.axisLabels;
  }

  get producesExamples(): boolean {
    return this.stream.producesExamples;
  }

  get batchesPerEpoch(): number | null {
    return this.stream.batchesPerEpoch;
  }

  abstract next(): Promise<Batch | undefined>;

  async nextEpoch(): Promise<void> {
    await this.stream.nextEpoch();
  }

  async close(): Promise<void> {
    await this.stream.close();
  }

  state(): VersionedState {
    return this.stream.state();
  }

  restore(state: VersionedState): void {
    this.stream.restore(state);
  }
}

/** A transformer that changes each array of some sources by itself (Fuel: `SourcewiseTransformer`). */
export abstract class SourcewiseTransformer extends Transformer {
  readonly whichSources: ReadonlySet<string>;

  /** @param whichSources the sources to change; default all of the stream's */
  constructor(stream: DataStream, whichSources: readonly string[] = stream.sources) {
    super(stream);
    checkSources(this.constructor.name, whichSources, stream.sources);
    this.whichSources = new Set(whichSources);
  }

  async next(): Promise<Batch | undefined> {
    const batch = await this.stream.next();
    if (batch === undefined) return undefined;
    const arrays = new Map<string, NdArray>();
    for (const [source, array] of batch.arrays) {
      arrays.set(source, this.whichSources.has(source) ? this.transformSource(array, source) : array);
    }
    return { arrays };
  }

  /** The array that takes this one's place. The one given is not written to: others may hold it. */
  protected abstract transformSource(array: NdArray, source: string): NdArray;
}

/** Throws a sentence for a source that is asked for and not there. */
export function checkSources(what: string, wanted: readonly string[], available: readonly string[]): void {
  const missing = wanted.find((source) => !available.includes(source));
  if (missing === undefined) return;
  throw new RangeError(`${what}: there is no source ${missing}; the sources of the stream are ${available.join(', ')}`);
}
