import { expect, test } from 'vitest';

import { hasUnseen, visibleIn, visibleJson, visibleLine, visibleText } from './visible-text.js';

const HOSTILE = 'a\x1B[2Jb\x07\r\x7F\x9Bc\u202Ed\u2066\u2028\0';
const SEEN = String.raw`a\x1b[2Jb\x07\x0d\x7f\x9bc\u202ed\u2066\u2028\x00`;

test('what a terminal would act on is seen as an escape', () => {
  expect(visibleText(HOSTILE)).toBe(SEEN);
  expect(visibleLine(HOSTILE)).toBe(SEEN);
  expect(hasUnseen(HOSTILE)).toBe(true);
});

test('lines and tabs stay, but for what is to be one line', () => {
  expect(visibleText('a\n\tb')).toBe('a\n\tb');
  expect(visibleLine('a\n\tb')).toBe(String.raw`a\n\tb`);
});

test('other text of all languages stays', () => {
  const text = 'naïve 😀 語 שלום‏ \uFFFD';
  expect(visibleLine(text)).toBe(text);
  expect(hasUnseen(text)).toBe(false);
});

test('all texts and keys in a value are seen', () => {
  expect(visibleIn({ [HOSTILE]: [HOSTILE, 1, null, { a: HOSTILE }] })).toEqual({
    [SEEN]: [SEEN, 1, null, { a: SEEN }],
  });
});

test('JSON shows them and reads back as the same value', () => {
  const value = { [HOSTILE]: [HOSTILE, 1] };
  const json = visibleJson(value, 2);
  expect(hasUnseen(json.replaceAll('\n', ''))).toBe(false);
  expect(JSON.parse(json)).toEqual(value);
});
