import { sizeOf, type DType, type NdArray } from '@longrun/serialization';

import { formatArray, SHOWN } from '../inspection/format-array.js';
import { at } from '../arrays/at.js';
import { arrayOf, type Literal } from './literal.js';
import { Variable } from './variable.js';

/** A variable whose value is part of the graph. */
export class Constant extends Variable {
  /** Never written. */
  readonly value: NdArray;

  constructor(value: NdArray, name?: string) {
    super({ dtype: value.dtype, shape: value.shape }, name === undefined ? {} : { name });
    this.value = value;
  }

  /** The first element as a number: the value of a scalar. */
  toNumber(): number {
    return Number(at<number | bigint>(this.value.data, 0));
  }

  protected override shownValue(): string {
    return `, constant: ${formatArray(this.value, SHOWN)}`;
  }

  /** Scalars print as their value. */
  override toString(): string {
    return this.name ?? (sizeOf(this.value.shape) === 1 ? String(this.value.data[0]) : super.toString());
  }
}

/**
 * A constant from a number or lists of numbers (`floatX` unless `dtype` is given), booleans, or an array: `constant([[1, 2], [3, 4]])`.
 *
 * @throws TensorTypeError where an integer dtype cannot hold a number, lists of one level are not equally long, or an array is not of `dtype`.
 */
export function constant(value: Literal | NdArray, dtype?: DType): Constant {
  return new Constant(arrayOf('constant', value, dtype));
}
