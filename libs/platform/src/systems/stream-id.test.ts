import { expect, test } from 'vitest';

import { isAfter, nextStreamId } from './stream-id.js';

test('ids are compared as numbers: by time, then by number', () => {
  expect(isAfter('1000-0', '999-5')).toBe(true);
  expect(isAfter('1000-10', '1000-9')).toBe(true);
  expect(isAfter('1000-9', '1000-9')).toBe(false);
  expect(isAfter('0-1', '0-0')).toBe(true);
});

test('the next id comes right after', () => {
  expect(nextStreamId('1000-9')).toBe('1000-10');
  expect(isAfter(nextStreamId('5-0'), '5-0')).toBe(true);
});
