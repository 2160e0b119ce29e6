import { expect, test } from 'vitest';

import { askedRange } from './byte-range.js';

test.each([
  [undefined, undefined],
  ['bytes=0-3', { start: 0, end: 4 }],
  ['bytes=4-', { start: 4, end: 10 }],
  ['bytes=-3', { start: 7, end: 10 }],
  ['bytes=-99', { start: 0, end: 10 }],
  ['bytes=9-99', { start: 9, end: 10 }],
  ['bytes=10-', null],
  ['bytes=-0', null],
  ['bytes=99999999999999999999-', null],
  ['bytes=0-99999999999999999999', { start: 0, end: 10 }],
  ['bytes=-99999999999999999999', { start: 0, end: 10 }],
  // The standard has these answered with the whole.
  ['bytes=3-2', undefined],
  ['bytes=99999999999999999999-99999999999999999998', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,4-5', undefined],
  ['rows=0-1', undefined],
])('of ten bytes %s asks for %o', (header, range) => {
  expect(askedRange(header, 10)).toEqual(range);
});

test('a number may have any length', () => {
  const beyond = '9'.repeat(400);
  expect(askedRange(`bytes=7-${beyond}`, 10)).toEqual({ start: 7, end: 10 });
  expect(askedRange(`bytes=-${beyond}`, 10)).toEqual({ start: 0, end: 10 });
  expect(askedRange(`bytes=${beyond}-`, 10)).toBeNull();
  expect(askedRange(`bytes=-${beyond}`, 0)).toBeNull();
});

test('an empty file has no range', () => {
  expect(askedRange('bytes=0-', 0)).toBeNull();
});
