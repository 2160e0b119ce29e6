import { expect, test } from 'vitest';

import { storableText, StorableText } from './json.js';

test('what cannot be stored is refused, or replaced character by character; all else stays', () => {
  const unstorable = 'a\0b\uD800c\uDC00d\uD83D\uDE00\uD83D';
  expect(StorableText.safeParse(unstorable).success).toBe(false);
  expect(storableText(unstorable)).toBe('a\uFFFDb\uFFFDc\uFFFDd😀\uFFFD');
  expect(StorableText.parse(storableText(unstorable))).toBe(storableText(unstorable));
  expect(storableText('naïve 😀 語\n')).toBe('naïve 😀 語\n');
});
