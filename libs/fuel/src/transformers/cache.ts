import {
  checkIdentity,
  countIn,
  StateKind,
  StateMismatch,
  stateIn,
  type Json,
  type NdArray,
  type VersionedState,
} from '@longrun/serialization';
import { joinRows, takeRows } from '../arrays/rows.js';
import type { BatchSizeScheme } from '../schemes/iteration-scheme.js';
import type { Batch, DataStream } from '../streams/data-stream.js';
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

  async next(): Promise<Batch | undefined> {
    const size = this.iterationScheme.batchSize(this.#position);
    if (size === undefined) return undefined;
    const after = this.stream.state();
    try {
      const { parts, left } = await this.#take(size);
      const [first] = parts;
      const batch = first && (parts.length === 1 ? first : putTogether(parts, this.sources, joinRows));
      this.#left = left;
      if (batch !== undefined) this.#position += 1;
      return batch;
    } catch (error) {
      // Examples of a batch that was never delivered must come again.
      this.stream.restore(after);
      throw error;
    }
  }

  async #take(size: number): Promise<{ readonly parts: readonly Batch[]; readonly left: Left | undefined }> {
    const parts: Batch[] = [];
    let left = this.#left;
    let missing = size;
    while (missing > 0) {
      const { before, given } = left ?? { before: this.stream.state(), given: 0 };
      const batch = left?.batch ?? (await this.#read(given));
      if (batch === undefined) break;
      const rows = commonRows(batch);
      const stop = Math.min(given + missing, rows);
      if (stop > given) parts.push(part(batch, given, stop));
      missing -= stop - given;
      left = stop < rows ? { before, batch, given: stop } : undefined;
    }
    return { parts, left };
  }

  /** The next batch of the stream, of which so many examples were given. */
  async #read(given: number): Promise<Batch | undefined> {
    const batch = await this.stream.next();
    const rows = batch && commonRows(batch);
    if (given === 0 || (rows ?? 0) > given) return batch;
    throw new StateMismatch(
      `Cache: the saved state is in a batch of more than ${given} examples, but ${rows === undefined ? 'there is none' : `it has ${rows}`}; ` +
        'build it over the same stream as when it was saved',
    );
  }

  override async nextEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#left = undefined;
    this.#position = 0;
  }

  override state(): VersionedState {
    return {
      ...CACHE.head,
      position: this.#position,
      given: this.#left?.given ?? 0,
      batches: this.#batches,
      stream: this.#left?.before ?? this.stream.state(),
    };
  }

  /** @throws StateMismatch for the state of batches of other sizes, naming both */
  override restore(state: VersionedState): void {
    const { name } = CACHE;
    const read = CACHE.read(state);
    const position = countIn(name, read, 'position');
    const given = countIn(name, read, 'given');
    const before = stateIn(name, read, 'stream');
    checkIdentity(name, read, 'batches', this.#batches, 'build it with the same batch sizes as when it was saved');
    this.stream.restore(before);
    this.#position = position;
    this.#left = given === 0 ? undefined : { before, batch: undefined, given };
  }
}

const CACHE = new StateKind('Cache');

/** A batch of the stream of which examples are left. */
interface Left {
  /** The state of the stream before it. */
  readonly before: VersionedState;
  /** Undefined after `restore`, until it is read again. */
  readonly batch: Batch | undefined;
  /** How many of its examples were given: at least one. */
  readonly given: number;
}

function commonRows(batch: Batch): number {
  const [rows = 0, ...others] = Array.from(batch.arrays.values(), ({ shape }) => shape[0]);
  if (others.every((other) => other === rows)) return rows;
  const shown = [...batch.arrays].map(([source, { shape }]) => `${source} (${shape.join(', ')})`);
  throw new RangeError(
    `Cache: the arrays of a batch have different numbers of examples: ${shown.join(', ')}; ` +
      'let the transformers below keep the first axis of all sources equal',
  );
}

/** The examples `start` to `stop` of a batch. */
function part(batch: Batch, start: number, stop: number): Batch {
  const arrays = new Map<string, NdArray>();
  for (const [source, array] of batch.arrays) {
    arrays.set(source, stop - start === array.shape[0] ? array : takeRows(array, { start, stop }));
  }
  return { arrays };
}
