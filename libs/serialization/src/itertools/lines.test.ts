import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { StateMismatch } from '../state.js';
import { assertResumable } from './assert-resumable.js';
import { lines } from './lines.js';

const folder = mkdtempSync(join(tmpdir(), 'lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('3-17 lines of any length, across the pieces in which a file is read', async () => {
  const all = [1, 65_535, 65_536, 10, 200_000, 3].map((length) => `${'é'.repeat(length - 1)}\n`);
  const path = file('long', all.join(''));

  expect([...lines(path)]).toEqual(all);
  const reader = lines(path);
  for (let step = 0; step < 4; step += 1) reader.next();
  const resumed = lines(path);
  resumed.restore(JSON.parse(JSON.stringify(reader.state())));
  expect([...resumed]).toEqual(all.slice(4));
  await assertResumable(() => lines(path));
});

test('3-17 the end is the end, though the file may grow afterwards', () => {
  const path = file('growing', 'a\nb\n');
  const reader = lines(path);
  expect([...reader]).toEqual(['a\n', 'b\n']);
  appendFileSync(path, 'c');
  const resumed = lines(path);
  resumed.restore(reader.state());
  expect([...reader, ...resumed]).toEqual([]);
});

test('3-17 a state of another file is refused, and changes nothing', () => {
  const reader = lines(file('one', 'first line\nsecond\n'));
  reader.next();
  const other = lines(file('other', 'a\nlonger line\n'));
  other.next();
  const short = lines(file('short', 'a\n'));

  for (const wrong of [other, short]) {
    const before = wrong.state();
    expect(() => wrong.restore(reader.state())).toThrow(StateMismatch);
    expect(() => wrong.restore(reader.state())).toThrow(/the saved state is at byte 11, where no line of .* begins/);
    expect(wrong.state()).toEqual(before);
  }
});

test('3-17 what is not UTF-8 is said with its place', () => {
  const reader = lines(file('latin1', Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a)));
  reader.next();
  expect(() => reader.next()).toThrow(/the line at byte 2 of .*latin1 is not UTF-8/);
});
