import {
  copyOf,
  ndarray,
  typedArrayConstructor,
  type DType,
  type NdArray,
  type TypedArrayOf,
} from '@longrun/serialization';
import { bytesOfText } from './column.js';

/** What an iterable may give for an example of a source: an array, or what {@link exampleArray} makes one of. */
export type ExampleValue = NdArray | TypedArrayOf | number | bigint | boolean | string | readonly number[];

/**
 * The array of an example, as `numpy.array` has it: of an array or a typed array a copy, so that neither whoever gives one buffer again and
 * again nor whoever writes to what was given changes another's. A number is a float64 of shape `()`, a
 * bigint an int64, true and false are bools, text is the uint8 of its UTF-8; a typed array has its own dtype and shape `(length)`, a list
 * of numbers is float64.
 *
 * @throws TypeError for anything else, RangeError for a bigint beyond 64 bits, naming the source
 */
export function exampleArray(value: ExampleValue, source: string): NdArray {
  switch (typeof value) {
    case 'number':
      return ndarray('float64', [], Float64Array.of(value));
    case 'boolean':
      return ndarray('bool', [], Uint8Array.of(Number(value)));
    case 'string':
      return bytesOfText(value);
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return ndarray('int64', [], BigInt64Array.of(value));
      throw new RangeError(`${source}: the example ${value} does not fit into int64; give it as an array of float64`);
    default:
      return arrayOfMany(value, source);
  }
}

function arrayOfMany(value: NdArray | TypedArrayOf | readonly number[], source: string): NdArray {
  if (isArray(value)) return copyOf(value);
  const dtype = DTYPES.find((name) => value instanceof typedArrayConstructor(name));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the dtype was found by its typed array
  if (dtype !== undefined) return ndarray(dtype, [value.length], value.slice() as TypedArrayOf);
  if (isNumbers(value)) return ndarray('float64', [value.length], Float64Array.from(value));
  throw new TypeError(
    `${source}: an example is ${shown(value)}; give arrays (ndarray), typed arrays, numbers, lists of numbers, text, true or false`,
  );
}

/** Those whose typed array says the dtype: one of bool is taken for uint8. */
const DTYPES = [
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
] as const satisfies readonly DType[];

/** Whether it is an array of this library. */
export function isArray(value: unknown): value is NdArray {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value;
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function shown(value: unknown): string {
  return Object.prototype.toString.call(value);
}
