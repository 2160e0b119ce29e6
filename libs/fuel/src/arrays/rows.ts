import { dtypeBytes, ndarray, sizeOf, type DType, type NdArray, uninitialized } from '@longrun/serialization';
import { dtypeOf, isRagged, ragged, shapeOfRow, shownColumn, type Column, type Ragged } from './column.js';
import type { Memory } from './memory.js';

/** The rows of a batch that lie next to each other: `start` up to, not including, `stop`. */
export interface RowRange {
  readonly start: number;
  readonly stop: number;
}

/** How many rows a column has. @throws RangeError for a scalar, which has no first axis */
export function rowsOf(column: Column, source: string): number {
  if (isRagged(column)) return column.offsets.length - 1;
  const [rows] = column.shape;
  if (rows !== undefined) return rows;
  throw new RangeError(`${source} is a scalar; what has rows has at least one axis`);
}

/**
 * Rows of a column, in the order asked for, as a new one `(rows.length, ...rest)`. Of a ragged one: ragged where they differ in shape.
 *
 * @param into where it lies. Default: in memory of its own
 * @throws RangeError naming the row when one is outside of the column
 */
export function takeRows<D extends DType>(column: NdArray<D>, rows: RowRange | Uint32Array, into?: Memory): NdArray<D>;
export function takeRows(column: Column, rows: RowRange | Uint32Array, into?: Memory): Column;
export function takeRows(column: Column, rows: RowRange | Uint32Array, into: Memory = uninitialized): Column {
  const available = rowsOf(column, 'takeRows: the array');
  if (!(rows instanceof Uint32Array)) {
    checkRange(rows, available);
    return isRagged(column) ? takenOfRagged(column, listed(rows), into) : copiedRange(column, rows, into);
  }
  for (const row of rows) if (row >= available) throw outside(row, available);
  return isRagged(column) ? takenOfRagged(column, rows, into) : takenOfDense(column, rows, into);
}

/**
 * One row, without the batch axis: `(batch, ...rest)` gives a new array `(...rest)`.
 *
 * @param into where it lies. Default: in memory of its own
 * @throws RangeError when the row is outside of the column
 */
export function takeRow<D extends DType>(column: NdArray<D>, row: number, into?: Memory): NdArray<D>;
export function takeRow(column: Column, row: number, into?: Memory): NdArray;
export function takeRow(column: Column, row: number, into: Memory = uninitialized): NdArray {
  const available = rowsOf(column, 'takeRow: the array');
  if (!Number.isInteger(row) || row < 0 || row >= available) throw outside(row, available);
  if (!isRagged(column)) {
    const rest = column.shape.slice(1);
    return copied(column, row * sizeOf(rest), rest, into);
  }
  return copied(column.values, column.offsets[row] ?? 0, shapeOfRow(column, row), into);
}

/** One row as {@link takeRow} gives it, which shares the memory of the column. @throws RangeError when the row is outside of the column */
export function viewOfRow(column: Column, row: number): NdArray {
  const available = rowsOf(column, 'viewOfRow: the array');
  if (!Number.isInteger(row) || row < 0 || row >= available) throw outside(row, available);
  const { dtype, data } = isRagged(column) ? column.values : column;
  const shape = isRagged(column) ? shapeOfRow(column, row) : column.shape.slice(1);
  const size = sizeOf(shape);
  const start = isRagged(column) ? (column.offsets[row] ?? 0) : row * size;
  return { dtype, shape, data: data.subarray(start, start + size) };
}

/**
 * Examples put together along a new first axis: n arrays `(...rest)` give `(n, ...rest)`; those of several shapes a ragged column.
 *
 * @param into where they lie. Default: in memory of their own
 * @throws Error when the examples differ in dtype or in the number of axes
 */
export function stackRows(examples: readonly NdArray[], source: string, into?: Memory): Column {
  return joinRows(
    examples.map((example) => ({ ...example, shape: [1, ...example.shape] })),
    source,
    into,
  );
}

/**
 * Batches put together along their first axis; ragged where rows differ in shape.
 *
 * @param into where they lie. Default: in memory of their own
 * @throws Error when they differ in dtype or in the number of axes
 */
export function joinRows(parts: readonly Column[], source: string, into: Memory = uninitialized): Column {
  const [first] = parts;
  if (first === undefined) throw new Error(`${source}: there are no examples to put together`);
  for (const part of parts) {
    if (dtypeOf(part) === dtypeOf(first) && axesOfRows(part) === axesOfRows(first)) continue;
    throw new Error(
      `${source}: examples of ${shownColumn(first)} and ${shownColumn(part)} cannot be put into one batch; ` +
        'let all have one dtype (Cast) and as many axes',
    );
  }
  const filled = parts.filter((part) => rowsOf(part, source) > 0);
  const joined = filled.length === 0 ? [first] : filled;
  const arrays = joined.flatMap((part) => (isRagged(part) ? [] : [part]));
  const [one] = arrays;
  if (one !== undefined && arrays.length === joined.length && arrays.every(({ shape }) => sameRows(shape, one.shape))) {
    return joinedDense(arrays, into);
  }
  return withoutNeed(joinedRagged(joined.map(asRagged), into));
}

