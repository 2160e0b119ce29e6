import { assert, double, property, string } from 'fast-check';
import { expect, test } from 'vitest';

import { type Cell, cellOf } from './cell.js';
import { csvHeader, csvRow } from './csv.js';

const columns = [
  { name: 'a', kind: 'text' },
  { name: 'b', kind: 'number' },
] as const;

test('numbers are read as the same ones, text as the same text, and no field is a formula', () => {
  assert(
    property(string({ unit: 'binary' }), double(), (text, number) => {
      const line = csvRow(columns, row({ a: cellOf(text), b: { kind: 'number', value: number } }));
      const [[first, second] = [], ...others] = read(line);
      expect(others).toEqual([]);
      expect(first).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
      expect(first?.replace(/^'/, '')).toBe(text);
      expect(Number(second)).toBe(number);
    }),
  );
});

test.each([
  ['=1+1', "'=1+1"],
  ['-1', "'-1"],
  ["'=1", "''=1"],
  ["'", "''"],
  ['+', "'+"],
  ['\t=1', '"\'\t=1"'],
  ['＝1', "'＝1"],
  ['a=1', 'a=1'],
  ['one, two', '"one, two"'],
  ['say "so"', '"say ""so"""'],
  ['two\nlines', '"two\nlines"'],
  ['', '""'],
])('text %j is written as %s', (text, written) => {
  expect(csvRow(columns, row({ a: cellOf(text) }))).toBe(`${written},\r\n`);
});

test('what is no text is written as it is: a number is no formula, however it begins', () => {
  const values = [-1, NaN, -Infinity, 5e-324, 1.7976931348623157e308, -0].map((value): Cell => ({
    kind: 'number',
    value,
  }));
  expect(values.map((value) => csvRow(columns, row({ b: value })).trim())).toEqual([
    ',-1',
    ',NaN',
    ',-Infinity',
    ',5e-324',
    ',1.7976931348623157e+308',
    ',-0',
  ]);
  expect(csvRow(columns, row({ a: cellOf(true), b: cellOf(['=x', 1]) }))).toBe('true,"[""=x"",1]"\r\n');
  expect(csvHeader([{ name: '=a,b', kind: 'text' }])).toBe('"\'=a,b"\r\n');
});

function row(cells: Readonly<Record<string, Cell>>): ReadonlyMap<string, Cell> {
  return new Map(Object.entries(cells));
}

/** Records of RFC 4180, as that has them and in no other way. */
function read(text: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) throw new Error(`No field at ${pattern.lastIndex} of ${JSON.stringify(text)}`);
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === ',') continue;
    records.push(fields);
    fields = [];
  }
  return records;
}
