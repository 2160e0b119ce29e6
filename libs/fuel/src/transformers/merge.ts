import { checkIdentity, StateKind, statesIn, type VersionedState } from '@longrun/serialization';
import type { Column } from '../arrays/column.js';
import { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark } from '../streams/delivery.js';
import { restoreTogether } from '../streams/restore-together.js';

/** What else is known of merged streams. */
export interface MergeOptions {
  /** What the axes of each source mean. Default null: unknown. */
  readonly axisLabels?: ReadonlyMap<string, readonly string[]> | null;
}

/**
 * Several streams side by side, as one of all their sources (Fuel: `Merge`). An epoch ends with the shortest.
 *
 * State: those of the streams, and the names of the sources.
 */
export class Merge extends DataStream {
  readonly dataStreams: readonly DataStream[];
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly producesExamples: boolean;

  /**
   * @param dataStreams at least one; all of examples or all of batches
   * @param sources names for all of their sources, in the order of the streams
   */
  constructor(dataStreams: readonly DataStream[], sources: readonly string[], options: MergeOptions = {}) {
    super();
    const [first] = dataStreams;
    if (first === undefined) throw new RangeError('Merge: there are no streams; give at least one');
    if (dataStreams.some((stream) => stream.producesExamples !== first.producesExamples)) {
      throw new RangeError('Merge: some streams give examples and some batches; give streams of one kind');
    }
    const below = dataStreams.flatMap((stream) => stream.sources);
    if (below.length !== sources.length) {
      throw new RangeError(
        `Merge: the streams have ${below.length} sources (${below.join(', ')}) but sources has ${sources.length}; name each`,
      );
    }
    const double = sources.find((source, i) => sources.indexOf(source) !== i);
    if (double !== undefined) {
      throw new RangeError(`Merge: two sources would be named ${double}; give each source a name of its own`);
    }
    this.dataStreams = [...dataStreams];
    this.sources = [...sources];
    this.axisLabels = options.axisLabels ?? null;
    this.producesExamples = first.producesExamples;
  }

  /** That of the shortest; null where one is not known. */
  get batchesPerEpoch(): number | null {
    const counts = this.dataStreams.map(({ batchesPerEpoch }) => batchesPerEpoch);
    return counts.reduce((least, count) => (least === null || count === null ? null : Math.min(least, count)));
  }

  stages(): readonly string[] {
    return [
      `Merge(${this.sources.join(', ')}) of ${this.dataStreams.map((stream) => `[${String(stream)}]`).join(' and ')}`,
    ];
  }

  protected override below(): readonly DataStream[] {
    return this.dataStreams;
  }

  protected async advance(): Promise<Delivery | undefined> {
    const parts: Delivery[] = [];
    for (const stream of this.dataStreams) {
      const part = await stream.next();
      if (part === undefined) {
        for (const other of parts) other.release();
        return undefined;
      }
      parts.push(part);
    }
    const [first] = parts;
    if (first === undefined) return undefined;
    const columns = parts.flatMap(
      (part, at) => this.dataStreams[at]?.sources.map((source) => part.columns.get(source)) ?? [],
    );
    const named = new Map<string, Column>();
    for (const [at, source] of this.sources.entries()) {
      const column = columns[at];
      if (column === undefined) {
        throw new TypeError(`Merge: a stream gave nothing for ${source}; let each give all of its sources`);
      }
      named.set(source, column);
    }
    return new Delivery(named, first, this.mark(), parts);
  }

  protected async startEpoch(): Promise<void> {
    for (const stream of this.dataStreams) await stream.nextEpoch();
  }

  protected async release(): Promise<void> {
    for (const stream of this.dataStreams) await stream.close();
  }

  protected mark(): Bookmark {
    const below = this.dataStreams.map((stream) => stream.bookmark());
    return () => ({ ...MERGE.head, sources: this.sources, streams: below.map((bookmark) => bookmark()) });
  }

  protected load(state: VersionedState): void {
    const read = MERGE.read(state);
    const states = statesIn(MERGE.name, read, 'streams', this.dataStreams.length);
    checkIdentity(MERGE.name, read, 'sources', this.sources, 'name them as when it was saved');
    restoreTogether(this.dataStreams, states);
  }
}

const MERGE = new StateKind('Merge');
