import { expect, test } from 'vitest';

import { styled, writable } from './seen-text.js';
import { table } from './table.js';

const head = ['ID', 'NAME', 'STATUS', 'STEP', 'SUBMITTED'];
const row = [
  `exp_${'0123456789abcdef'.repeat(2)}`,
  'a-name-that-somebody-has-thought-about-for-long',
  styled('red', 'failed (dataset_unavailable)'),
  '123456/1000000',
  '4 s ago',
];

test('no row is wider than the terminal, numbers stay whole, and what was cut shows that it was', () => {
  for (const width of [140, 100, 80, 72]) {
    const [, shown = ''] = table(head, [row], { right: ['STEP'], width }).split('\n');
    const plain = writable(shown, false);
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

test.each([
  ['学習データ変換実験', 18],
  ['naïve e\u0301te\u0301', 9],
  ['💾💾 models', 11],
  ['ab\x1B[2Jc', 10],
])('%j takes %i columns, and is cut only where there are fewer', (name, width) => {
  const columns = ['NAME', 'STATUS'];
  const rows = [
    [name, 'running'],
    ['x'.repeat(width), 'ready'],
  ];
  const seen = name.replace('\x1B', String.raw`\x1b`);
  const [, whole, other] = table(columns, rows).split('\n');
  expect(whole).toBe(`${seen}  running`);
  expect(other).toBe(`${'x'.repeat(width)}  ready`);
});

test('what is cut in a terminal is cut between characters, as they are seen', () => {
  const [, shown] = table(['NAME', 'STATUS'], [['学習データの変換実験の名前', 'running']], { width: 24 }).split('\n');
  expect(shown).toBe('学習データの変…  running');
});
