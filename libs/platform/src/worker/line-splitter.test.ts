import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.js';

async function linesOf(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const lines: string[] = [];
  const splitter = new LineSplitter((text) => lines.push(text));
  for (const chunk of chunks) splitter.write(chunk);
  await new Promise<void>((resolve) => splitter.end(resolve));
  return lines;
}

test('bytes become lines wherever they were cut', async () => {
  const bytes = Buffer.from('naïve\nzwölf\r\nlast');
  for (let at = 0; at <= bytes.length; at += 1)
    expect(await linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(['naïve', 'zwölf', 'last']);
});

test('a progress bar that returns the carriage makes a line of each of its states', async () => {
  expect(await linesOf('10 %\r50 %\r100 %\n')).toEqual(['10 %', '50 %', '100 %']);
});

test('empty lines are lines, and no output is none', async () => {
  expect(await linesOf('\n\na\n')).toEqual(['', '', 'a']);
  expect(await linesOf()).toEqual([]);
});

test('a line without end comes in pieces that cut no character in two', async () => {
  const text = `${'x'.repeat(8191)}😀${'y'.repeat(8192)}`;
  const lines = await linesOf(text);
  expect(lines.join('')).toBe(text);
  expect(lines[0]).toBe('x'.repeat(8191));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(8192);
});

test('pieces are measured in bytes', async () => {
  const text = '語'.repeat(8192);
  const lines = await linesOf(text.slice(0, 100), text.slice(100), '\n', 'é'.repeat(5000));
  expect(lines.join('')).toBe(text + 'é'.repeat(5000));
  expect(lines.map((line) => Buffer.byteLength(line))).toEqual([8190, 8190, 8190, 6, 8192, 1808]);
});

test('what is no UTF-8, and what a database cannot store, stands there as the bytes that it is', async () => {
  expect(await linesOf('a\0b \uFFFD\n', Buffer.from('na\u00EFve, caf\u00E9\n', 'latin1'))).toEqual([
    'a\\x00b \uFFFD',
    'na\\xEFve, caf\\xE9',
  ]);
  expect(await linesOf(Buffer.from('hé', 'utf16le'), '\n', Buffer.from('😀').subarray(0, 3))).toEqual([
    'h\\x00\\xE9\\x00',
    '\\xF0\\x9F\\x98',
  ]);
  const lines = await linesOf(Buffer.alloc(20_000, 0x80));
  expect(lines.join('')).toBe('\\x80'.repeat(20_000));
});
