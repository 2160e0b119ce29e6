import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.js';
import { SecretMasks } from './secret-masks.js';

test('secrets are masked wherever they stand, each line of one too, and the longest first', () => {
  const masks = new SecretMasks(['hf_abc', 'hf_abc_def', 'first line\r\nsecond line', 'x']);
  expect(masks.inText('token=hf_abc_def, again hf_abc; x stays')).toBe('token=***, again ***; x stays');
  expect(masks.inText('it printed second line')).toBe('it printed ***');
  expect(new SecretMasks([]).inText('all of it')).toBe('all of it');
});

test('secrets are masked as JSON and URLs have them', () => {
  const secret = 'a"b\\c/d e';
  const masks = new SecretMasks([secret]);
  expect(masks.inText(JSON.stringify({ secret }))).toBe('{"secret":"***"}');
  expect(masks.inText(`https://me:${encodeURIComponent(secret)}@example.org`)).toBe('https://me:***@example.org');
});

test('secrets are masked wherever what is said is cut, also where a line is too long', () => {
  const masks = new SecretMasks(['hf_abc', 'hf_abc_def', 'zwölf']);
  const said = 'hf_abc_def hf_abc\nhf_ab\nzwölf hf_abc_de';
  const bytes = Buffer.from(said);
  for (let at = 0; at <= bytes.length; at += 1)
    expect(linesOf(masks, [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(['*** ***', 'hf_ab', '*** ***_de']);
  for (let before = 8180; before < 8195; before += 1)
    expect(linesOf(masks, [Buffer.from(`${'-'.repeat(before)}hf_abc_def`)]).join('')).toBe(`${'-'.repeat(before)}***`);
});

test('a line that may be the beginning of a secret is delivered with its end', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    (text) => lines.push(text),
    () => new SecretMasks(['hf_abc\nhf_def']),
  );
  splitter.write('hf_ab\n');
  expect(lines).toEqual(['hf_ab']);
});

function linesOf(masks: SecretMasks, chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    (text) => lines.push(text),
    () => masks,
  );
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}
