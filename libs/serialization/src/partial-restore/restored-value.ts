import { cast } from '../cast.js';
import { copyOf, dtypeBytes, type NdArray, ndarray, sizeOf } from '../ndarray.js';
import { shown } from '../shown.js';
import { rawBytes } from '../safetensors/tensor-bytes.js';
import type { RestoredTensor } from './restore-plan.js';
import type { TensorSource } from './tensor-source.js';

/**
 * The new value of a wanted tensor. Of the source as many rows are read as are needed, and no more than a block of them is held beside the value
 * itself.
 *
 * @param present Its value now, which is not written to: where the shapes differ, what is not restored stays so
 * @throws what the source throws; RangeError for a value that cannot be cast
 */
export async function restoredValue(source: TensorSource, tensor: RestoredTensor, present: NdArray): Promise<NdArray> {
  const { name, from, wanted, found } = tensor;
  const fits = String(found.shape) === String(wanted.shape);
  const converted = (array: NdArray): NdArray => cast(array, wanted.dtype, `${source.where}: ${shown(from)}`);
  if (wanted.shape.length === 0 || (fits && found.dtype === wanted.dtype)) return converted(await source.read(from));
  const value = fits ? ndarray(wanted.dtype, wanted.shape) : copyOf(present);
  const rows = Math.min(found.shape[0] ?? 0, wanted.shape[0] ?? 0);
  let row = 0;
  for await (const block of source.blocks(from, { stop: rows })) {
    copyCorner(converted(block), value, row);
    row += block.shape[0] ?? 0;
  }
  if (row === rows) return value;
  throw new RangeError(`${source.where}: ${shown(from)}, for ${shown(name)}, was to have ${rows} rows but gave ${row}`);
}

/** Copies of each axis as much as both have, into the rows from `firstRow` on. Both have one dtype. */
function copyCorner(from: NdArray, into: NdArray, firstRow: number): void {
  const [source, target] = [rawBytes(from), rawBytes(into)];
  const corner = from.shape.map((dimension, axis) => Math.min(dimension, into.shape[axis] ?? 0));
  const [sourceStrides, targetStrides] = [from, into].map(strideBytes);
  // From this axis on the elements of the corner lie together in both.
  let together = from.shape.length - 1;
  while (together > 0 && from.shape[together] === into.shape[together]) together -= 1;
  const copy = (axis: number, sourceAt: number, targetAt: number): void => {
    const [count = 0, sourceStride = 0, targetStride = 0] = [
      corner[axis],
      sourceStrides?.[axis],
      targetStrides?.[axis],
    ];
    if (axis === together) {
      target.set(source.subarray(sourceAt, sourceAt + count * sourceStride), targetAt);
      return;
    }
    for (let i = 0; i < count; i += 1) copy(axis + 1, sourceAt + i * sourceStride, targetAt + i * targetStride);
  };
  copy(0, 0, firstRow * (targetStrides?.[0] ?? 0));
}

/** Bytes from one place of each axis to the next. */
function strideBytes({ dtype, shape }: NdArray): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)) * dtypeBytes(dtype));
}
