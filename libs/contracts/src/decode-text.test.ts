import { expect, test } from 'vitest';

import { decodeText, textFaultWords } from './decode-text.js';

const TEXT = '{"name": "naïve 😀 語 \uFFFD"}\n';

test('UTF-8 is read, with and without its mark', () => {
  expect(decodeText(new TextEncoder().encode(TEXT))).toEqual({ ok: true, text: TEXT });
  expect(decodeText(new TextEncoder().encode(`\uFEFF${TEXT}`))).toEqual({ ok: true, text: TEXT });
  expect(decodeText(new Uint8Array())).toEqual({ ok: true, text: '' });
});

test.each<[string, Uint8Array, number, string | null]>([
  ['latin-1', Buffer.from('{"a": "b",\n "c": "na\u00EFve"}', 'latin1'), 2, 'ISO-8859-1 or Windows-1252'],
  [
    'latin-1 after U+FFFD',
    Buffer.concat([Buffer.from('\uFFFD\n\n'), Buffer.from('né.', 'latin1')]),
    3,
    'ISO-8859-1 or Windows-1252',
  ],
  ['UTF-16, marked', Buffer.from('\uFEFF{}', 'utf16le'), 1, 'UTF-16'],
  ['UTF-16, unmarked', Buffer.from('{"a": 1}', 'utf16le'), 1, 'UTF-16'],
  ['UTF-16 of the other order', Buffer.from('{"a": 1}', 'utf16le').swap16(), 1, 'UTF-16'],
  ['UTF-32', Uint8Array.of(0x7b, 0, 0, 0, 0x7d, 0, 0, 0), 1, 'UTF-32'],
  ['UTF-32, marked', Uint8Array.of(0xff, 0xfe, 0, 0, 0x7d, 0, 0, 0), 1, 'UTF-32'],
  ['a packed file', Uint8Array.of(0x1f, 0x8b, 8, 1, 2, 3), 1, null],
  ['a text that was cut off', new TextEncoder().encode('abc😀').subarray(0, 5), 1, null],
])('%s is refused by its name', (_what, bytes, line, likely) => {
  const read = decodeText(bytes);
  expect(read).toEqual({ ok: false, fault: { line, likely } });
});

test('what was found is said, with what to do', () => {
  expect(textFaultWords({ line: 2, likely: 'ISO-8859-1 or Windows-1252' }, 'the body')).toEqual({
    detail: 'The body is not in UTF-8: by its bytes in line 2 it is in ISO-8859-1 or Windows-1252.',
    remedy: 'Save it as UTF-8, for example by: iconv -f WINDOWS-1252 -t UTF-8.',
  });
  expect(textFaultWords({ line: 1, likely: null }, 'spec.yaml').detail).toBe(
    'spec.yaml is not text in UTF-8: the bytes in line 1 are none.',
  );
});
