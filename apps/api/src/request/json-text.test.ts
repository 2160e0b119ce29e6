import { describe, expect, test } from 'vitest';
import { parseJson } from './json-text.js';

function faultOf(text: string) {
  const parsed = parseJson(text);
  if (!('fault' in parsed)) throw new Error(`accepted: ${text}`);
  return parsed.fault;
}

describe('parseJson', () => {
  test('gives the value of what JSON.parse accepts', () => {
    const documents = [
      '{}',
      '[]',
      ' {"a": [1, -2.5e-3, true, false, null, "\\u00e9\\n\\\\"], "b": {"c": ""}} ',
      '0',
      '"lone"',
      '[[[]]]',
    ];
    for (const text of documents) expect(parseJson(text)).toEqual({ value: JSON.parse(text) });
  });

  test.each([
    ['after a string that is not closed', '["\n'],
    ['after a comment', '/* " */'],
    ['after a line that is one', '// "\n'],
  ])('explains what nests too deep to be gone through, %s', (_where, before) => {
    expect(parseJson(before + '['.repeat(1_000_000))).toHaveProperty('fault.says');
  });

  test('refuses exactly what JSON.parse refuses, for every one-character damage of a document', () => {
    const document = '{"a": [1, -2.5e3, true], "b": {"c": "x\\ny"}, "d": null}';
    const damages = Array.from(document).flatMap((_, index) =>
      ['', ',', '"', '}', ']', '0', ':', '\\', ' ', 'e', '\n', '-'].map(
        (character) => document.slice(0, index) + character + document.slice(index + 1),
      ),
    );
    expect(damages.length).toBeGreaterThan(500);
    let refused = 0;
    for (const text of damages) {
      const accepted = (() => {
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      })();
      expect({ text, accepted: 'value' in parseJson(text) }).toEqual({ text, accepted });
      if (!accepted) refused += 1;
    }
    expect(refused).toBeGreaterThan(100);
  });

  test.each([
    ['{\n  "program": "mlp",\n}', 3, 1, 'Remove the comma before it.'],
    ['{"seed": 1 "name": "x"}', 1, 12, 'Put a comma between the entries, or close with }.'],
    ['[1 2]', 1, 4, 'Put a comma between the entries, or close with ].'],
    ['{"a" 1}', 1, 6, 'Write "key": value.'],
    ['{"a": 1, // mine\n"b": 2}', 1, 10, 'Remove the comment: JSON has none.'],
    ['{seed: 1}', 1, 2, 'Put the key in double quotes.'],
    ["{'seed': 1}", 1, 2, 'Put the key in double quotes.'],
    ['{"seed": NaN}', 1, 10, 'JSON has no NaN: leave the key out or write null.'],
    ['{"on": True}', 1, 8, 'Write true in lower case.'],
    ['{"seed": 01}', 1, 10, 'Write the number as JSON does: no leading zero, plus sign or bare point.'],
    ['{"seed": 1', 1, 11, 'Send the whole document: it seems to be cut off.'],
    ['{"seed": 1} // mine', 1, 13, 'Send one JSON value and nothing after it.'],
    ['{\n\t"a": "b\n"}', 2, 9, String.raw`Close the string with ", or write the character as an escape such as \n.`],
    [
      '{"a": "\\d"}',
      1,
      8,
      String.raw`Write a backslash as \\; the escapes are \" \\ \/ \b \f \n \r \t and \u with four hex digits.`,
    ],
    ['', 1, 1, 'Send a JSON object.'],
    ['{"é😀": x}', 1, 8, 'Put strings in double quotes; the only bare words are true, false and null.'],
  ])('%j breaks at line %i, column %i', (text, line, column, remedy) => {
    expect(faultOf(text)).toMatchObject({ line, column, remedy });
  });

  test.each([
    ['a string without an end', `{"a": ${'"\\"'.repeat(250_000)}`],
    ['a number without an end', `{"a": ${'1'.repeat(500_000)}x1 2`],
    ['nothing but mistakes', "'".repeat(500_000)],
    ['keys without values', '{"a",'.repeat(60) + '"a",'.repeat(200_000)],
  ])('%s of the largest size is explained as fast as it is read', (_what, text) => {
    expect(faultOf(text).remedy).toMatch(/\.$/);
  });
});
