import { expect, test } from 'vitest';

import { StateMismatch, type StatefulIterator, type VersionedState } from '../state.js';
import { accumulate } from './accumulate.js';
import { batched } from './batched.js';
import { chain } from './chain.js';
import { combinations } from './combinations.js';
import { count } from './count.js';
import { cycle } from './cycle.js';
import { equizip } from './equizip.js';
import { groupBy } from './group-by.js';
import { interleave } from './interleave.js';
import { islice } from './islice.js';
import { iterate } from './iterate.js';
import { map } from './map.js';
import { pairwise } from './pairwise.js';
import { partition } from './partition.js';
import { permutations } from './permutations.js';
import { product } from './product.js';
import { range } from './range.js';
import { repeat } from './repeat.js';
import { takeWhile } from './take-while.js';
import { tee } from './tee.js';
import { zip } from './zip.js';
import { zipLongest } from './zip-longest.js';

test('3-01 a state that one source refuses changes none of them', () => {
  const [a, b] = [iterate('abcd'), iterate('xyz')];
  const rows = zip(a, cycle(b));
  rows.next();
  const saved = rows.state();
  const late = zip('abcd', cycle('wxyz'));
  for (let step = 0; step < 3; step += 1) late.next();

  expect(() => rows.restore(late.state())).toThrow('iterate: the saved state is at 0 of 4 items, but there are 3');
  expect(rows.state()).toEqual(saved);
  expect(rows.next().value).toEqual(['b', 'y']);
});

test('3-01 a state of other parts is refused by name', () => {
  const rows = zip('ab', 'cd');
  expect(() => rows.restore(zip('ab').state())).toThrow(
    'zip: the saved state should have the states of 2 sources, but has 1; build it of the same parts',
  );
  expect(() => rows.restore(repeat(1).state())).toThrow('zip: the saved state is that of "repeat"');
  expect(() => batched('ab', 2).restore({ version: 1, kind: 'batched' })).toThrow(
    'batched: the saved state has no state of its source',
  );
  expect(() => cycle('ab').restore({ ...cycle('ab').state(), read: 3 })).toThrow(
    'cycle: the saved state is of a source of at least 3 items, but this one has 2',
  );
  expect(() => cycle('ab').restore({ ...cycle('ab').state(), read: 1, whole: true })).toThrow('has more');
  expect(() => interleave(['ab']).restore({ ...interleave(['ab']).state(), turns: [1] })).toThrow(StateMismatch);
  expect(() => product([range(3)]).restore(product([range(4)]).state())).toThrow(
    'product: the saved state is of pools of 4 items, but these have 3',
  );
  expect(() => combinations('abc', 2).restore({ ...combinations('abc', 2).state(), indices: [1, 3] })).toThrow(
    'combinations: the saved state has indices 1, 3 into pools of 3, 3; the checkpoint is damaged',
  );
});

test.each<[string, StatefulIterator<unknown>]>([
  ['accumulate', accumulate(count())],
  ['batched', batched(count(), 3)],
  ['chain.fromIterable', chain.fromIterable(map((n: number) => range(n), count()))],
  ['cycle', cycle(range(400))],
  ['groupBy', groupBy(count(), (n) => n % 7 > 3)],
  ['islice', islice(count(), 0, null, 3)],
  ['pairwise', pairwise(pairwise(count()))],
  ['permutations', permutations(range(60), 6)],
  ['product', product([range(300), range(300)], { repeat: 2 })],
  ['tee', zip(...tee(count(), 3))],
])('3-01 the state of %s does not grow with what was given', (_, iterator) => {
  const sizeAt = (steps: number) => {
    for (let step = 0; step < steps; step += 1) iterator.next();
    return JSON.stringify(iterator.state()).length;
  };
  const early = sizeAt(10);
  expect(sizeAt(1000)).toBeLessThan(early + 40);
  expect(early).toBeLessThan(600);
});

test('3-12 takewhile ends for good at the first item that fails', () => {
  const small = takeWhile((n) => n < 2, [1, 2, 1]);
  expect([...small, ...small]).toEqual([1]);
});

test('3-21 zip of nothing is empty, not endless', () => {
  expect([...zip()]).toEqual([]);
  expect([...zipLongest([])]).toEqual([]);
  expect([...equizip()]).toEqual([]);
});

test('3-22 zipLongest fills with undefined by default', () => {
  expect([...zipLongest([[1, 2], 'a'])]).toEqual([
    [1, 'a'],
    [2, undefined],
  ]);
});

test('3-06 equizip says which sources ended', () => {
  const rows = equizip([1, 2], 'ab', [3]);
  rows.next();
  expect(() => rows.next()).toThrow('equizip: of 3 sources, counted from 0, 2 ended before the others');
});

test('3-07 interleave passes over sources that throw what may be passed over', () => {
  const broken = map((n: number) => {
    if (n === 2) throw new RangeError('two');
    return n;
  }, range(5));
  expect([...interleave([broken, 'abcd'], { passExceptions: [RangeError] })]).toEqual([0, 'a', 1, 'b', 'c', 'd']);
  expect(() => [...interleave([map(() => JSON.parse('{'), [1])], { passExceptions: [RangeError] })]).toThrow(
    SyntaxError,
  );
});

test('3-35 totals that JSON has not are saved all the same, or refused by name', () => {
  for (const total of [Number.NaN, Number.POSITIVE_INFINITY, -0, 'x', null, { mean: [0.5, 1] }]) {
    const make = () => accumulate([1, 2, 3], (_, item) => (item === 2 ? total : item), { initial: total });
    const uncut = make();
    uncut.next();
    const resumed = make();
    resumed.restore(JSON.parse(JSON.stringify(uncut.state())) as VersionedState);
    expect(resumed.state()).toEqual(uncut.state());
    expect([...resumed]).toEqual([...uncut]);
  }
  const maps = accumulate([new Map()], (total) => total);
  maps.next();
  expect(() => maps.state()).toThrow('accumulate: the total [object Map] cannot be saved as JSON');
});

test('3-36 islice without an end goes on to the end, and refuses bounds that are none', () => {
  expect([...islice('abcde', 2, null)]).toEqual(['c', 'd', 'e']);
  expect(() => islice('ab', -1)).toThrow('islice: stop is -1; give a whole number of at least 0');
  expect(() => islice('ab', 0, 2, 0)).toThrow('islice: step is 0; give a whole number of at least 1');
});

test('3-33 count ends where numbers do', () => {
  const last = count(2 ** 53 - 1);
  last.next();
  expect(() => last.next()).toThrow('count: 9007199254740992 is too large to count on from');
  expect(() => count(Number.NaN)).toThrow(RangeError);
});

test('counts, lengths and sizes are whole numbers', () => {
  for (const make of [
    () => batched('ab', 0),
    () => partition(0, 'ab'),
    () => combinations('ab', -1),
    () => permutations('ab', 0.5),
    () => product(['ab'], { repeat: -1 }),
    () => repeat('a', -1),
    () => tee('ab', -1),
  ]) {
    expect(make).toThrow(/ is .*; give a whole number of at least [01]$/);
  }
  expect(() => map(() => 1)).toThrow('map: there are no sources; give at least one');
});

test('a strict batch that is not filled is an error, and the end', () => {
  const batches = batched('abc', 2, { strict: true });
  expect(batches.next().value).toEqual(['a', 'b']);
  expect(() => batches.next()).toThrow('batched: the items ran out after 1 of a batch of 2');
  expect(batches.next().done).toBe(true);
});
