import { DTYPES, ndarray, type DType, type NdArray } from '@longrun/serialization';

import { typedArray } from '../arrays/typed-array.js';
import { floatX } from './float-x.js';
import { oneOf } from './one-of.js';
import { isFloat, TensorTypeError } from './tensor-type.js';

/** A number, a boolean, or lists of them as NumPy's `array` takes: those of one level are equally long. */
export type Literal = number | boolean | readonly Literal[];

/** Whether it is an array already, of its own dtype. */
export function isArray(value: Literal | NdArray): value is NdArray {
  return typeof value === 'object' && value !== null && 'dtype' in value;
}

/**
 * The array that a literal stands for.
 *
 * @param what Who was given it, for errors
 * @param dtype Default `floatX`, and bool of booleans alone
 * @throws TensorTypeError where the dtype cannot hold a number, lists of one level differ in length, or it is nothing of the kind
 */
export function arrayOf(what: string, literal: Literal, dtype?: DType): NdArray {
  const shape = shapeOf(literal);
  const elements: (number | boolean)[] = [];
  collect(what, literal, shape, elements);
  const isOfBooleans = elements.length > 0 && elements.every((element) => typeof element === 'boolean');
  const type = oneOf(what, 'dtype', dtype ?? (isOfBooleans ? 'bool' : floatX()), DTYPES);
  const unheld = elements.find((element) => typeof element === 'number' && !canHold(type, element));
  if (unheld !== undefined) {
    throw new TensorTypeError(`${what}: ${type} cannot hold ${unheld}; give a number that it can, or another dtype`);
  }
  return ndarray(type, shape, typedArray(type, elements.map(Number)));
}

/** As its first elements have it. */
function shapeOf(literal: Literal): number[] {
  const shape: number[] = [];
  for (let part: Literal | undefined = literal; Array.isArray(part); part = part[0]) shape.push(part.length);
  return shape;
}

function collect(
  what: string,
  literal: Literal,
  [size, ...inner]: readonly number[],
  into: (number | boolean)[],
): void {
  if (Array.isArray(literal) && literal.length === size) {
    for (const part of literal) collect(what, part, inner, into);
  } else if ((typeof literal === 'number' || typeof literal === 'boolean') && size === undefined) {
    into.push(literal);
  } else {
    throw new TensorTypeError(
      `${what}: cannot make an array of ${JSON.stringify(literal)} where ${size === undefined ? 'a number' : `a list of ${size}`} is ` +
        'wanted; give a number, an ndarray, or lists of numbers that are equally long at each level',
    );
  }
}

function canHold(dtype: DType, value: number): boolean {
  if (isFloat(dtype) || dtype === 'bool') return true;
  return Number.isInteger(value) && Number(typedArray(dtype, [value])[0]) === value;
}
