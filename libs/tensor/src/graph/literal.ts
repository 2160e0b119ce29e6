import { inspect } from 'node:util';

import { DTYPES, ndarray, type DType, type NdArray } from '@longrun/serialization';

import { typedArray } from '../arrays/typed-array.js';
import { checkArray } from './array-argument.js';
import { floatX } from './float-x.js';
import { oneOf } from './one-of.js';
import { isFloat, TensorTypeError } from './tensor-type.js';

/** A number, a boolean, or lists of them as NumPy's `array` takes: those of one level are equally long. */
export type Literal = number | boolean | readonly Literal[];

/** More axes than any array has: lists this deep are not meant, or are within themselves. */
const MOST_AXES = 32;

function isArray(value: Literal | NdArray): value is NdArray {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value;
}

/**
 * The array that a literal stands for, or that is given.
 *
 * @param what Who was given it, for errors
 * @param dtype Default that of an array, bool of booleans alone, else `floatX`
 * @throws TensorTypeError where the dtype cannot hold a number or is not that of the array, lists of one level differ in length, or it is
 * nothing of the kind
 */
export function arrayOf(what: string, literal: Literal | NdArray, dtype?: DType): NdArray {
  if (isArray(literal)) {
    checkArray(() => `${what}: the value`, literal);
    if (dtype === undefined || dtype === literal.dtype) return literal;
    throw new TensorTypeError(
      `${what}: the array is ${literal.dtype}, not ${dtype}; leave the dtype out, or give an array of it`,
    );
  }
  const shape = shapeOf(what, literal);
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
function shapeOf(what: string, literal: Literal): number[] {
  const shape: number[] = [];
  for (let part: Literal | undefined = literal; Array.isArray(part); part = part[0]) {
    if (shape.length === MOST_AXES) {
      throw new TensorTypeError(`${what}: there are lists in more than ${MOST_AXES} others; give fewer levels of them`);
    }
    shape.push(part.length);
  }
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
      `${what}: cannot make an array of ${inspect(literal, SHORT)} where ${size === undefined ? 'a number' : `a list of ${size}`} is ` +
        'wanted; give a number, an ndarray, or lists of numbers that are equally long at each level',
    );
  }
}

const SHORT = { depth: 0, maxArrayLength: 3, maxStringLength: 30, breakLength: Number.POSITIVE_INFINITY } as const;

function canHold(dtype: DType, value: number): boolean {
  if (isFloat(dtype) || dtype === 'bool') return true;
  return Number.isInteger(value) && Number(typedArray(dtype, [value])[0]) === value;
}
