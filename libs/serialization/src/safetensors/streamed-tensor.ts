import { type DType, dtypeBytes, type NdArray, ndarray, sizeOf } from '../ndarray.js';
import { rawBytes } from './tensor-bytes.js';

/** A tensor that need not fit in memory: it is given a block of rows at a time. */
export interface StreamedTensor {
  readonly dtype: DType;
  /** One dimension or more. */
  readonly shape: readonly number[];
  /** Its rows from the first to the last, in blocks of shape `(rows, ...shape[1:])`; each is taken before the next is asked for. */
  blocks(): Iterable<NdArray> | AsyncIterable<NdArray>;
}

/** Which rows are given, and how many at a time. */
export interface RowBlocks {
  /** The first row, of the first axis. Default 0 */
  readonly start?: number | undefined;
  /** The row after the last one. Default: the number of rows */
  readonly stop?: number | undefined;
  /** Rows of a block; the last one may have less. Default: those that fit in 8 MiB, 1 at least */
  readonly rows?: number | undefined;
}

/** The places `[start, stop)` of the blocks of a tensor. @throws RangeError for rows that the tensor has not */
export function* rowBlocks(
  name: string,
  { dtype, shape }: Pick<StreamedTensor, 'dtype' | 'shape'>,
  options: RowBlocks,
): Generator<readonly [start: number, stop: number]> {
  const { start = 0, stop = rowsOf(name, shape) } = options;
  checkRows(name, shape, start, stop);
  const { rows = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, rowBytes(dtype, shape)))) } = options;
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new RangeError(`tensor ${JSON.stringify(name)}: blocks of ${rows} rows; give a whole number of 1 or more`);
  }
  for (let first = start; first < stop; first += rows) yield [first, Math.min(stop, first + rows)];
}

/** @throws RangeError where a tensor has not the rows `[start, stop)` */
export function checkRows(name: string, shape: readonly number[], start: number, stop: number): void {
  const rows = rowsOf(name, shape);
  if (Number.isSafeInteger(start) && Number.isSafeInteger(stop) && start >= 0 && start <= stop && stop <= rows) return;
  throw new RangeError(
    `tensor ${JSON.stringify(name)} of shape (${shape.join(', ')}) has no rows [${start}, ${stop}); give 0 <= start <= stop <= ${rows}`,
  );
}

/** A copy of the rows `[start, stop)` of an array. */
export function rowsIn({ dtype, shape, data }: NdArray, start: number, stop: number): NdArray {
  const row = sizeOf(shape.slice(1));
  return ndarray(dtype, [stop - start, ...shape.slice(1)], data.slice(start * row, stop * row));
}

/** Bytes of one row. */
export function rowBytes(dtype: DType, shape: readonly number[]): number {
  return shape.slice(1).reduce((product, dimension) => product * dimension, dtypeBytes(dtype));
}

/** The bytes of a streamed tensor, a block at a time. @throws RangeError where its blocks are not what it was said to be */
export async function* bytesOfBlocks(name: string, tensor: StreamedTensor): AsyncGenerator<Uint8Array> {
  const { dtype, shape } = tensor;
  const row = shape.slice(1).join(', ');
  let rows = 0;
  for await (const block of tensor.blocks()) {
    const [blockRows = 0, ...blockRow] = block.shape;
    if (
      block.dtype !== dtype ||
      block.shape.length !== shape.length ||
      blockRow.join(', ') !== row ||
      block.data.length !== sizeOf(block.shape)
    ) {
      throw new RangeError(
        `safetensors: tensor ${JSON.stringify(name)} was to have blocks of ${dtype} with rows of shape (${row}) but one is of ` +
          `${block.dtype} with shape (${block.shape.join(', ')}) and ${block.data.length} elements`,
      );
    }
    rows += blockRows;
    if (rows > rowsOf(name, shape)) break;
    yield rawBytes(block);
  }
  if (rows === rowsOf(name, shape)) return;
  throw new RangeError(
    `safetensors: tensor ${JSON.stringify(name)} was to have ${shape[0]} rows but its blocks have ${rows > (shape[0] ?? 0) ? 'more' : rows}`,
  );
}

const BLOCK_BYTES = 8 << 20;

function rowsOf(name: string, [rows]: readonly number[]): number {
  if (rows !== undefined) return rows;
  throw new RangeError(`tensor ${JSON.stringify(name)} is a scalar, which has no rows; read all of it`);
}
