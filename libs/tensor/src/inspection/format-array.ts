import { sizeOf, type NdArray } from '@longrun/serialization';

/** How much of an array is printed. */
export interface ArrayFormat {
  /** Elements that are all printed; of more each axis shows 3 at either end. Default 1000. */
  readonly few?: number;
  /** Significant digits of floats. Default: as many as tell a number from all others. */
  readonly digits?: number;
}

/**
 * The elements as nested lists: `[[1, 2], [3, 4]]`, a scalar as `1`. Of many each axis shows 3 at either end, with `...` between them.
 */
export function formatArray({ shape, data }: NdArray, { few = FEW_ELEMENTS, digits }: ArrayFormat = {}): string {
  const edge = sizeOf(shape) > few ? EDGE_ELEMENTS : Infinity;
  return formatFrom(0, shape);

  function formatFrom(offset: number, [size, ...rest]: readonly number[]): string {
    if (size === undefined) return formatElement(data[offset]);
    const stride = sizeOf(rest);
    const entries: string[] = [];
    for (let index = 0; index < size; index += 1) {
      if (index === edge && size > 2 * edge) {
        entries.push('...');
        index = size - edge;
      }
      entries.push(formatFrom(offset + index * stride, rest));
    }
    return `[${entries.join(', ')}]`;
  }

  function formatElement(element: number | bigint | undefined): string {
    return digits === undefined || typeof element !== 'number' ? String(element) : formatNumber(element, digits);
  }
}

/** A number with so many significant digits, without the zeros at their end: `0.1235`, `1.2e-7`. */
export function formatNumber(value: number, digits: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value);
}

/** What is shown of a value beside other things. */
export const SHOWN: ArrayFormat = { few: 12, digits: 4 };

const FEW_ELEMENTS = 1000;
const EDGE_ELEMENTS = 3;
