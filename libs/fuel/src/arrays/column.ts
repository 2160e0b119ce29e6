import { ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';

/**
 * Rows of several shapes, in Arrow's list layout: all elements in one array, and where each row begins in it. All rows have as many axes.
 * Text is ragged uint8 with one axis, the bytes of UTF-8.
 */
export interface Ragged<D extends DType = DType> {
  /** The elements, `(elements)`: one row after the other, each in row-major order. */
  readonly values: NdArray<D>;
  /** Where rows begin in the values, and where the last one ends: one more than there are rows, the first 0. */
  readonly offsets: Uint32Array;
  /** The shape of each row, `(rows, axes)`. */
  readonly shapes: NdArray<'uint32'>;
}

/** A source in a batch: `(batch, ...)` where all rows have one shape, ragged where they differ. In an example: an array. */
export type Column = NdArray | Ragged;

/** The columns of a batch or an example by the names of its sources, in their order. */
export type Columns = ReadonlyMap<string, Column>;

/** Whether the rows may differ in shape. */
export function isRagged(column: Column): column is Ragged {
  return 'offsets' in column;
}

/**
 * Rows of several shapes, over `values`, which are kept and not copied.
 *
 * @param values the elements of all rows, `(elements)`
 * @param shapes the shape of each row, `(rows, axes)`
 * @throws RangeError for shapes that have not as many elements as there are
 */
export function ragged<D extends DType>(values: NdArray<D>, shapes: NdArray<'uint32'>): Ragged<D> {
  const [rows, axes] = shapes.shape;
  if (rows === undefined || axes === undefined || shapes.shape.length !== 2) {
    throw new RangeError(`ragged: shapes has shape (${shapes.shape.join(', ')}); give (rows, axes)`);
  }
  if (values.shape.length !== 1) {
    throw new RangeError(
      `ragged: values has shape (${values.shape.join(', ')}); give the elements of all rows as one vector`,
    );
  }
  const offsets = new Uint32Array(rows + 1);
  let end = 0;
  for (let row = 0; row < rows; row += 1) {
    end += sizeOf(Array.from(shapes.data.subarray(row * axes, (row + 1) * axes)));
    if (end > MOST_ELEMENTS)
      throw new RangeError('ragged: there are more than 2^32 - 1 elements; put fewer rows into a column');
    offsets[row + 1] = end;
  }
  if (end === values.data.length) return { values, offsets, shapes };
  throw new RangeError(
    `ragged: the shapes have ${end} elements together, but values has ${values.data.length}; give one that fits the other`,
  );
}

const MOST_ELEMENTS = 2 ** 32 - 1;

/** The shape of a row of a ragged column. */
export function shapeOfRow({ shapes }: Ragged, row: number): readonly number[] {
  const [, axes = 0] = shapes.shape;
  return Array.from(shapes.data.subarray(row * axes, (row + 1) * axes));
}

/** The element type of a column. */
export function dtypeOf(column: Column): DType {
  return isRagged(column) ? column.values.dtype : column.dtype;
}

/** Its dtype and shape, for errors: `uint8 (4, 3)`, `uint8 (2, ragged)`. */
export function shownColumn(column: Column): string {
  if (!isRagged(column)) return `${column.dtype} (${column.shape.join(', ')})`;
  const [rows = 0, axes = 0] = column.shapes.shape;
  return `${column.values.dtype} (${[rows, ...Array.from({ length: axes }, () => 'ragged')].join(', ')})`;
}

/** A column with other elements in the same rows: `change` gets all of them, and gives as many. */
export function withElements(column: Column, change: (elements: NdArray) => NdArray): Column {
  return isRagged(column) ? { ...column, values: change(column.values) } : change(column);
}

/**
 * A column as the array that it is.
 *
 * @param what who wants it, and of what: `MLP: the source features`
 * @throws TypeError for a ragged one, with the remedy
 */
export function denseOf(column: Column, what: string): NdArray {
  if (!isRagged(column)) return column;
  const first = shapeOfRow(column, 0);
  const rows = Array.from({ length: column.offsets.length - 1 }, (_, row) => shapeOfRow(column, row));
  const other = rows.find((shape) => shape.join() !== first.join());
  const shapes = other === undefined ? '' : `, as (${first.join(', ')}) and (${other.join(', ')})`;
  throw new TypeError(
    `${what} is ragged: its rows differ in shape${shapes}, and an array has one; pad them (Padding), or crop them to one shape (Mapping)`,
  );
}

/**
 * The array of a source.
 *
 * @param what who wants it, for errors. Default: nobody is named
 * @throws RangeError for a source that is not there, TypeError for a ragged one
 */
export function denseIn(columns: Columns, source: string, what = 'the batch'): NdArray {
  const column = columns.get(source);
  if (column !== undefined) return denseOf(column, `${what}: ${source}`);
  throw new RangeError(
    `${what}: there is no source ${source}; the sources are ${[...columns.keys()].join(', ') || 'none'}`,
  );
}

/** Text as an example has it: the bytes of its UTF-8, uint8 `(bytes)`. */
export function bytesOfText(text: string): NdArray<'uint8'> {
  const bytes = new TextEncoder().encode(text);
  return ndarray('uint8', [bytes.length], bytes);
}

/** The text of an example of it. @throws TypeError for what is not UTF-8 in uint8 `(bytes)` */
export function textOf({ dtype, shape, data }: NdArray): string {
  if (dtype !== 'uint8' || shape.length !== 1 || !(data instanceof Uint8Array)) {
    throw new TypeError(`textOf: text is uint8 (bytes), but this is ${dtype} (${shape.join(', ')})`);
  }
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
}
