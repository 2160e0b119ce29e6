import { describe, expect, test } from 'vitest';
import { excessOf, jsonLimits } from './json-limits.js';

const { levels, values, 'characters in a key': characters } = jsonLimits;

describe('a JSON text within the limits', () => {
  test.each<[string, string]>([
    ['that is empty', ''],
    ['that nests as deep as it may', '['.repeat(levels) + ']'.repeat(levels)],
    ['with as many values as it may have', JSON.stringify(Array.from({ length: values - 2 }, () => 1))],
    ['with as long a key as it may have', JSON.stringify({ ['k'.repeat(characters)]: 1 })],
    ['with a long text and commas, brackets and colons in it', JSON.stringify({ a: '[,{":\\'.repeat(values) })],
    ['that is broken inside a string', `{"a": "${String.raw`\"`.repeat(values)}`],
  ])('%s has nothing too much', (_what, text) => {
    expect(excessOf(text)).toBeUndefined();
  });
});

describe('a JSON text beyond the limits', () => {
  test.each<[string, string, string, number]>([
    ['deep', `\n${'['.repeat(levels + 1)}`, 'levels', 2],
    ['deep, of objects', '{"a":'.repeat(levels + 1), 'levels', 1],
    ['with many entries', JSON.stringify(Array.from({ length: values }, () => 1)), 'values', 1],
    ['with many containers', JSON.stringify(Array.from({ length: values / 2 }, () => [])), 'values', 1],
    ['with many keys, on lines of their own', `{\n${'"k": 1,\n'.repeat(values)}`, 'values', values],
    ['deep after a string that is not closed', `["\n${'['.repeat(levels)}`, 'levels', 2],
    ['with a long key', JSON.stringify({ a: { ['k'.repeat(characters + 1)]: 1 } }), 'characters in a key', 1],
    ['with a long key before blanks', `{"${'k'.repeat(characters + 1)}" \n: 1}`, 'characters in a key', 1],
  ])('%s is said to be so', (_what, text, measure, line) => {
    expect(excessOf(text)).toMatchObject({ measure, line });
  });

  test('is left at the place where it becomes too much', () => {
    const text = `[${'1,'.repeat(100_000)}`;
    let reads = 0;
    const counted = {
      length: text.length,
      charAt: (offset: number) => {
        reads += 1;
        return text.charAt(offset);
      },
      slice: (from: number, to: number) => text.slice(from, to),
    };
    expect(excessOf(counted)).toMatchObject({ measure: 'values' });
    expect(reads).toBeLessThan(3 * values);
  });
});
