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
import type { Memory } from '../arrays/memory.js';
import { joinRows, takeRows, type RowRange } from '../arrays/rows.js';
import type { BatchSizeScheme } from '../schemes/iteration-scheme.js';
import { shownSizes } from '../schemes/shown-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark } from '../streams/delivery.js';
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
    const loan = this.ring.lend();
    const { parts, left, finished, epoch } = await this.#take(size, loan.memory);
    const [first, second] = parts;
    if (first === undefined) {
      this.#left = left;
      return undefined;
    }
    if (second === undefined) {
      this.#left = left;
      this.#position += 1;
      return new Delivery(first, { epoch, index }, this.mark(), [loan, ...finished]);
    }
    const joined = this.ring.lend();
    const columns = putTogether(parts, this.sources, (of, source) => joinRows(of, source, joined.memory));
    this.#left = left;
    this.#position += 1;
    for (const copied of [loan, ...finished]) copied.release();
    return new Delivery(columns, { epoch, index }, this.mark(), [joined]);
  }

  async #take(size: number, into: Memory): Promise<Taken> {
    const parts: Columns[] = [];
    const finished: Delivery[] = [];
    let left = this.#left;
    let epoch = 0;
    let missing = size;
    while (missing > 0) {
      const { before, given } = left ?? { before: this.stream.bookmark(), given: 0 };
      const batch = left?.batch ?? (await this.#read(given));
      if (batch === undefined) break;
      const rows = commonRows('Cache', batch.columns);
      const stop = Math.min(given + missing, rows);
      if (stop > given) parts.push(part(batch.columns, { start: given, stop }, rows, into));
      missing -= stop - given;
      epoch = batch.epoch;
      left = stop < rows ? { before, batch, given: stop } : undefined;
      if (left === undefined) finished.push(batch);
    }
    return { parts, left, finished, epoch };
  }

  /** The next batch of the stream, of which so many examples were given. */
  async #read(given: number): Promise<Delivery | undefined> {
    const batch = await this.stream.next();
    const rows = batch && commonRows('Cache', batch.columns);
    if (given === 0 || (rows ?? 0) > given) return batch;
    throw new StateMismatch(
      `Cache: the saved state is in a batch of more than ${given} examples, but ${rows === undefined ? 'there is none' : `it has ${rows}`}; ` +
        'build it over the same stream as when it was saved',
    );
  }

  protected override async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#left?.batch?.release();
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

/** A batch of the stream of which examples are left. */
interface Left {
  /** The state of the stream before it. */
  readonly before: Bookmark;
  /** Undefined after `restore`, until it is read again. */
  readonly batch: Delivery | undefined;
  /** How many of its examples were given: at least one. */
  readonly given: number;
}

/** What makes up a batch, and what is left then. */
interface Taken {
  readonly parts: readonly Columns[];
  readonly left: Left | undefined;
  /** The batches of the stream of which nothing is left. */
  readonly finished: readonly Delivery[];
  readonly epoch: number;
}

/** Some examples of a batch of so many: the batch itself where they are all. */
function part(columns: Columns, wanted: RowRange, rows: number, into: Memory): Columns {
  if (wanted.stop - wanted.start === rows) return columns;
  return new Map([...columns].map(([source, column]) => [source, takeRows(column, wanted, into)]));
}
