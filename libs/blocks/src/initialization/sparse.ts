import { ndarray, RandomState, sizeOf, type NdArray } from '@longrun/serialization';

import { Constant } from './constant.js';
import { Initialization } from './initialization.js';
import { numbersFor, type RandomNumbers } from './random-source.js';

/** Options of {@link Sparse}. */
export interface SparseOptions {
  /** How many elements of each row have values: a number, or a share between 0 and 1. */
  readonly numInit: number;
  /** How those get their values. */
  readonly weightsInit: Initialization;
  /** How the others do. Default 0. */
  readonly sparseInit?: Initialization;
  /**
   * Where a brick is initialized by NumPy's generator: what draws the places. In the original it was NumPy's global generator: `new RandomState(seed)` for its
   * `numpy.random.seed(seed)`. Default: the one that draws the values.
   */
  readonly places?: RandomState;
}

/** Options of {@link SparseND}. */
export interface SparseNDOptions extends SparseOptions {
  /** The axes that tell the parts apart each of which has as many values: `[0, 1]` of convolution filters for each pair of maps. */
  readonly axis: readonly number[];
}

/** Few elements of each part have values, at places drawn for each part alone (Martens, 2010). */
export class SparseND extends Initialization {
  readonly numInit: number;
  readonly weightsInit: Initialization;
  readonly sparseInit: Initialization;
  readonly axis: readonly number[];
  readonly places: RandomState | undefined;

  /** @throws Error when `numInit` is neither a share nor a whole number */
  constructor(options: SparseNDOptions) {
    super();
    const { numInit } = options;
    if (!(numInit >= 0) || (numInit > 1 && !Number.isInteger(numInit))) {
      throw new Error(`${new.target.name}: numInit is ${numInit}; give a whole number of elements, or a share below 1`);
    }
    this.numInit = numInit;
    this.weightsInit = options.weightsInit;
    this.sparseInit = options.sparseInit ?? new Constant(0);
    this.axis = [...options.axis];
    this.places = options.places;
  }

  /** @throws Error when an axis is not there, or a part has fewer elements than are to have values */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const [inner, outer] = [shape.map((_, axis) => axis), [...this.axis]];
    if (new Set(outer).size !== outer.length || !outer.every((axis) => inner.includes(axis))) {
      throw new Error(
        `${this.constructor.name}: the shape is (${shape.join(', ')}), which has no axes ${outer.join(', ')}`,
      );
    }
    const parts = sizeOf(outer.map((axis) => shape[axis] ?? 0));
    const each = parts === 0 ? 0 : sizeOf(shape) / parts;
    const count = this.#countOf(each);
    // As the original has it: a matrix with a row for each part.
    const others = this.sparseInit.generate(numbersFor('others', random), [parts, each]);
    const weights = this.weightsInit.generate(numbersFor('weights', random), [parts, count]);
    const places = random instanceof RandomState ? (this.places ?? random) : random.fork('places');
    const array = ndarray('float64', shape);
    for (const [at, part] of partsOf(shape, outer, parts).entries()) {
      for (const [nth, position] of part.entries()) array.data[position] = others.data[at * each + nth] ?? 0;
      for (const [nth, place] of places.permutation(each).subarray(0, count).entries()) {
        array.data[part[place] ?? 0] = weights.data[at * count + nth] ?? 0;
      }
    }
    return array;
  }

  #countOf(elements: number): number {
    const count = this.numInit < 1 ? Math.floor(this.numInit * elements) : this.numInit;
    if (count <= elements) return count;
    throw new Error(
      `${this.constructor.name}: numInit is ${count}, but a part has ${elements} elements; give at most as many`,
    );
  }
}

/** So many elements of each row have values: {@link SparseND} by the first axis. */
export class Sparse extends SparseND {
  constructor(options: SparseOptions) {
    super({ ...options, axis: [0] });
  }
}

/** The positions, in row-major order, of the elements of each part. */
function partsOf(shape: readonly number[], outer: readonly number[], count: number): number[][] {
  const parts = Array.from({ length: count }, (): number[] => []);
  for (let at = 0; at < sizeOf(shape); at += 1) {
    let rest = at;
    const place = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const size = shape[axis] ?? 1;
      place[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    const part = outer.reduce((index, axis) => index * (shape[axis] ?? 1) + (place[axis] ?? 0), 0);
    parts[part]?.push(at);
  }
  return parts;
}
