import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { uniqueNames } from './unique-names.js';

function named(names: readonly string[], taken: readonly string[] = []): string[] {
  const things = names.map((name) => ({ name }));
  const byName = uniqueNames(things, ({ name }) => name, taken);
  expect([...byName.values()]).toEqual(things);
  return [...byName.keys()];
}

test('the first keeps its name, the next are numbered where their names start', () => {
  expect(named(['scale.rate', 'scale.rate', 'average', 'average', 'average'])).toEqual([
    'scale.rate',
    'scale_1.rate',
    'average',
    'average_1',
    'average_2',
  ]);
  expect(named(['/a/norm.mean', '/a/norm.mean', '/a.w:adam.mean', '/a.w:adam.mean'])).toEqual([
    '/a/norm.mean',
    '/a/norm_1.mean',
    '/a.w:adam.mean',
    '/a.w:adam_1.mean',
  ]);
});

test('a number never takes the name of another', () => {
  expect(named(['a', 'a', 'a_1'])).toEqual(['a', 'a_2', 'a_1']);
  expect(named(['a', 'b'], ['a', 'a_1'])).toEqual(['a_2', 'b']);
});

test('every name is given once, whatever the names', () => {
  const name = fc.constantFrom<string[]>('a', 'a_1', 'a.b', 'a_1.b', 'w:a', 'w:a.b', '/a.b:a.b');
  fc.assert(
    fc.property(fc.array(name), fc.array(name), (names, taken) => {
      const given = named(names, taken);
      expect(new Set(given).size).toBe(names.length);
      expect(given.some((one) => taken.includes(one))).toBe(false);
    }),
  );
});
