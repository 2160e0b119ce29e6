import { ndarray, type NdArray, type RandomStream } from '@longrun/serialization';
import { formatShape, type SharedVariable } from '@longrun/tensor';

/** A way to give a parameter its first value (Blocks: `NdarrayInitialization`). Has no state: all randomness is the stream's. */
export abstract class Initialization {
  /** A float32 array of `shape`. */
  abstract generate(random: RandomStream, shape: readonly number[]): NdArray<'float32'>;

  /** Sets the value of `variable` to an array of its shape. */
  initialize(variable: SharedVariable, random: RandomStream): void {
    const shape = variable.shape.filter((size) => size !== null);
    if (shape.length !== variable.ndim || variable.dtype !== 'float32') {
      throw new Error(
        `${this.constructor.name} cannot initialize ${variable.toString()}, which is ${variable.dtype} ` +
          `${formatShape(variable.shape)}; only float32 of known shape can be`,
      );
    }
    variable.setValue(this.generate(random, shape));
  }
}

/** An array of `shape` filled with what `draw` gives, element by element. */
export function filled(shape: readonly number[], draw: () => number): NdArray<'float32'> {
  const array = ndarray('float32', shape);
  for (let index = 0; index < array.data.length; index += 1) array.data[index] = draw();
  return array;
}
