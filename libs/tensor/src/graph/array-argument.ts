import { isDType, ndarray } from '@longrun/serialization';

import { shown } from './arguments.js';
import { TensorTypeError } from './tensor-type.js';

/**
 * For values that are handed over by programs, which may be written without types.
 *
 * @param what The value, as a sentence begins with it; asked for where there is something to say
 * @throws TensorTypeError where it is no array, or its elements are not those that its dtype and shape say
 */
export function checkArray(what: () => string, value: unknown): void {
  if (typeof value !== 'object' || value === null || !('dtype' in value && 'shape' in value && 'data' in value)) {
    throw new TensorTypeError(`${what()} is ${shown(value)}; give an array, such as ndarray('float32', [2, 3]) makes`);
  }
  const { dtype, shape, data } = value;
  if (typeof dtype !== 'string' || !isDType(dtype) || !Array.isArray(shape)) {
    throw new TensorTypeError(
      `${what()} has the dtype ${shown(dtype)} and the shape ${shown(shape)}; give one of the dtypes, and a list of sizes`,
    );
  }
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whether it is one is what is asked
    ndarray(dtype, shape, data as Parameters<typeof ndarray>[2]);
  } catch (error) {
    throw new TensorTypeError(`${what()} is no array: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
