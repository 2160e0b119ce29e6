import { type LogRow, MAX_LOG_ROW_BYTES } from '@longrun/contracts';
import { expect, test } from 'vitest';
import { leftOutLine, limitRow } from './log-row-limit.js';

const megabytes = (count: number): string => 'x'.repeat(count * 1024 * 1024);
const sizeOf = (row: LogRow): number => Buffer.byteLength(JSON.stringify(row));

test('a row that is just not too large is passed on as it is', () => {
  const row = { cost: 0.5, list: [1, null], note: '' };
  const full = { ...row, note: 'x'.repeat(MAX_LOG_ROW_BYTES - sizeOf(row)) };
  expect(limitRow(full)).toEqual({ row: full, leftOut: [] });
  expect(limitRow({ ...full, note: `${full.note}x` }).leftOut).toEqual(['note']);
});

test('a text stands for what is too large, and the rest stays', () => {
  const row = { cost: 0.5, samples: megabytes(5), note: 'kept', error: 'NaN' };
  expect(limitRow(row)).toEqual({
    row: { ...row, samples: `[longrun] left out: ${5 * 1024 * 1024 + 2} bytes, at most 262144 per row` },
    leftOut: ['samples'],
  });
});

test.each<[string, LogRow, readonly string[]]>([
  ['a long list', { cost: 1, list: Array.from({ length: 200_000 }, (_, index) => index) }, ['list']],
  ['nested lists', { cost: 1, list: [[[megabytes(1)]]] }, ['list']],
  ['two that are too large together', { small: 's'.repeat(140_000), cost: 1, large: 'l'.repeat(150_000) }, ['large']],
  ['characters of several bytes', { text: 'ü'.repeat(150_000), cost: 1 }, ['text']],
])('what is left out is no more than it takes: %s', (_, row, leftOut) => {
  const limited = limitRow(row);
  expect(limited.leftOut).toEqual(leftOut);
  expect(limited.row).toMatchObject({ cost: 1 });
  expect(Object.keys(limited.row)).toEqual(Object.keys(row));
  expect(sizeOf(limited.row)).toBeLessThanOrEqual(MAX_LOG_ROW_BYTES);
});

test.each<[string, LogRow]>([
  ['many small records', Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`record ${index}`, index]))],
  ['a name that is too long', { [megabytes(1)]: 1 }],
])('of a row that is too large in itself one record is left: %s', (_, row) => {
  const limited = limitRow(row);
  expect(limited.row).toEqual({ longrun: `[longrun] left out: ${sizeOf(row)} bytes, at most 262144 per row` });
  expect(leftOutLine(limited.leftOut)).toContain('all records left out');
});

test('a row has the same form after it was limited again', () => {
  const { row } = limitRow({ samples: megabytes(1), cost: 1 });
  expect(limitRow(row)).toEqual({ row, leftOut: [] });
});

test('the line that says it is short', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `${index} ${megabytes(1)}`);
  expect(leftOutLine(['samples'])).toMatch(/at most 262144 bytes .*: samples left out\. Log numbers/);
  expect(leftOutLine(names)).toContain(' and 995 more left out');
  expect(leftOutLine(names).length).toBeLessThan(1000);
});
