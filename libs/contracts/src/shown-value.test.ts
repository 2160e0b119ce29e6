import { expect, test } from 'vitest';

import { shownValue } from './shown-value.js';

test.each([
  [{ a: [1, 'x', null, true], b: {} }, '{"a":[1,"x",null,true],"b":{}}'],
  ['a "quoted" text', '"a \\"quoted\\" text"'],
  [[undefined, { gone: undefined, here: 1 }], '[null,{"here":1}]'],
  [Number.NaN, 'NaN'],
  [12n, '12'],
  [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['x'.repeat(100), `"${'x'.repeat(56)}...`],
  [Array.from({ length: 100 }, () => 7), `[${'7,'.repeat(28)}...`],
])('%o is shown as JSON, cut at 60 characters', (value, shown) => {
  expect(shownValue(value)).toBe(shown);
});

test('nothing is not shown', () => {
  expect(shownValue(undefined)).toBeNull();
});

test('of a million entries, nested or not, those are read that are shown', () => {
  let reads = 0;
  const entries = new Proxy<number[]>(Array.from({ length: 1_000_000 }), {
    get: (target, key, receiver): unknown => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
      return /^\d+$/.test(String(key)) ? 1 : Reflect.get(target, key, receiver);
    },
  });
  expect(shownValue(entries)).toMatch(/^\[1,1,.*\.\.\.$/);
  expect(shownValue({ entries })).toMatch(/^\{"entries":\[1,1,.*\.\.\.$/);
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThan(100);
});
