import {
  checkIdentity,
  countIn,
  StateKind,
  StateMismatch,
  stateIn,
  type Json,
  type VersionedState,
} from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';
import { joinRows, takeRows } from '../arrays/rows.js';
import type { BatchSizeScheme } from '../schemes/iteration-scheme.js';
import { shownSizes } from '../schemes/shown-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import { Delivery, type Batch, type Bookmark } from '../streams/delivery.js';
import { commonRows } from './common-rows.js';
import { putTogether } from './put-together.js';
import { Transformer } from './transformer.js';

/**
 * Makes other batches of batches (Fuel: `Cache`): reads large ones, for instance to sort each by length, and gives their examples in
 * batches of the sizes that its iteration scheme asks for, as many of the stream's batches in one as it takes. The last batch of an epoch
 * has what is left.
 *
 * Memory: one batch of the stream, kept whole until all of it was given, and twice the examples of a batch while it is put together.
 *
 * State: that of the stream before the batch of which examples are left, how many of these were given, and the position in the
 * scheme; no examples. The first `next()` after `restore` reads that batch again.
 */
export class Cache extends Transformer {
  readonly iterationScheme: BatchSizeScheme;
  /** What makes two put the same examples together. */
  readonly #batches: { readonly [key: string]: Json };
  #left: Left | undefined;
  #position = 0;

  /**
   * @param stream a stream of batches
   * @param iterationScheme how many examples go into each batch
   */
  constructor(stream: DataStream, iterationScheme: BatchSizeScheme) {
    super(stream);
    if (stream.producesExamples) {
      throw new TypeError('Cache: the stream gives examples, not batches; Batching puts them together');
    }
    this.iterationScheme = iterationScheme;
    this.#batches = iterationScheme.identity();
  }

  /** Null: the sizes of the stream's batches are not known beforehand. */
  override get batchesPerEpoch(): null {
    return null;
  }

  protected override stage(): string {
    return `Cache(${shownSizes(this.iterationScheme)})`;
  }

  protected override async advance(): Promise<Delivery | undefined> {
    const index = this.#position;
    const size = this.iterationScheme.batchSize(index);
    if (size === undefined) return undefined;
    const { parts, left, epoch } = await this.#take(size);
    const [first] = parts;
    if (first === undefined) {
      this.#left = left;
      return undefined;
    }
    const columns = parts.length === 1 ? first : putTogether(parts, this.sources, joinRows);
    this.#left = left;
    this.#position += 1;
    return new Delivery(columns, { epoch, index }, this.mark());
  }

  async #take(size: number): Promise<Taken> {
    const parts: Columns[] = [];
    let left = this.#left;
    let epoch = 0;
    let missing = size;
    while (missing > 0) {
      const { before, given } = left ?? { before: this.stream.bookmark(), given: 0 };
      const batch = left?.batch ?? (await this.#read(given));
      if (batch === undefined) break;
      const rows = commonRows('Cache', batch.columns);
      const stop = Math.min(given + missing, rows);
      if (stop > given) parts.push(part(batch.columns, given, stop, rows));
      missing -= stop - given;
      epoch = batch.epoch;
      left = stop < rows ? { before, batch, given: stop } : undefined;
    }
    return { parts, left, epoch };
  }

  /** The next batch of the stream, of which so many examples were given. */
  async #read(given: number): Promise<ReadBatch | undefined> {
    const batch = await this.stream.next();
    const rows = batch && commonRows('Cache', batch.columns);
    if (given === 0 || (rows ?? 0) > given) return batch && { columns: batch.columns, epoch: batch.epoch };
    throw new StateMismatch(
      `Cache: the saved state is in a batch of more than ${given} examples, but ${rows === undefined ? 'there is none' : `it has ${rows}`}; ` +
        'build it over the same stream as when it was saved',
    );
  }

  protected override async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#left = undefined;
    this.#position = 0;
  }

  protected override mark(): Bookmark {
    const [position, given] = [this.#position, this.#left?.given ?? 0];
    const below = this.#left?.before ?? this.stream.bookmark();
    return () => ({ ...CACHE.head, position, given, batches: this.#batches, stream: below() });
  }

  protected override load(state: VersionedState): void {
    const { name } = CACHE;
    const read = CACHE.read(state);
    const position = countIn(name, read, 'position');
    const given = countIn(name, read, 'given');
    const before = stateIn(name, read, 'stream');
    checkIdentity(name, read, 'batches', this.#batches, 'build it with the same batch sizes as when it was saved');
    this.stream.restore(before);
    this.#position = position;
    this.#left = given === 0 ? undefined : { before: this.stream.bookmark(), batch: undefined, given };
  }
}

const CACHE = new StateKind('Cache');

/** A batch of the stream, without what holds on to the stream. */
interface ReadBatch extends Batch {
  readonly epoch: number;
}

/** A batch of the stream of which examples are left. */
interface Left {
  /** The state of the stream before it. */
  readonly before: Bookmark;
  /** Undefined after `restore`, until it is read again. */
  readonly batch: ReadBatch | undefined;
  /** How many of its examples were given: at least one. */
  readonly given: number;
}

/** What makes up a batch, and what is left then. */
interface Taken {
  readonly parts: readonly Columns[];
  readonly left: Left | undefined;
  readonly epoch: number;
}

/** The examples `start` to `stop` of a batch of so many. */
function part(columns: Columns, start: number, stop: number, rows: number): Columns {
  if (stop - start === rows) return columns;
  return new Map([...columns].map(([source, column]) => [source, takeRows(column, { start, stop })]));
}
