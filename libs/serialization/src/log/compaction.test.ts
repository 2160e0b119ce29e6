import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { FINAL_TEXT_BYTES, MAX_SEGMENT_TEXT_BYTES, type PlannedSegment, planCompaction } from './compaction.js';

/** What is left of a log after segments came one after the other, and how much text was rewritten. */
function grow(sizes: Iterable<number>): { readonly log: readonly PlannedSegment[]; readonly rewrittenBytes: number } {
  let log: readonly PlannedSegment[] = [];
  let rewrittenBytes = 0;
  for (const textBytes of sizes) {
    const parts = [...log, { textBytes, fixed: false }];
    log = planCompaction(parts).map(({ start, end }) => {
      const group = parts.slice(start, end);
      const sum = group.reduce((total, part) => total + part.textBytes, 0);
      if (group.length > 1) rewrittenBytes += sum;
      return { textBytes: sum, fixed: false };
    });
  }
  return { log, rewrittenBytes };
}

test('10,000 commits of 10 rows leave a few dozen segments, and each row is rewritten a few times', () => {
  const commits = 10_000;
  const textBytes = 600;
  const { log, rewrittenBytes } = grow(Array.from({ length: commits }, () => textBytes));
  expect(log.length).toBeLessThanOrEqual(7 * 5 + 1);
  expect(log.reduce((sum, part) => sum + part.textBytes, 0)).toBe(commits * textBytes);
  expect(rewrittenBytes / (commits * textBytes)).toBeLessThan(5);
});

test('a log of a gigabyte is final segments and a few dozen small ones', () => {
  const { log, rewrittenBytes } = grow(Array.from({ length: 20_000 }, () => 50_000));
  const small = log.filter((part) => part.textBytes < FINAL_TEXT_BYTES);
  expect(small.length).toBeLessThanOrEqual(7 * 5);
  expect(log.length - small.length).toBeLessThanOrEqual(1e9 / FINAL_TEXT_BYTES);
  expect(rewrittenBytes).toBeLessThan(4e9);
});

test('whatever the sizes, a log has seven small segments a tier beside its final ones, and none that is too large', () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 5_000 }),
    fc.integer({ min: 1, max: 3 * FINAL_TEXT_BYTES }),
    fc.constantFrom(1, FINAL_TEXT_BYTES - 1, FINAL_TEXT_BYTES),
  );
  fc.assert(
    fc.property(fc.array(size, { maxLength: 400 }), (sizes) => {
      const { log } = grow(sizes);
      const finals = log.filter((part) => part.textBytes >= FINAL_TEXT_BYTES).length;
      expect(log.length - finals).toBeLessThanOrEqual(7 * 5 + 7 * finals);
      for (const { textBytes } of log) {
        expect(textBytes).toBeLessThanOrEqual(Math.max(MAX_SEGMENT_TEXT_BYTES, ...sizes));
      }
    }),
  );
});

test('a plan has every segment once, in order, and leaves alone what is fixed', () => {
  const part = fc.record({ textBytes: fc.integer({ min: 1, max: 100_000 }), fixed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 100 }), (parts) => {
      const groups = planCompaction(parts);
      expect(groups.flatMap(({ start, end }) => parts.slice(start, end))).toEqual(parts);
      const merged = groups.filter(({ start, end }) => end - start > 1);
      expect(merged.flatMap(({ start, end }) => parts.slice(start, end)).some(({ fixed }) => fixed)).toBe(false);
    }),
  );
});

test('neighbours are merged when eight are of one tier, whatever lies between', () => {
  const sized = (...sizes: readonly number[]): PlannedSegment[] =>
    sizes.map((textBytes) => ({ textBytes, fixed: false }));
  expect(planCompaction(sized(1, 1, 1, 1, 1, 1, 1))).toHaveLength(7);
  expect(planCompaction(sized(1, 1, 1, 1, 1, 1, 1, 1))).toEqual([{ start: 0, end: 8 }]);
  // Seven that are small and old do not stay behind the large one.
  expect(planCompaction(sized(1, 1, 1, 1, 1, 1, 1, 50_000))).toEqual([{ start: 0, end: 8 }]);
  expect(planCompaction(sized(50_000, 1, 1, 1, 1, 1, 1, 1))).toHaveLength(8);
});
