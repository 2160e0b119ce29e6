import { dtypeBytes, ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';

/** The rows of a batch that lie next to each other: `start` up to, not including, `stop`. */
export interface RowRange {
  readonly start: number;
  readonly stop: number;
}

/** Elements in one row of an array whose first axis is the batch: `(batch, ...rest)` gives the product of `rest`. */
export function rowElements(shape: readonly number[]): number {
  return sizeOf(shape.slice(1));
}

/**
 * Rows of an array, in the order asked for, as a new array `(rows.length, ...rest)`.
 *
 * @throws RangeError naming the row when one is outside of the array
 */
export function takeRows<D extends DType>(array: NdArray<D>, rows: RowRange | Uint32Array): NdArray<D> {
  const rest = array.shape.slice(1);
  const width = sizeOf(rest);
  if (!(rows instanceof Uint32Array)) {
    checkRange(rows, array.shape[0] ?? 0);
    return copied(array, rows.start * width, [rows.stop - rows.start, ...rest]);
  }
  const taken = ndarray(array.dtype, [rows.length, ...rest]);
  // Bytes, so that one loop serves all element types, BigInt64Array included.
  const source = bytesOf(array);
  const target = bytesOf(taken);
  const rowBytes = width * dtypeBytes(array.dtype);
  const available = array.shape[0] ?? 0;
  let offset = 0;
  for (const row of rows) {
    if (row >= available) throw outside(row, available);
    target.set(source.subarray(row * rowBytes, (row + 1) * rowBytes), offset);
    offset += rowBytes;
  }
  return taken;
}

/**
 * One row, without the batch axis: `(batch, ...rest)` gives a new array `(...rest)`.
 *
 * @throws RangeError when the row is outside of the array
 */
export function takeRow<D extends DType>(array: NdArray<D>, row: number): NdArray<D> {
  const available = array.shape[0] ?? 0;
  if (!Number.isInteger(row) || row < 0 || row >= available) throw outside(row, available);
  const rest = array.shape.slice(1);
  const width = sizeOf(rest);
  return copied(array, row * width, rest);
}

/**
 * Examples put together along a new first axis: n arrays `(...rest)` give `(n, ...rest)`.
 *
 * @throws Error when the examples differ in shape or dtype; variable-length examples need padding first
 */
export function stackRows(examples: readonly NdArray[], source: string): NdArray {
  return joinRows(
    examples.map((example) => ({ ...example, shape: [1, ...example.shape] })),
    source,
  );
}

/**
 * Batches put together along their first axis.
 *
 * @throws Error when they differ in dtype or in any other axis
 */
export function joinRows(parts: readonly NdArray[], source: string): NdArray {
  const [first] = parts;
  if (first === undefined) throw new Error(`${source}: there are no examples to put together`);
  const rest = first.shape.slice(1);
  let count = 0;
  for (const part of parts) {
    if (part.dtype !== first.dtype || part.shape.slice(1).join() !== rest.join()) {
      throw new Error(
        `${source}: examples of ${first.dtype} (${rest.join(', ')}) and ${part.dtype} (${part.shape.slice(1).join(', ')}) ` +
          'cannot be put into one batch; cast, crop or pad them to one shape and dtype first',
      );
    }
    count += part.shape[0] ?? 0;
  }
  const joined = ndarray(first.dtype, [count, ...rest]);
  const target = bytesOf(joined);
  let offset = 0;
  for (const part of parts) {
    const bytes = bytesOf(part);
    target.set(bytes, offset);
    offset += bytes.length;
  }
  return joined;
}

/** The bytes of an array, shared with it. */
export function bytesOf(array: NdArray): Uint8Array {
  return new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
}

/** As many elements from `start` on as the shape has, as a new array. */
function copied<D extends DType>(array: NdArray<D>, start: number, shape: readonly number[]): NdArray<D> {
  const part = ndarray(array.dtype, shape);
  const target = bytesOf(part);
  const startByte = start * dtypeBytes(array.dtype);
  target.set(bytesOf(array).subarray(startByte, startByte + target.length));
  return part;
}

function checkRange({ start, stop }: RowRange, available: number): void {
  if (!Number.isInteger(start) || start < 0) throw outside(start, available);
  if (!Number.isInteger(stop) || stop < start) throw outside(stop, available);
  if (stop > available) throw outside(stop - 1, available);
}

function outside(row: number, available: number): RangeError {
  return new RangeError(`Row ${row} was asked for, but there are ${available} rows, numbered from 0`);
}
