import { shown } from '../shown.js';
import { naming, type StateHead, StateKind } from '../state-kind.js';
import { type Stateful, StateMismatch, type VersionedState } from '../state.js';
import { checkSeed } from './random-key.js';
import { RandomStream, type RandomStreamState } from './random-stream.js';

/** Saved positions of all streams that were handed out. */
export type RandomStreamsState = StateHead & {
  readonly seed: number;
  readonly streams: { readonly [name: string]: RandomStreamState };
};

/**
 * The source of all randomness of an experiment: named streams derived from one seed.
 *
 * Streams do not disturb each other: drawing more from one, or adding one, leaves the numbers of all others as they were.
 */
export class RandomStreams implements Stateful<RandomStreamsState> {
  readonly seed: number;
  readonly #streams = new Map<string, RandomStream>();

  /** @throws RangeError unless the seed is an integer in 0..2^53-1. */
  constructor(seed: number) {
    checkSeed('RandomStreams', seed);
    this.seed = seed;
  }

  /** The stream of this name; the same object each time. */
  stream(name: string): RandomStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new RandomStream(name, JSON.stringify(['stream', this.seed, name]));
      this.#streams.set(name, stream);
    }
    return stream;
  }

  state(): RandomStreamsState {
    const streams = [...this.#streams].map(([name, stream]) => [name, stream.state()] as const);
    return { ...RANDOM_STREAMS.head, seed: this.seed, streams: Object.fromEntries(streams) };
  }

  /**
   * Puts every stream back; one that the saved state does not know, as it was handed out later, goes to its beginning.
   *
   * @throws StateMismatch for the state of another seed.
   */
  restore(state: VersionedState): void {
    const { seed, streams } = RANDOM_STREAMS.read(state);
    if (seed !== this.seed) {
      throw new StateMismatch(
        `RandomStreams: the saved state is of seed ${shown(seed)}, but this run has seed ${this.seed}; ` +
          `go on with the saved seed, or start anew`,
      );
    }
    if (!isRecordOfStates(streams)) {
      throw new StateMismatch(
        `RandomStreams: saved state has no streams by name; give the state that state() returned`,
      );
    }
    const before = this.state();
    try {
      this.#put(streams);
    } catch (error) {
      this.#put(before.streams);
      throw error;
    }
  }

  #put(states: { readonly [name: string]: VersionedState }): void {
    for (const stream of this.#streams.values()) stream.reset();
    for (const [name, state] of Object.entries(states)) this.stream(name).restore(state);
  }
}

const RANDOM_STREAMS = new StateKind('RandomStreams', {
  version: 2,
  namedSince: 2,
  migrations: [naming('RandomStreams')],
});

function isRecordOfStates(value: unknown): value is { readonly [name: string]: VersionedState } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((state) => typeof state === 'object' && state !== null && !Array.isArray(state));
}
