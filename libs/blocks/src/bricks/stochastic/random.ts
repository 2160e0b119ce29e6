import { ndarray, RandomState } from '@longrun/serialization';
import {
  add,
  constant,
  isWithinScan,
  randomState,
  type Draw,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';

import { withDraw } from '../../graph/random-draw.js';
import type { RandomSource } from '../../initialization/random-source.js';
import { RANDOM_STATE } from '../../roles.js';
import { Brick, type BrickOptions } from '../brick.js';

/** Options of every brick that draws. */
export interface RandomOptions extends BrickOptions {
  /** An integer in 0..2^53-1 from which its numbers follow, with its path. Default: the one of the streams that it is initialized by, else 0. */
  readonly seed?: number | undefined;
}

/**
 * A brick that draws random numbers as the graph runs, other ones with each step (Blocks: `Random`, `RNGMixin`).
 *
 * State: `random_state` (3) int64 RANDOM_STATE, the key that follows from seed and path, and the number of steps so far. A training step advances it by one, which
 * is an update of the graph that `GradientDescent` makes; it is saved in checkpoints, but is no part of the model that others load.
 */
export abstract class Random extends Brick {
  readonly seed: number | undefined;
  #next: Variable | undefined;
  #draws = 0;

  constructor(options: RandomOptions = {}) {
    super(options);
    this.seed = options.seed;
  }

  /** What it draws from. Throws before `allocate()`. */
  get randomState(): SharedVariable {
    return this.stateNamed('random_state');
  }

  /**
   * What `from` draws from a state. Each time this is called, numbers are drawn that are independent of those of the others, so that two
   * applications in one graph do not draw the same.
   *
   * @throws Error within a step of a scan
   */
  protected draw(from: (state: Variable) => Draw): Variable {
    if (isWithinScan()) throw new Error(withinScan(this));
    // Upper bits of the counter, which no number of steps comes to.
    const place = ndarray('int64', [3], BigInt64Array.of(0n, 0n, BigInt(this.#draws) << 32n));
    this.#draws += 1;
    const { values } = from(add(this.randomState, constant(place)));
    this.#next ??= add(this.randomState, constant(ndarray('int64', [3], BigInt64Array.of(0n, 0n, 1n))));
    return withDraw(values, [[this.randomState, this.#next]]);
  }

  protected override allocateParameters(): void {
    this.#draws = 0;
    this.#next = undefined;
    this.state('random_state', [3], RANDOM_STATE, { dtype: 'int64', isPersistent: false });
    startDraws(this, this.randomState, this.seed);
  }

  protected override initializeParameters(random: RandomSource): void {
    startDraws(this, this.randomState, this.seed, random);
  }
}

/** Gives what a brick draws from its first value: it follows from a seed, by default that of the streams that initialize the brick, else 0, and from its path. */
export function startDraws(brick: Brick, state: SharedVariable, seed: number | undefined, random?: RandomSource): void {
  const ofStreams = random === undefined || random instanceof RandomState ? 0 : random.seed;
  state.setValue(randomState(seed ?? ofStreams, brick.uniquePath));
}

/** Says why a brick does not draw in a scan, and what to do. */
export function withinScan(brick: Brick): string {
  return (
    `${brick.uniquePath} draws random numbers within a step of a scan, where they would be the same in each step and with each batch; ` +
    'apply it to the sequences before the scan, or to what comes out of it'
  );
}
