import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { CheckpointEntry } from './head.js';
import { keptBy, type RetentionPolicy } from './retention.js';

test('the last ones are kept', () => {
  expect(keptOf({ keepLast: 2 }, [100, 200, 300, 400])).toEqual([300, 400]);
});

test('of the steps from each multiple up to the next the first is kept for good, and none before the first multiple', () => {
  const steps = [7, 14, 21, 28, 35, 42, 49, 90, 91, 98];
  expect(keptOf({ keepLast: 1, keepEvery: 20 }, steps)).toEqual([21, 42, 90, 98]);
});

test('the best are kept, those without a score never, and of equal ones the earlier', () => {
  const scores = [0.5, 0.2, undefined, 0.9, 0.2, 0.4, undefined];
  const steps = scores.map((_, index) => index);
  expect(keptOf({ keepLast: 1, keepBest: { mode: 'min', count: 1 } }, steps, scores)).toEqual([1, 6]);
  expect(keptOf({ keepLast: 1, keepBest: { mode: 'min', count: 3 } }, steps, scores)).toEqual([1, 4, 5, 6]);
  expect(keptOf({ keepLast: 1, keepBest: { mode: 'max', count: 2 } }, steps, scores)).toEqual([0, 3, 6]);
});

test('what a rule keeps is not counted in the last ones, unless it is one of them', () => {
  const policy: RetentionPolicy = { keepLast: 2, keepEvery: 100, keepBest: { mode: 'min', count: 1 } };
  expect(keptOf(policy, [50, 100, 150, 190, 195], [1, 2, 3, 4, 5])).toEqual([50, 100, 190, 195]);
  expect(keptOf(policy, [50, 100, 150, 190, 200], [5, 4, 3, 2, 1])).toEqual([100, 190, 200]);
});

test('what is not verified pushes none out, up to twice as many', () => {
  const checkpoints = [700, 600, 500, 400, 300, 200, 100].map((step) => entryOf(step));
  const kept = (...verified: number[]): number[] =>
    [...keptBy({ keepLast: 2 }, checkpoints, ({ step }) => verified.includes(step))].map(({ step }) => step);
  expect(kept(700, 600)).toEqual([700, 600]);
  expect(kept(700, 500)).toEqual([700, 600, 500]);
  expect(kept(700)).toEqual([700, 600, 500, 400]);
});

test('of several of one step the newest counts, once', () => {
  const checkpoints = ['300-2', '300-1', '200-1', '100-1'].map((name) => ({
    ...entryOf(Number.parseInt(name, 10), 1),
    manifestKey: name,
  }));
  const kept = (policy: RetentionPolicy): string[] =>
    [...keptBy(policy, checkpoints, () => true)].map(({ manifestKey }) => manifestKey);
  expect(kept({ keepLast: 2 })).toEqual(['300-2', '200-1']);
  expect(kept({ keepLast: 1, keepEvery: 300 })).toEqual(['300-2']);
  expect(kept({ keepLast: 1, keepBest: { mode: 'min', count: 3 } })).toEqual(['300-2', '100-1', '200-1']);
});

test('what is kept of all is kept of what was kept before and the next one', () => {
  const run = fc.array(
    fc.record({ batches: fc.integer({ min: 1, max: 40 }), score: fc.option(fc.integer({ min: 0, max: 9 })) }),
    { minLength: 1, maxLength: 40 },
  );
  const policies = fc.record({
    keepLast: fc.integer({ min: 1, max: 4 }),
    keepEvery: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    keepBest: fc.option(
      fc.record({ mode: fc.constantFrom('min' as const, 'max' as const), count: fc.integer({ min: 1, max: 4 }) }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(policies, run, (policy, intervals) => {
      let step = 0;
      let all: CheckpointEntry[] = [];
      let kept: CheckpointEntry[] = [];
      for (const { batches, score } of intervals) {
        step += batches;
        const next = entryOf(step, score ?? undefined);
        all = [next, ...all];
        kept = filtered(policy, [next, ...kept]);
        expect(kept).toEqual(filtered(policy, all));
      }
    }),
  );
});

/** The steps that are kept of these, oldest first. */
function keptOf(
  policy: RetentionPolicy,
  steps: readonly number[],
  scores: readonly (number | undefined)[] = [],
): number[] {
  const checkpoints = steps.map((step, index) => entryOf(step, scores[index])).toReversed();
  return filtered(policy, checkpoints)
    .map(({ step }) => step)
    .toReversed();
}

function filtered(policy: RetentionPolicy, checkpoints: readonly CheckpointEntry[]): CheckpointEntry[] {
  const kept = keptBy(policy, checkpoints, () => true);
  return checkpoints.filter((entry) => kept.has(entry));
}

function entryOf(step: number, score?: number): CheckpointEntry {
  return { manifestKey: `${step}-1.json`, sha256: 'ab', step, score };
}
