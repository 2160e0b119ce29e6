import { expect, test } from 'vitest';

import { decodeNumber, encodeNumber, LogRow } from './log-row.js';

test('a number comes back as it was, also where JSON has no word for it', () => {
  for (const value of [0, -0.5, 1e300, Number.NaN, Infinity, -Infinity]) {
    const row = LogRow.parse(JSON.parse(JSON.stringify({ cost: encodeNumber(value) })));
    expect(decodeNumber(row['cost'])).toEqual(value);
  }
  expect(decodeNumber('some text')).toBeUndefined();
  expect(decodeNumber(undefined)).toBeUndefined();
});
