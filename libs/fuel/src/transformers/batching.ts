import {
  assertNever,
  checkIdentity,
  countIn,
  stateIn,
  StateKind,
  type Json,
  type VersionedState,
} from '@longrun/serialization';
import { denseOf, type Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { stackRows } from '../arrays/rows.js';
import type { BatchSizeScheme } from '../schemes/iteration-scheme.js';
import { shownSizes } from '../schemes/shown-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark } from '../streams/delivery.js';
import { putTogether } from './put-together.js';
import { Transformer } from './transformer.js';

/** What to do when the examples run out in the middle of a batch. */
export interface BatchingOptions {
  /** `keep` the short batch, `drop` it, or `raise` an error (Fuel: strictness 0, 1, 2). Default `keep`. */
  readonly shortBatch?: 'keep' | 'drop' | 'raise';
}

/**
 * Puts the examples of an example stream together into batches (Fuel: `Batch`). Examples of several shapes make a ragged column; `Padding`
 * makes an array of it.
 */
export class Batching extends Transformer {
  readonly iterationScheme: BatchSizeScheme;
  readonly #shortBatch: 'keep' | 'drop' | 'raise';
  /** What makes two put the same examples together. */
  readonly #batches: { readonly [key: string]: Json };
  #position = 0;

  /**
   * @param stream a stream of examples
   * @param iterationScheme how many examples go into each batch
   */
  constructor(stream: DataStream, iterationScheme: BatchSizeScheme, options: BatchingOptions = {}) {
    super(stream);
    this.iterationScheme = iterationScheme;
    if (!stream.producesExamples) {
      throw new TypeError(
        'Batching: the stream gives batches already; Cache makes other batches of them, Unpack makes examples',
      );
    }
    this.#shortBatch = options.shortBatch ?? 'keep';
    this.#batches = { ...iterationScheme.identity(), shortBatch: this.#shortBatch };
  }

  override get producesExamples(): boolean {
    return false;
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    return below && new Map([...below].map(([source, labels]) => [source, ['batch', ...labels]]));
  }

  override get batchesPerEpoch(): number | null {
    let examples = this.stream.batchesPerEpoch;
    if (examples === null) return null;
    let position = 0;
    for (; examples > 0; position += 1) {
      const size = this.iterationScheme.batchSize(position);
      if (size === undefined) break;
      if (size > examples && this.#shortBatch === 'drop') break;
      examples -= size;
    }
    return position;
  }

  protected override stage(): string {
    const short = this.#shortBatch === 'keep' ? '' : `, ${this.#shortBatch}s short batches`;
    return `Batching(${shownSizes(this.iterationScheme)}${short})`;
  }

  protected override async advance(): Promise<Delivery | undefined> {
    const index = this.#position;
    const size = this.iterationScheme.batchSize(index);
    if (size === undefined) return undefined;
    const examples = await this.#take(size);
    const last = examples?.at(-1);
    if (examples === undefined || last === undefined) return undefined;
    const loan = this.ring.lend();
    const stack = (columns: readonly Column[], source: string): Column => stacked(columns, source, loan.memory);
    const parts = examples.map(({ columns }) => columns);
    const columns = putTogether(parts, this.sources, stack);
    for (const example of examples) example.release();
    this.#position += 1;
    return new Delivery(columns, { epoch: last.epoch, index }, this.mark(), [loan]);
  }

  /** The examples of the next batch; undefined where there is none. */
  async #take(size: number): Promise<readonly Delivery[] | undefined> {
    const examples: Delivery[] = [];
    while (examples.length < size) {
      const example = await this.stream.next();
      if (example === undefined) break;
      examples.push(example);
    }
    if (examples.length === 0) return undefined;
    if (examples.length < size) {
      switch (this.#shortBatch) {
        case 'keep':
          break;
        case 'drop':
          return undefined;
        case 'raise':
          throw new RangeError(
            `Batching: the examples of the epoch ran out after ${examples.length} of a batch of ${size}; ` +
              'choose a batch size that divides their number, or keep or drop short batches',
          );
        default:
          assertNever(this.#shortBatch);
      }
    }
    return examples;
  }

  protected override async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#position = 0;
  }

  protected override mark(): Bookmark {
    const position = this.#position;
    const below = this.stream.bookmark();
    return () => ({ ...BATCHING.head, position, batches: this.#batches, stream: below() });
  }

  protected override load(state: VersionedState): void {
    const { name } = BATCHING;
    const read = BATCHING.read(state);
    const position = countIn(name, read, 'position');
    const remedy = 'build it with the same batch sizes and shortBatch as when it was saved';
    checkIdentity(name, read, 'batches', this.#batches, remedy);
    this.stream.restore(stateIn(name, read, 'stream'));
    this.#position = position;
  }
}

function stacked(examples: readonly Column[], source: string, into: Memory): Column {
  const what = `Batching: the example of ${source}`;
  return stackRows(
    examples.map((example) => denseOf(example, what)),
    source,
    into,
  );
}

const BATCHING = new StateKind('Batching', {
  version: 2,
  // The first version did not say which batches they were.
  migrations: [{ from: 1, migrate: (state) => ({ ...state, version: 2, batches: null }) }],
});
