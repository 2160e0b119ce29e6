import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

/** What of Theano and of Blocks' expressions this room stands for: the rows of the inventory, by their ids. */
const ROWS: readonly string[] = [
  ...rows('1.T', 1, 94),
  ...rows('1.6', 4, 5),
  ...rows('1.18', 22, 23),
  ...rows('1.18', 25, 27),
  ...rows('1.18', 35, 36),
];

test('every row of the inventory is named by the test that shows it', () => {
  const room = fileURLToPath(new URL('..', import.meta.url));
  const tests = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(room, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(room, folder, file), 'utf8')),
  );
  const named = new Set(tests.flatMap((text) => text.match(/\b1\.(T|\d+)-\d\d\b/g) ?? []));
  expect(ROWS.filter((row) => !named.has(row))).toEqual([]);
  expect([...named].filter((row) => !ROWS.includes(row))).toEqual([]);
});

function rows(section: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `${section}-${String(from + at).padStart(2, '0')}`);
}
