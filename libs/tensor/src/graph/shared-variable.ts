import { ndarray, type DType, type NdArray } from '@longrun/serialization';

import { formatArray, SHOWN } from '../inspection/format-array.js';
import { HostValue, StoredValue } from '../engine/stored-value.js';
import { checkArguments, checkOption } from './arguments.js';
import { checkArray } from './array-argument.js';
import { arrayOf, type Literal } from './literal.js';
import { assertDims, formatShape, formatType, isKnown, shapeFits, TensorTypeError, type Dim } from './tensor-type.js';
import { describe, Variable } from './variable.js';

/** Options of {@link shared}. */
export interface SharedOptions {
  /** Dtype of a value given as a number. Default {@link floatX}. */
  readonly dtype?: DType;
  /** Static shape, with a name or null where later values may differ in size. Default: the shape of the first value. */
  readonly shape?: readonly Dim[];
}

/** A variable with a value that compiled functions read and update, and that several functions share. */
export class SharedVariable extends Variable {
  #value: StoredValue;
  #writer: string | undefined;

  /** Takes a copy of `value`. */
  constructor(value: NdArray, options: { readonly name?: string; readonly shape?: readonly Dim[] } = {}) {
    const type = { dtype: value.dtype, shape: [...(options.shape ?? value.shape)] };
    super(type, options.name === undefined ? {} : { name: options.name });
    assertDims(`Shared variable \`${this.toString()}\``, type.shape);
    this.#check(value);
    this.#value = HostValue.copyOf(value);
  }

  /** Dtype and shape of the newest value, in which no size is unknown. */
  get valueType(): Pick<StoredValue, 'dtype' | 'shape'> {
    const { dtype, shape } = this.#value;
    return { dtype, shape };
  }

  /** A copy of the newest value, as it is at the call, which belongs to the caller. */
  async getValue(): Promise<NdArray> {
    return await this.pin().take();
  }

  /**
   * A handle on the newest value, which later updates do not change: taking it costs nothing, so that it serves as a snapshot. To be
   * released by the caller, once; until then the memory of the value is kept.
   */
  pin(): StoredValue {
    return this.#value.retain();
  }

  /**
   * Takes a copy of `value` as the new value, or shares it where it is a stored one. Runs that have begun go on with the old value.
   *
   * @throws TensorTypeError on another dtype or a shape that does not fit; Error while a run that updates this variable is unfinished
   */
  setValue(value: NdArray | StoredValue): void {
    if (!(value instanceof StoredValue))
      checkArray(() => `Shared variable ${describe(this)}: the value of setValue`, value);
    this.#check(value);
    if (this.#writer !== undefined) {
      throw new Error(
        `${describe(this)}: setValue while a run of ${this.#writer} is updating it; await the run before setting values`,
      );
    }
    this.#replace(value instanceof StoredValue ? value.retain() : HostValue.copyOf(value));
  }

  /** Reserves the right to write, until {@link commit} or {@link cancel}. For compiled functions only. */
  reserve(writer: string): void {
    this.assertQuiet(writer);
    this.#writer = writer;
  }

  /** @throws Error, which `reader` begins, while a run that updates this variable has not finished */
  assertQuiet(reader: string): void {
    if (this.#writer === undefined) return;
    throw new Error(
      `${reader}: ${describe(this)} is being updated by a run of ${this.#writer} that has not finished; await that run first`,
    );
  }

  /** Ends a reservation with a new value, whose handle becomes the variable's. For compiled functions only. */
  commit(value: StoredValue): void {
    this.#writer = undefined;
    this.#replace(value);
  }

  /** Ends a reservation and keeps the old value. For compiled functions only. */
  cancel(): void {
    this.#writer = undefined;
  }

  protected override shownValue(): string {
    const value = this.#value.onHost;
    return `, shared: ${value === undefined ? 'a value on a device (getValue fetches it)' : formatArray(value, SHOWN)}`;
  }

  #replace(value: StoredValue): void {
    const before = this.#value;
    this.#value = value;
    before.release();
  }

  #check(value: Pick<NdArray, 'dtype' | 'shape'>): void {
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

/**
 * A shared variable holding a copy of `value`: of numbers and lists of them as `constant` takes, `floatX` unless `options.dtype` says otherwise.
 *
 * @throws TensorTypeError as `constant`
 */
export function shared(value: Literal | NdArray, name?: string, options: SharedOptions = {}): SharedVariable {
  checkArguments('shared', ['value', value, 'any'], ['name', name ?? '', 'text'], ['options', options, 'options']);
  checkOption('shared', 'shape', options.shape, 'dims');
  const initial = arrayOf('shared', value, options.dtype);
  return new SharedVariable(initial, {
    ...(name === undefined ? {} : { name }),
    ...(options.shape === undefined ? {} : { shape: options.shape }),
  });
}

/**
 * A shared variable that can hold the values of `variable`: of its dtype and static shape, zeros, with no elements along the axes of
 * unknown size until `setValue` is called.
 *
 * @param name Default `shared_x` for a variable x.
 */
export function sharedLike(variable: Variable, name?: string): SharedVariable {
  checkArguments('sharedLike', ['variable', variable, 'variable'], ['name', name ?? '', 'text']);
  const { dtype, shape } = variable;
  const zeros = ndarray(
    dtype,
    shape.map((dim) => (isKnown(dim) ? dim : 0)),
  );
  return shared(zeros, name ?? `shared_${variable.toString()}`, { shape });
}
