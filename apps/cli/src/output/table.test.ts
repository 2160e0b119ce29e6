import { expect, test } from 'vitest';

import { table } from './table.js';

const head = ['ID', 'NAME', 'STATUS', 'STEP', 'SUBMITTED'];
const row = [
  `exp_${'0123456789abcdef'.repeat(2)}`,
  'a-name-that-somebody-has-thought-about-for-long',
  '\x1B[31mfailed (dataset_unavailable)\x1B[39m',
  '123456/1000000',
  '4 s ago',
];

test('no row is wider than the terminal, numbers stay whole, and what was cut shows that it was', () => {
  for (const width of [140, 100, 80, 72]) {
    const [, shown = ''] = table(head, [row], { right: ['STEP'], width }).split('\n');
    // eslint-disable-next-line no-control-regex -- control sequences are what is taken away
    const plain = shown.replaceAll(/\x1B\[\d+m/g, '');
    expect(plain.length, `at ${width} columns`).toBeLessThanOrEqual(width);
    expect(plain).toMatch(/^exp_012345678[^]*…[^]* 123456\/1000000 +/);
  }
});

test('where no terminal limits it nothing is cut, and columns are as wide as they must be', () => {
  expect(table(head, [row]).split('\n')).toEqual([
    'ID                                    NAME                                             STATUS                        STEP            SUBMITTED',
    row.join('  '),
  ]);
});

test('a terminal that is too narrow for all columns gets all of them, at their least', () => {
  const [, shown = ''] = table(head, [row], { right: ['STEP'], width: 20 }).split('\n');
  expect(shown).toMatch(/^exp_012345678… +a-name-that-s… +.*failed \(data.*…/);
});
