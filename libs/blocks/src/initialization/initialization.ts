import { ndarray, type NdArray } from '@longrun/serialization';
import { formatShape, isAllKnown, isFloat, type SharedVariable } from '@longrun/tensor';

import type { RandomNumbers } from './random-source.js';

/** A way to give a parameter its first value (Blocks: `NdarrayInitialization`). Has no state: all randomness is what it is given to draw from. */
export abstract class Initialization {
  /** An array of `shape`, whatever the precision of the parameter. */
  abstract generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'>;

  /** Sets the value of `variable` to an array of its shape, rounded to its dtype. */
  initialize(variable: SharedVariable, random: RandomNumbers): void {
    const { shape } = variable;
    if (!isAllKnown(shape) || !isFloat(variable.dtype)) {
      throw new Error(
        `${this.constructor.name} cannot initialize ${variable.toString()}, which is ${variable.dtype} ` +
          `${formatShape(variable.shape)}; only floats of known shape can be`,
      );
    }
    const { data } = this.generate(random, shape);
    variable.setValue(ndarray(variable.dtype, shape, variable.dtype === 'float32' ? Float32Array.from(data) : data));
  }
}

/** An array of `shape` filled with what `draw` gives, element by element. */
export function filled(shape: readonly number[], draw: () => number): NdArray<'float64'> {
  const array = ndarray('float64', shape);
  for (let index = 0; index < array.data.length; index += 1) array.data[index] = draw();
  return array;
}
