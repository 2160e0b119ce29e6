import type { Stateful, VersionedState } from '@longrun/serialization';
import type { Bookmark, Delivery } from './delivery.js';
import type { StageCost } from './stage-costs.js';
import { Turns } from './turns.js';

/** Node asks objects by it what is to be shown of them. */
const INSPECTED = Symbol.for('nodejs.util.inspect.custom');

/**
 * Batches or examples of a dataset, epoch by epoch, that can be saved at any point and resumed exactly
 * (Fuel: `AbstractDataStream`).
 *
 * `state()` is the state after the last batch *delivered*, also while the next one is being read. A stream built the same way that
 * restores it goes on with exactly the batch that would have come next, also between two epochs, and any number of times in a row.
 *
 * What is asked for before it was given comes in the order in which it was asked for. A batch that could not be given, because it
 * could not be read or a function threw, is tried again by the next call.
 *
 * A class of streams says how it goes on (`advance`, `startEpoch`) and where it is (`mark`, `load`); the rest is here.
 */
export abstract class DataStream implements Stateful {
  /** Names of the columns that each batch has, in order. */
  abstract get sources(): readonly string[];
  /** What the axes of each source mean, as `batch, channel, height, width`; null when unknown. */
  abstract get axisLabels(): ReadonlyMap<string, readonly string[]> | null;
  /** True when `next()` gives single examples rather than batches. */
  abstract get producesExamples(): boolean;
  /** How often `next()` gives something in one epoch; null when it is not known beforehand or endless. */
  abstract get batchesPerEpoch(): number | null;

  readonly #turns = new Turns();
  #bookmark: Bookmark | undefined;
  #closed = false;
  #deliveries = 0;
  #takenMs = 0;

  /** The next batch; undefined at the end of the epoch, and again until `nextEpoch()` is called. */
  next(): Promise<Delivery | undefined> {
    return this.#turns.take(this.#deliver);
  }

  /** Starts the following epoch, whether or not this one is at its end. Not to be called before the first epoch. */
  nextEpoch(): Promise<void> {
    return this.#turns.take(async () => {
      this.#checkOpen();
      await this.startEpoch();
      this.#bookmark = this.mark();
    });
  }

  /** Lets go of files that no other stream reads. The stream gives nothing afterwards. */
  close(): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#closed) return;
      this.#closed = true;
      await this.release();
    });
  }

  state(): VersionedState {
    return this.bookmark()();
  }

  /** What gives the present state later, however far the stream is by then. */
  bookmark(): Bookmark {
    this.#bookmark ??= this.mark();
    return this.#bookmark;
  }

  /**
   * Goes on from a saved state.
   *
   * @throws StateMismatch for the state of another stream, naming both; the stream is left as it was
   * @throws Error while a batch is being read
   */
  restore(state: VersionedState): void {
    if (this.#turns.areTaken) {
      throw new Error(`${this.constructor.name}: a batch is being read; await next() before a state is restored`);
    }
    this.load(state);
    this.#bookmark = this.mark();
  }

  /** The stages, from this one to the dataset: `Batching(128) ← ShuffledExampleScheme(60000) ← fashion-mnist[train]`. */
  toString(): string {
    return this.stages().join(' ← ');
  }

  /** The stages a line each, and what comes out of them. */
  [INSPECTED](): string {
    const sources = this.sources.map((source) => {
      const labels = this.axisLabels?.get(source);
      return labels === undefined ? source : `${source} (${labels.join(', ')})`;
    });
    return [`${this.producesExamples ? 'examples' : 'batches'} of ${sources.join(', ')}`, ...this.stages()].join(
      '\n  ← ',
    );
  }

  /** What each stage took so far, this one first: which one the others wait for. {@link costText} makes a text of it. */
  costs(): readonly StageCost[] {
    const [stage = this.constructor.name] = this.stages();
    const below = this.below();
    const takenBelow = below.reduce((sum, stream) => sum + stream.takenMs, 0);
    const own = { stage, deliveries: this.#deliveries, ms: Math.max(0, this.#takenMs - takenBelow) };
    return [own, ...below.flatMap((stream) => stream.costs())];
  }

  /** How long its deliveries took, with all below, in milliseconds. */
  get takenMs(): number {
    return this.#takenMs;
  }

  /** The streams that it reads, in this thread. */
  protected below(): readonly DataStream[] {
    return [];
  }

  /** What it is made of, for people: itself first, the dataset last. */
  abstract stages(): readonly string[];

  /** What comes next, and undefined at the end of the epoch. Not called before the call before has ended. */
  protected abstract advance(): Promise<Delivery | undefined>;

  /** Goes to the beginning of the next epoch. */
  protected abstract startEpoch(): Promise<void>;

  /** A bookmark of where it is now. */
  protected abstract mark(): Bookmark;

  /** Goes to where a state says. What throws leaves it as it was. */
  protected abstract load(state: VersionedState): void;

  /** Lets go of what it reads from. */
  protected abstract release(): Promise<void>;

  readonly #deliver = async (): Promise<Delivery | undefined> => {
    this.#checkOpen();
    const before = this.bookmark();
    const begunAt = performance.now();
    try {
      const delivery = await this.advance();
      if (delivery !== undefined) this.#deliveries += 1;
      this.#bookmark = delivery?.bookmark ?? this.mark();
      return delivery;
    } catch (error) {
      // What was read below for a batch that was never delivered must come again.
      this.load(before());
      throw error;
    } finally {
      this.#takenMs += performance.now() - begunAt;
    }
  };

  #checkOpen(): void {
    if (this.#closed) throw new Error(`${this.constructor.name}: the stream is closed; build it anew to read on`);
  }
}

/** A function that puts a transformer around a stream; what default transformers are made of. */
export type StreamTransformation = (stream: DataStream) => DataStream;
