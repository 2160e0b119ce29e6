import { shared, type SharedVariable } from '../graph/shared-variable.js';
import type { Variable } from '../graph/variable.js';
import { randomBinomial, type RandomBinomialOptions } from '../ops/random-binomial.js';
import { randomNormal, type RandomNormalOptions } from '../ops/random-normal.js';
import { randomState, type Draw } from '../ops/random-state.js';
import { randomUniform, type RandomUniformOptions } from '../ops/random-uniform.js';

/** A size, or an integer scalar, for each axis. */
type Shape = readonly (number | Variable)[];

/**
 * Random variables of a graph, new numbers with each run (Theano: `MRG_RandomStreams`). Each variable draws from a state of its own, a
 * shared variable, under a key that follows from the seed, the name and how many were made before: the same program
 * gives the same numbers.
 *
 * A function draws anew only where it is given the {@link updates}. To train with noise, `algorithm.addUpdates(streams.updates)`: then
 * the states are saved with the rest, too.
 */
export class GraphRandomStreams {
  readonly seed: number;
  readonly name: string;
  readonly #updates = new Map<SharedVariable, Variable>();

  /**
   * @param seed an integer in 0..2^53-1
   * @param name of these streams: those of another name are independent; the states are called `<name>_0`, `<name>_1` and so on
   */
  constructor(seed: number, name: string) {
    this.seed = seed;
    this.name = name;
  }

  /** What the states of the variables made so far are after a run. */
  get updates(): ReadonlyMap<SharedVariable, Variable> {
    return this.#updates;
  }

  /** See {@link randomUniform}. */
  uniform(shape: Shape, options?: RandomUniformOptions): Variable {
    return this.#draw((state) => randomUniform(state, shape, options));
  }

  /** See {@link randomNormal}. */
  normal(shape: Shape, options?: RandomNormalOptions): Variable {
    return this.#draw((state) => randomNormal(state, shape, options));
  }

  /** See {@link randomBinomial}. */
  binomial(shape: Shape, options?: RandomBinomialOptions): Variable {
    return this.#draw((state) => randomBinomial(state, shape, options));
  }

  #draw(from: (state: SharedVariable) => Draw): Variable {
    const stage = `${this.name}_${this.#updates.size}`;
    const state = shared(randomState(this.seed, stage), stage);
    const { values, state: next } = from(state);
    this.#updates.set(state, next);
    return values;
  }
}
