import { expect, test } from 'vitest';

import { assignRanks, LAST_RANK } from './places.js';

test('jobs that have a rank keep it, and one that comes back goes between its neighbours', () => {
  expect(assignRanks([100, 200, 300])).toEqual([100, 200, 300]);
  const [before, between, after] = assignRanks([100, null, 200]);
  expect([before, after]).toEqual([100, 200]);
  expect(between).toBeGreaterThan(100);
  expect(between).toBeLessThan(200);
});

test('ranks always increase strictly within 1 and the last one, whatever was there', () => {
  const random = sequence(7);
  for (let round = 0; round < 2_000; round += 1) {
    const count = Math.floor(random() * 20);
    const given = Array.from({ length: count }, () =>
      random() < 0.5 ? null : 1 + Math.floor(random() * (random() < 0.5 ? 12 : LAST_RANK)),
    );
    const ranks = assignRanks(given);
    expect(ranks).toHaveLength(count);
    for (const [index, rank] of ranks.entries()) {
      expect(rank).toBeGreaterThan(ranks[index - 1] ?? 0);
      expect(rank).toBeLessThanOrEqual(LAST_RANK);
    }
  }
});

test('a hundred thousand jobs can be appended one after the other, and one inserted at the front each time', () => {
  let ranks: number[] = [];
  for (let round = 0; round < 100_000; round += 1) {
    const atFront = round % 3 === 0;
    const all = assignRanks(atFront ? [null, ...ranks] : [...ranks, null]);
    ranks = atFront ? all.slice(0, 5) : all.slice(-5);
  }
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  expect(new Set(ranks).size).toBe(5);
});

/** Numbers in [0, 1), the same in each run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
