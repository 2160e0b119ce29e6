import { at } from '../arrays/at.js';
import { shown } from '../graph/arguments.js';
import { isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';

/** One number for rows and columns alike, or one for each. */
export type Pair = number | readonly [rows: number, columns: number];

/** How windows move over rows and columns; all ops that have them take these as parameters. */
export type Windows = {
  /** How many elements are put around the image: top, left, bottom, right. */
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  /** How far it is from one window to the next. */
  readonly strides: readonly [rows: number, columns: number];
  /** How far it is from one element of a window to the next. */
  readonly dilation: readonly [rows: number, columns: number];
};

/** The {@link Windows} of one axis. */
export interface WindowsOfAxis {
  readonly before: number;
  readonly after: number;
  readonly stride: number;
  readonly dilation: number;
}

/** Rows are axis 0 here, columns axis 1. */
export function windowsOfAxis({ pads, strides, dilation }: Windows, axis: 0 | 1): WindowsOfAxis {
  return {
    before: at(pads, axis),
    after: at(pads, axis + 2),
    stride: at(strides, axis),
    dilation: at(dilation, axis),
  };
}

/** How many elements of the image a window of `size` spans. */
export function spanOf(size: number, dilation: number): number {
  return (size - 1) * dilation + 1;
}

/**
 * How many windows of a size fit into an axis of the image, 0 or less where it is smaller than one. Null where a size is not known; but
 * where there is one window for each element, as many as these, whatever they are called.
 */
export function windowCount(image: Dim, size: Dim, { before, after, stride, dilation }: WindowsOfAxis): Dim {
  if (!isKnown(image) || !isKnown(size)) {
    const isAsMany = isKnown(size) && stride === 1 && before + after + 1 === spanOf(size, dilation);
    return isAsMany ? image : null;
  }
  return Math.floor((before + image + after - spanOf(size, dilation)) / stride) + 1;
}

/** Both numbers of a pair. @throws TensorTypeError naming op, operand and option unless they are integers of `least` or more */
export function pairOf(
  opName: string,
  subject: string,
  option: { readonly name: string; readonly value: Pair; readonly least: number },
): [rows: number, columns: number] {
  const { name, value, least } = option;
  // Also a list that is no pair: not all who call are typed.
  const numbers: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const [rows, columns] = numbers;
  if (numbers.length === 2 && isSize(rows, least) && isSize(columns, least)) return [rows, columns];
  throw new TensorTypeError(
    `${opName}: ${subject} cannot have ${name} of ${shown(value)}; give an integer of ${least} or more, or a pair of them`,
  );
}

function isSize(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least;
}
