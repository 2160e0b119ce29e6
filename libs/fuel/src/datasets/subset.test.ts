import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Subset } from './subset.js';

test('2.6-06: lists are sorted and freed of doubles', () => {
  const subset = Subset.list([7, 2, 7, 5], 8);

  expect(rows(subset)).toEqual([2, 5, 7]);
});

test('rows next to each other are a range, which is read in one piece', () => {
  expect(Subset.list([4, 3, 5], 8).rowsOf({ start: 0, stop: 3 })).toEqual({ start: 3, stop: 6 });
});

test('unions and selections are those of sets of rows', () => {
  const subsets = fc.oneof(
    fc.tuple(fc.nat(30), fc.nat(30)).map(([a, b]) => Subset.range(Math.min(a, b), Math.max(a, b), 30)),
    fc.array(fc.nat(29)).map((list) => Subset.list(list, 30)),
  );
  fc.assert(
    fc.property(subsets, subsets, fc.array(fc.nat(100), { minLength: 1 }), (a, b, picks) => {
      const union = a.union(b);
      expect(rows(union)).toEqual([...new Set([...rows(a), ...rows(b)])].toSorted((x, y) => x - y));
      if (union.length === 0) return;
      const part = Subset.list(
        picks.map((pick) => pick % union.length),
        union.length,
      );
      expect(rows(union.select(part))).toEqual(rows(part).map((index) => rows(union)[index]));
      expect(rows(union.select(Subset.range(0, union.length, union.length)))).toEqual(rows(union));
    }),
  );
});

test('what lies outside is refused', () => {
  expect(() => Subset.range(2, 9, 8)).toThrow(/rows 2 to 9 .* 8 rows/);
  expect(() => Subset.list([8], 8)).toThrow(/row 8/);
  expect(() => Subset.range(2, 5, 8).rowsOf(3)).toThrow(/Example 3 .* 3 examples/);
  expect(() => Subset.range(2, 5, 8).rowsOf({ start: 0, stop: 4 })).toThrow(/Example 3/);
  expect(() => Subset.list([1, 4], 8).rowsOf(Uint32Array.of(0, 2))).toThrow(/Example 2/);
});

test.each([
  ['a range', Subset.range(2, 5, 8)],
  ['a list', Subset.list([1, 4, 7], 8)],
])('a part of %s that goes beyond it is refused', (_what, subset) => {
  expect(() => subset.select(Subset.list([0, 3], 8))).toThrow(/Example 3 .* 3 examples/);
  expect(() => subset.select(Subset.range(1, 4, 8))).toThrow(/Example 3 .* 3 examples/);
  expect(rows(subset.select(Subset.range(8, 8, 8)))).toEqual([]);
});

function rows(subset: Subset): number[] {
  return Array.from({ length: subset.length }, (_, i) => Number(subset.rowsOf(i)));
}
