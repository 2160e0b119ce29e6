import {
  checkIdentity,
  countIn,
  RandomAt,
  type RandomKey,
  StateKind,
  statesIn,
  type VersionedState,
} from '@longrun/serialization';
import { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark } from '../streams/delivery.js';
import { restoreTogether } from '../streams/restore-together.js';

/** How streams are mixed. */
export interface MixtureOptions {
  /** How often each is drawn from, in any unit: numbers from 0. */
  readonly weights: readonly number[];
  /** What is drawn follows from: seed and stage. */
  readonly key: RandomKey;
  /** Batches or examples in an epoch of the mixture. */
  readonly perEpoch: number;
}

/**
 * Several streams of the same sources as one, of which each gives its share, in random order: datasets mixed by weight. One that comes to its end begins its
 * next epoch; the others go on where they are.
 *
 * Which one gives depends on the key, the epoch and the place alone. State: those of the streams, and the place.
 */
export class Mixture extends DataStream {
  readonly dataStreams: readonly DataStream[];
  readonly batchesPerEpoch: number;
  readonly #weights: readonly number[];
  readonly #key: RandomKey;
  #epoch = 0;
  #index = 0;

  /** @param dataStreams at least one; all of examples or all of batches, with the same sources in the same order */
  constructor(dataStreams: readonly DataStream[], { weights, key, perEpoch }: MixtureOptions) {
    super();
    const [first] = dataStreams;
    if (first === undefined) throw new RangeError('Mixture: there are no streams; give at least one');
    const other = dataStreams.find((stream) => stream.sources.join('\n') !== first.sources.join('\n'));
    if (other !== undefined)
      throw new RangeError(
        `Mixture: one stream has the sources ${first.sources.join(', ')} and another ${other.sources.join(', ')}; rename them (Rename), or leave some out (FilterSources)`,
      );
    if (dataStreams.some((stream) => stream.producesExamples !== first.producesExamples))
      throw new RangeError('Mixture: some streams give examples and some batches; give streams of one kind');
    if (
      weights.length !== dataStreams.length ||
      !weights.every((weight) => weight >= 0 && weight < Infinity) ||
      !weights.some((weight) => weight > 0)
    )
      throw new RangeError(
        `Mixture: weights is [${weights.join(', ')}]; give a number from 0 for each of the ${dataStreams.length} streams, not all 0`,
      );
    if (!Number.isSafeInteger(perEpoch) || perEpoch < 1)
      throw new RangeError(`Mixture: perEpoch is ${perEpoch}; give a whole number from 1`);
    this.dataStreams = [...dataStreams];
    this.batchesPerEpoch = perEpoch;
    this.#weights = [...weights];
    this.#key = key;
  }

  get sources(): readonly string[] {
    return this.#first.sources;
  }

  /** Those of the first stream. */
  get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    return this.#first.axisLabels;
  }

  get producesExamples(): boolean {
    return this.#first.producesExamples;
  }

  stages(): readonly string[] {
    return [
      `Mixture of ${this.dataStreams.map((stream, at) => `${this.#weights[at]} [${String(stream)}]`).join(' and ')}`,
    ];
  }

  protected override below(): readonly DataStream[] {
    return this.dataStreams;
  }

  protected async advance(): Promise<Delivery | undefined> {
    if (this.#index >= this.batchesPerEpoch) return undefined;
    const place = { epoch: this.#epoch, index: this.#index };
    const stream = this.#draw();
    let part = await stream.next();
    if (part === undefined) {
      await stream.nextEpoch();
      part = await stream.next();
      if (part === undefined)
        throw new RangeError(`Mixture: ${String(stream)} gives nothing in a whole epoch; leave it out`);
    }
    this.#index += 1;
    return new Delivery(part.columns, place, this.mark(), [part]);
  }

  protected async startEpoch(): Promise<void> {
    this.#epoch += 1;
    this.#index = 0;
  }

  protected async release(): Promise<void> {
    for (const stream of this.dataStreams) await stream.close();
  }

  protected mark(): Bookmark {
    const below = this.dataStreams.map((stream) => stream.bookmark());
    const place = { epoch: this.#epoch, index: this.#index };
    return () => ({
      ...MIXTURE.head,
      options: this.#options(),
      ...place,
      streams: below.map((bookmark) => bookmark()),
    });
  }

  protected load(state: VersionedState): void {
    const read = MIXTURE.read(state);
    const states = statesIn(MIXTURE.name, read, 'streams', this.dataStreams.length);
    const [epoch, index] = [countIn(MIXTURE.name, read, 'epoch'), countIn(MIXTURE.name, read, 'index')];
    checkIdentity(
      MIXTURE.name,
      read,
      'options',
      this.#options(),
      'build it with the same options as when it was saved',
    );
    restoreTogether(this.dataStreams, states);
    this.#epoch = epoch;
    this.#index = index;
  }

  #draw(): DataStream {
    const total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    let left = new RandomAt(this.#key, this.#epoch, this.#index).uniform() * total;
    // The last one with a weight, where rounding leaves something.
    let drawn = this.#first;
    for (const [at, weight] of this.#weights.entries()) {
      if (weight === 0) continue;
      drawn = this.dataStreams[at] ?? drawn;
      left -= weight;
      if (left < 0) break;
    }
    return drawn;
  }

  #options() {
    const { seed, stage } = this.#key;
    return { weights: this.#weights, seed, stage, perEpoch: this.batchesPerEpoch };
  }

  get #first(): DataStream {
    const [first] = this.dataStreams;
    if (first === undefined) throw new Error('Mixture: there are no streams');
    return first;
  }
}

const MIXTURE = new StateKind('Mixture');
