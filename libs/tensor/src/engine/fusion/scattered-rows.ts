import { sizeOf, type NdArray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import { Constant } from '../../graph/constant.js';
import type { Variable } from '../../graph/variable.js';

/** Zeros that rows are added to: the gradient of a table of which rows were looked up. An engine would look at the place of each element. */
export interface ScatteredRows {
  /** Integers, (rows,). */
  readonly indices: Variable;
  /** (rows, ...) */
  readonly rows: Variable;
}

/** What an array of float32 is made of by `scatterAdd` to zeros, along axis 0; undefined of one that is not. */
export function scatteredRows({ owner, dtype }: Variable): ScatteredRows | undefined {
  if (owner?.op.name !== 'putAlongAxis' || dtype !== 'float32') return undefined;
  if (owner.op.parameters['axis'] !== 0 || owner.op.parameters['mode'] !== 'add') return undefined;
  const [x, places, rows] = [at(owner.inputs, 0), at(owner.inputs, 1), at(owner.inputs, 2)];
  const indices = rows.ndim === 1 ? places : alongRows(places, rows);
  return isZeros(x) && indices?.ndim === 1 ? { indices, rows } : undefined;
}

/** The vector that `fill` has spread over rows. */
function alongRows({ owner }: Variable, rows: Variable): Variable | undefined {
  if (owner?.op.name !== 'fill' || owner.inputs[0] !== rows) return undefined;
  const column = owner.inputs[1]?.owner;
  return column?.op.name === 'dimshuffle' && column.inputs[0]?.ndim === 1 ? column.inputs[0] : undefined;
}

function isZeros(variable: Variable): boolean {
  if (variable instanceof Constant) return variable.ndim === 0 && Object.is(variable.toNumber(), 0);
  const { owner } = variable;
  if (owner?.op.name === 'fill') return isZeros(at(owner.inputs, 1));
  return owner?.op.name === 'broadcastTo' && isZeros(at(owner.inputs, 0));
}

/**
 * Adds rows in their order to what is in `into`, of `shape`, at indices of its first axis; negative ones count from the end.
 *
 * @throws RangeError for an index that is out of range
 */
export function addRows(indices: NdArray, rows: NdArray, shape: readonly number[], into: Float32Array): void {
  const width = sizeOf(shape.slice(1));
  const added = floatsOf(rows);
  let from = 0;
  for (const row of rowsAt(indices, at(shape, 0))) {
    const start = row * width;
    for (let to = start; to < start + width; to += 1, from += 1) into[to] = (into[to] ?? 0) + (added[from] ?? 0);
  }
}

/**
 * The rows, from 0, of an axis of `size` that indices are of.
 *
 * @throws RangeError for an index that is out of range
 */
export function rowsAt({ data }: NdArray, size: number): Int32Array {
  const rows = new Int32Array(data.length);
  const halves =
    data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : NO_HALVES;
  for (let position = 0; position < rows.length; position += 1) {
    const [low, high] = [halves[2 * position], halves[2 * position + 1]];
    const isSmall = low !== undefined && high === low >> 31;
    // To make a bigint of each takes ten times as long.
    const index = isSmall ? low : Number(data[position]);
    if (index < -size || index >= size) {
      throw new RangeError(`putAlongAxis: index ${index} is out of range; the axis has ${size} elements`);
    }
    rows[position] = index < 0 ? index + size : index;
  }
  return rows;
}

/** Of integers that are no bigints. */
const NO_HALVES = new Int32Array(0);

export function floatsOf({ data }: NdArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data, Number);
}
