interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  bool: Uint8Array;
}

/** Element type of an array, in NumPy's words. A `bool` element is a byte, 0 or 1. */
export type DType = keyof TypedArrays;

/** The typed array that holds elements of a dtype: `int64` a `BigInt64Array`, `bool` a `Uint8Array` of 0 and 1. */
export type TypedArrayOf<D extends DType = DType> = TypedArrays[D];

/** A dense array in row-major order: `data.length` is the product of `shape`. A scalar has shape `[]`. */
export interface NdArray<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TypedArrayOf<D>;
}

/**
 * An array of the given dtype and shape over `data`, which is kept and not copied; filled with zeros where `data` is not
 * given.
 *
 * @throws TypeError for data of another type, RangeError for a shape that does not fit it.
 */
export function ndarray<D extends DType>(dtype: D, shape: readonly number[], data?: TypedArrayOf<D>): NdArray<D> {
  const size = sizeOf(shape);
  const constructor = typedArrayConstructor(dtype);
  if (data === undefined) return { dtype, shape: [...shape], data: new constructor(size) };
  if (!(data instanceof constructor)) {
    throw new TypeError(`ndarray: ${dtype} needs a ${constructor.name}, but got ${typeName(data)}`);
  }
  if (data.length !== size) {
    throw new RangeError(
      `ndarray: shape (${shape.join(', ')}) has ${size} elements but data has ${data.length}; give one that fits the other`,
    );
  }
  return { dtype, shape: [...shape], data };
}

/**
 * An array of the given dtype and shape in memory of its own whose elements are whatever lay there: to be written to, all of it, before anybody looks.
 * Memory that need not be zeroed first is had in a fraction of the time.
 *
 * @throws RangeError for more bytes than an array can have
 */
export function uninitialized<D extends DType>(dtype: D, shape: readonly number[]): NdArray<D> {
  const size = sizeOf(shape);
  const { buffer } = Buffer.allocUnsafeSlow(size * dtypeBytes(dtype));
  return { dtype, shape: [...shape], data: new (typedArrayConstructor(dtype))(buffer, 0, size) };
}

/** The same values in memory of their own, that nothing else looks at. */
export function copyOf<D extends DType>({ dtype, shape, data }: NdArray<D>): NdArray<D> {
  // `slice` of a Buffer, which is a Uint8Array too, copies nothing.
  return ndarray(dtype, shape, new (typedArrayConstructor(dtype))(data));
}

/** Number of elements of a shape; 1 for a scalar. @throws RangeError where a dimension is no integer of 0 or more. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new RangeError(
        `sizeOf: shape (${shape.join(', ')}) has the dimension ${dimension}; give integers of 0 or more`,
      );
    }
    size *= dimension;
  }
  if (!Number.isSafeInteger(size)) {
    throw new RangeError(`sizeOf: shape (${shape.join(', ')}) has ${size} elements, more than 2^53 - 1`);
  }
  return size;
}

/** Bytes of one element. */
export function dtypeBytes(dtype: DType): number {
  return typedArrayConstructor(dtype).BYTES_PER_ELEMENT;
}

/** The constructor of the typed arrays that hold a dtype. */
export function typedArrayConstructor<D extends DType>(dtype: D): TypedArrayConstructor<D> {
  return CONSTRUCTORS[dtype];
}

/** Makes a zero-filled typed array, a copy of one, or one that looks at a part of a buffer. */
export interface TypedArrayConstructor<D extends DType = DType> {
  new (length: number): TypedArrayOf<D>;
  new (values: TypedArrayOf<D>): TypedArrayOf<D>;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArrayOf<D>;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
}

/** True for the name of a dtype. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(CONSTRUCTORS, name);
}

const CONSTRUCTORS: { readonly [D in DType]: TypedArrayConstructor<D> } = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  bool: Uint8Array,
};

/** The names of all dtypes. */
export const DTYPES: readonly DType[] = Object.keys(CONSTRUCTORS).filter(isDType);

function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}
