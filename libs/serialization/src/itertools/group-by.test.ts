import { expect, test } from 'vitest';

import { StateMismatch } from '../state.js';
import { assertResumable } from './assert-resumable.js';
import { chain } from './chain.js';
import { groupBy } from './group-by.js';
import { islice } from './islice.js';
import { iterate } from './iterate.js';
import { map } from './map.js';

test('3-14 the group given last is gone on with after a restore', () => {
  const groups = groupBy('aaabb');
  const first = groups.next();
  if (!first.done) first.value[1].next();

  const resumed = groupBy('aaabb');
  resumed.restore(JSON.parse(JSON.stringify(groups.state())));

  expect(resumed.present?.[0]).toBe('a');
  expect([...(resumed.present?.[1] ?? [])]).toEqual(['a', 'a']);
  expect(resumed.present).toBeUndefined();
  expect(resumed.next().value?.[0]).toBe('b');
});

test('3-14 groups resume at every step within pipelines that read them, too', async () => {
  await assertResumable(() => chain.fromIterable(map(([, group]) => islice(group, 2), groupBy('aaabccdddd'))));
  await assertResumable(() => chain.fromIterable(map(([, group]) => group, groupBy('aaabccdddd'))));
  await assertResumable(() =>
    map(
      ([key, group]) => [key, [...group].length],
      groupBy([1, 3, 5, 4, 2, 7], (n) => n % 2),
    ),
  );
});

test('3-14 a group that is over stays so after a restore', () => {
  const groups = groupBy('ab');
  const [first] = [groups.next().value?.[1]];
  groups.next();
  const saved = first?.state();

  const again = groupBy('ab');
  const [present] = [again.next().value?.[1]];
  if (saved) present?.restore(JSON.parse(JSON.stringify(saved)));
  expect(present?.next().done).toBe(true);
});

test('3-14 a restore that fails leaves groups and group as they were', () => {
  const groups = groupBy(iterate('aab'));
  const [group] = [groups.next().value?.[1]];
  const other = groupBy('aabb');
  other.next();

  expect(() => groups.restore(other.state())).toThrow(StateMismatch);
  expect([...(group ?? [])]).toEqual(['a', 'a']);
});

test('3-14 keys are compared as in a Map', () => {
  expect([...groupBy([Number.NaN, Number.NaN, 0, -0, 1])].map(([key]) => key)).toEqual([Number.NaN, 0, 1]);
});