/** The bytes of an array, shared with it. */
export function bytesOf(array: NdArray): Uint8Array {
  return new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
}

/** A ragged column, as an array if its rows have one shape: what was put together and taken apart is the same however it came about. */
export function withoutNeed(column: Ragged): Column {
  const rows = column.offsets.length - 1;
  if (rows === 0) return column;
  const [, axes = 0] = column.shapes.shape;
  const { data } = column.shapes;
  for (let i = axes; i < data.length; i += 1) if (data[i] !== data[i - axes]) return column;
  return ndarray(column.values.dtype, [rows, ...shapeOfRow(column, 0)], column.values.data);
}

function takenOfDense(array: NdArray, rows: Uint32Array, into: Memory): NdArray {
  const rest = array.shape.slice(1);
  const taken = into(array.dtype, [rows.length, ...rest]);
  // Bytes, so that one loop serves all element types, BigInt64Array included.
  const source = bytesOf(array);
  const target = bytesOf(taken);
  const rowBytes = sizeOf(rest) * dtypeBytes(array.dtype);
  let offset = 0;
  for (const row of rows) {
    target.set(source.subarray(row * rowBytes, (row + 1) * rowBytes), offset);
    offset += rowBytes;
  }
  return taken;
}

function copiedRange(array: NdArray, { start, stop }: RowRange, into: Memory): NdArray {
  const rest = array.shape.slice(1);
  return copied(array, start * sizeOf(rest), [stop - start, ...rest], into);
}

function takenOfRagged({ values, offsets, shapes }: Ragged, rows: Uint32Array, into: Memory): Column {
  let elements = 0;
  for (const row of rows) elements += (offsets[row + 1] ?? 0) - (offsets[row] ?? 0);
  const taken = into(values.dtype, [elements]);
  const source = bytesOf(values);
  const target = bytesOf(taken);
  const width = dtypeBytes(values.dtype);
  let offset = 0;
  for (const row of rows) {
    const bytes = source.subarray((offsets[row] ?? 0) * width, (offsets[row + 1] ?? 0) * width);
    target.set(bytes, offset);
    offset += bytes.length;
  }
  return withoutNeed(ragged(taken, takeRows(shapes, rows)));
}

function joinedDense<D extends DType>(parts: readonly NdArray<D>[], into: Memory): NdArray<D> {
  const [first] = parts;
  if (first === undefined) throw new Error('joinedDense: there are no parts');
  const count = parts.reduce((sum, { shape: [rows = 0] }) => sum + rows, 0);
  const joined = into(first.dtype, [count, ...first.shape.slice(1)]);
  setOneAfterTheOther(joined, parts);
  return joined;
}

function joinedRagged(parts: readonly Ragged[], into: Memory): Ragged {
  const [first] = parts;
  if (first === undefined) throw new Error('joinedRagged: there are no parts');
  const elements = parts.reduce((sum, { values }) => sum + values.data.length, 0);
  const values = into(first.values.dtype, [elements]);
  setOneAfterTheOther(
    values,
    parts.map((part) => part.values),
  );
  const shapes = joinedDense(
    parts.map((part) => part.shapes),
    uninitialized,
  );
  return ragged(values, shapes);
}

function setOneAfterTheOther(whole: NdArray, parts: readonly NdArray[]): void {
  const target = bytesOf(whole);
  let offset = 0;
  for (const part of parts) {
    const bytes = bytesOf(part);
    target.set(bytes, offset);
    offset += bytes.length;
  }
}

/** A column as a ragged one, whether it needs to be or not; the elements are shared with it. */
export function asRagged(column: Column): Ragged {
  if (isRagged(column)) return column;
  const [rows = 0, ...rest] = column.shape;
  const shapes = Uint32Array.from({ length: rows * rest.length }, (_, i) => rest[i % rest.length] ?? 0);
  return ragged(
    ndarray(column.dtype, [column.data.length], column.data),
    ndarray('uint32', [rows, rest.length], shapes),
  );
}

/** Whether two arrays of as many axes have rows of one shape. */
function sameRows(shape: readonly number[], other: readonly number[]): boolean {
  for (let axis = 1; axis < shape.length; axis += 1) if (shape[axis] !== other[axis]) return false;
  return true;
}

/** How many axes a row of a column has. */
export function axesOfRows(column: Column): number {
  return isRagged(column) ? (column.shapes.shape[1] ?? 0) : column.shape.length - 1;
}

/** The rows of a range, each by its number. */
export function listed({ start, stop }: RowRange): Uint32Array {
  return Uint32Array.from({ length: stop - start }, (_, i) => start + i);
}

/** As many elements from `start` on as the shape has, as a new array. */
function copied<D extends DType>(array: NdArray<D>, start: number, shape: readonly number[], into: Memory): NdArray<D> {
  const part = into(array.dtype, shape);
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
