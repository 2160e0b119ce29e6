import { ndarray, type DType, type NdArray } from '@longrun/serialization';

import { typedArray } from '../arrays/typed-array.js';
import { formatShape, formatType, shapeFits, TensorTypeError, type Dim } from './tensor-type.js';
import { describe, Variable } from './variable.js';

/** Options of {@link shared}. */
export interface SharedOptions {
  /** Dtype of a value given as a number. Default float32. */
  readonly dtype?: DType;
  /** Static shape, null where later values may differ in size. Default: the shape of the first value. */
  readonly shape?: readonly Dim[];
}

/** A variable with a value that compiled functions read and update, and that several functions share. */
export class SharedVariable extends Variable {
  #value: NdArray;
  #writer: string | undefined;

  constructor(value: NdArray, options: { readonly name?: string; readonly shape?: readonly Dim[] } = {}) {
    const type = { dtype: value.dtype, shape: [...(options.shape ?? value.shape)] };
    super(type, options.name === undefined ? {} : { name: options.name });
    this.#value = value;
    this.#check(value);
  }

  /**
   * The newest value, as a reference: it costs nothing and this library never writes to it again, so it is a snapshot.
   * The caller must not write to it either.
   */
  getValue(): NdArray {
    return this.#value;
  }

  /** Takes a copy of `value` as the new value. Throws TensorTypeError on another dtype or a shape that does not fit. */
  setValue(value: NdArray): void {
    this.#check(value);
    if (this.#writer !== undefined) {
      throw new Error(
        `${describe(this)}: setValue while a run of ${this.#writer} is updating it; await the run before setting values`,
      );
    }
    this.#value = copyOf(value);
  }

  /** Reserves the right to write, until {@link commit} or {@link release}. For compiled functions only. */
  reserve(writer: string): void {
    this.assertQuiet(writer);
    this.#writer = writer;
  }

  /** Throws while a run that updates this variable has not finished. For compiled functions only. */
  assertQuiet(reader: string): void {
    if (this.#writer === undefined) return;
    throw new Error(
      `${reader}: ${describe(this)} is being updated by a run of ${this.#writer} that has not finished; await that run first`,
    );
  }

  /** Ends a reservation with a new value, of which the variable becomes the owner. For compiled functions only. */
  commit(value: NdArray): void {
    this.#writer = undefined;
    this.#value = value;
  }

  /** Ends a reservation and keeps the old value. For compiled functions only. */
  release(): void {
    this.#writer = undefined;
  }

  #check(value: NdArray): void {
    if (value.dtype !== this.dtype || !shapeFits(value.shape, this.shape)) {
      throw new TensorTypeError(
        `Shared variable ${describe(this)} cannot hold a value of ${formatType(value)}; ` +
          (value.dtype === this.dtype
            ? `give a value of shape ${formatShape(this.shape)}`
            : `convert the value to ${this.dtype} first`),
      );
    }
  }
}

/** A shared variable holding a copy of `value`. A number makes a scalar, float32 unless `options.dtype` says otherwise. */
export function shared(value: NdArray | number, name?: string, options: SharedOptions = {}): SharedVariable {
  const dtype = options.dtype ?? 'float32';
  const initial = typeof value === 'number' ? ndarray(dtype, [], typedArray(dtype, [value])) : copyOf(value);
  return new SharedVariable(initial, {
    ...(name === undefined ? {} : { name }),
    ...(options.shape === undefined ? {} : { shape: options.shape }),
  });
}

function copyOf(value: NdArray): NdArray {
  const data: NdArray['data'] = value.data.slice();
  return ndarray(value.dtype, value.shape, data);
}
