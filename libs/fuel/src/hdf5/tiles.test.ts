import * as fc from 'fast-check';
import { sizeOf } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { placementOf, tileShape, tilesOfRow } from './tiles.js';

test('the tiles of a row put each of its elements where it belongs, once', () => {
  const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })), { maxLength: 4 });
  fc.assert(
    fc.property(axes, (sizes) => {
      const row = sizes.map(([size]) => size);
      const tile = sizes.map(([size, step]) => Math.min(size, step));
      const placed = new Map<number, string>();
      for (const { start, count } of tilesOfRow(row, tile)) {
        const { length, targets } = placementOf(row, start, count);
        for (let i = 0; i < sizeOf(count); i += 1) {
          const target = (targets[Math.floor(i / length)] ?? -1) + (i % length);
          expect(placed.has(target)).toBe(false);
          placed.set(
            target,
            indexOf(i, count)
              .map((at, axis) => at + (start[axis] ?? 0))
              .join(),
          );
        }
      }
      const expected = Array.from({ length: sizeOf(row) }, (_, i) => [i, indexOf(i, row).join()] as const);
      expect([...placed].toSorted(([a], [b]) => a - b)).toEqual(expected);
    }),
  );
});

test('a row without elements has no tiles', () => {
  expect([...tilesOfRow([3, 0], [1, 1])]).toEqual([]);
});

for (const [what, layout, tile] of [
  ['compressed chunks are read whole', { chunks: [1000, 1, 64, 64], filtered: true }, [1000, 1, 64, 64]],
  ['small ones together, as wide as a row', { chunks: [10, 1, 4, 4], filtered: true }, [60, 1, 64, 64]],
  ['low ones some at a time', { chunks: [1, 1, 64, 64], filtered: true }, [64, 1, 64, 64]],
  ['plain ones of more than 8 MiB in parts', { chunks: [5000, 1, 64, 64], filtered: false }, [64, 1, 64, 64]],
  ['what has no chunks likewise', { chunks: null, filtered: false }, [64, 1, 64, 64]],
] as const) {
  test(`tiles: ${what}`, () => {
    expect(tileShape({ shape: [5000, 1, 64, 64], elementBytes: 1, ...layout })).toEqual(tile);
  });
}

/** Along each axis, of an element counted in row-major order. */
function indexOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size;
      rest = Math.floor(rest / size);
      return at;
    })
    .toReversed();
}
