import { createHash } from 'node:crypto';

import { shown } from '../shown.js';
import { naming, type StateHead, StateKind } from '../state-kind.js';
import { type Stateful, StateMismatch, type VersionedState } from '../state.js';
import { type DrawnPosition, PhiloxNumbers } from './philox-numbers.js';

/** Saved position of a {@link RandomStream}. */
export type RandomStreamState = StateHead &
  DrawnPosition & {
    /** Name, for people. */
    readonly name: string;
    /** Identity: 32 hexadecimal digits derived from seed and name. */
    readonly identity: string;
  };

/**
 * A stream of random numbers that can be saved at any point and forked without moving on.
 *
 * The numbers are Philox4x32-10 of a counter: they depend on seed, name and position only, not on machine or time. Two
 * streams with different names, or forks with different labels, are independent.
 *
 * Get one from `RandomStreams.stream(name)`, or with `fork` from another stream.
 */
export class RandomStream extends PhiloxNumbers implements Stateful<RandomStreamState> {
  readonly name: string;
  readonly #identity: string;

  /** `origin` is hashed to the identity of the stream: equal origins give equal numbers. */
  constructor(name: string, origin: string) {
    const digest = createHash('sha256').update(origin).digest();
    super({
      key0: digest.readUInt32LE(0),
      key1: digest.readUInt32LE(4),
      // The upper half of the counter is free: as 64 more bits of identity it makes equal streams by accident unthinkable.
      third: digest.readUInt32LE(8),
      fourth: digest.readUInt32LE(12),
      // Its bits are part of the file format, the last ones too, so this stays the engine's own logarithm.
      log: Math.log,
    });
    this.name = name;
    this.#identity = digest.toString('hex', 0, 16);
  }

  protected override what(): string {
    return `RandomStream ${this.name}`;
  }

  /**
   * An independent stream at its beginning. It depends on this stream's identity and the label only, not on how far this
   * stream has come, and does not move it: `fork(3)` is the same at any time. The number 3 and the text '3' are two labels.
   */
  fork(label: string | number): RandomStream {
    return new RandomStream(`${this.name}/${label}`, JSON.stringify(['fork', this.#identity, label]));
  }

  state(): RandomStreamState {
    return { ...RANDOM_STREAM.head, name: this.name, identity: this.#identity, ...this.position() };
  }

  /** @throws StateMismatch for the state of a stream with another seed or name. */
  restore(state: VersionedState): void {
    const read = RANDOM_STREAM.read(state, this.what());
    if (read['identity'] !== this.#identity) {
      throw new StateMismatch(
        `${this.what()}: the saved state is that of stream ${shown(read['name'])} with another seed or name; ` +
          `restore it with the seed and the name it was saved under`,
      );
    }
    this.moveTo(read);
  }
}

const RANDOM_STREAM = new StateKind('RandomStream', {
  version: 2,
  namedSince: 2,
  migrations: [naming('RandomStream')],
});
