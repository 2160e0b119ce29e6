import { expect, test } from 'vitest';

import { checkKey, InvalidKey } from './object-key.js';

test.each(['a', 'experiments/exp_1/blobs/3/0af', 'a-b_c.d=e+f@g,h', 'a/b.c/d', 'x'.repeat(200)])(
  'key %s is allowed',
  (key) => checkKey(key),
);

test.each([
  '',
  '/',
  '/etc/passwd',
  'a/',
  'a//b',
  '..',
  '../a',
  'a/../b',
  'a/..',
  './a',
  'a/.hidden',
  '.tmp/x',
  'a\\b',
  'a\0b',
  'a b',
  'a\n',
  'head.json~',
  'a%2f..',
  'ü',
  'C:',
  'x'.repeat(201),
  'x/'.repeat(450) + 'y',
])('key %j is refused', (key) => {
  expect(() => checkKey(key)).toThrow(InvalidKey);
});

test('the refusal names the key, the segment and what is allowed', () => {
  expect(() => checkKey('a/../b')).toThrow(
    'object key "a/../b": its segment ".." is not allowed; give segments of 1 to 200 of A-Z a-z 0-9 . _ - = + @ , ' +
      'parted by single slashes, none starting with a dot',
  );
});
