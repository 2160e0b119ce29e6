import { expect, test } from 'vitest';

import { Json, nestsTooDeep, storableText, StorableText } from './json.js';

test('what cannot be stored is refused, or replaced character by character; all else stays', () => {
  const unstorable = 'a\0b\uD800c\uDC00d\uD83D\uDE00\uD83D';
  expect(StorableText.safeParse(unstorable).success).toBe(false);
  expect(storableText(unstorable)).toBe('a\uFFFDb\uFFFDc\uFFFDd😀\uFFFD');
  expect(StorableText.parse(storableText(unstorable))).toBe(storableText(unstorable));
  expect(storableText('naïve 😀 語\n')).toBe('naïve 😀 語\n');
});

test.each<[string, unknown]>([
  ['a scalar', null],
  ['lists and objects', { a: [1, 'x', true, { b: [] }] }],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
])('%s is JSON', (_what, value) => {
  expect(Json.parse(value)).toEqual(value);
});

test.each<[string, unknown, (string | number)[]]>([
  ['undefined', undefined, []],
  ['a number that is not finite', { a: [0, Number.NaN] }, ['a', 1]],
  ['text that cannot be stored', ['\0'], [0]],
  ['a key that cannot be stored', [{ '\uD800': 1 }], [0, '\uD800']],
  ['a key that means the prototype', [JSON.parse('{"__proto__": 1}')], [0, '__proto__']],
  ['an object of a class', { at: new Date(0) }, ['at']],
  ['a function', [() => 1], [0]],
])('%s is not JSON, and the place is said', (_what, value, path) => {
  const read = Json.safeParse(value);
  expect(read.error?.issues.map((issue) => issue.path)).toEqual([path]);
});

test('what nests without end is refused, and does not drive the reader off its stack', () => {
  let deep: unknown = [];
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(Json.safeParse(deep).error?.issues[0]?.message).toBe('it nests deeper than 1000 levels');
  expect(nestsTooDeep(deep)).toBe(true);
});

test.each([
  [1_001, false],
  [1_002, true],
])('of %i lists in one another the depth is told as they would be read', (lists, isTooDeep) => {
  const nested: unknown = JSON.parse('['.repeat(lists) + ']'.repeat(lists));
  expect(nestsTooDeep({ a: 1, b: nested })).toBe(Json.safeParse({ a: 1, b: nested }).error !== undefined);
  expect(nestsTooDeep(nested)).toBe(isTooDeep);
});
