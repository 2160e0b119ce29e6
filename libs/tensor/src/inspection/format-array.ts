import { sizeOf, type NdArray } from '@longrun/serialization';

/**
 * The elements as nested lists: `[[1, 2], [3, 4]]`, a scalar as `1`. Of more than 1000 elements each axis shows 3 at either end, with
 * `...` between them.
 */
export function formatArray({ shape, data }: NdArray): string {
  const edge = sizeOf(shape) > FEW_ELEMENTS ? EDGE_ELEMENTS : Infinity;
  return formatFrom(0, shape);

  function formatFrom(offset: number, [size, ...rest]: readonly number[]): string {
    if (size === undefined) return String(data[offset]);
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
}

const FEW_ELEMENTS = 1000;
const EDGE_ELEMENTS = 3;
