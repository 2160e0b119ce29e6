import { expect, test } from 'vitest';
import { nearestWord } from './nearest-word.js';

const keys = ['name', 'program', 'params', 'dataset', 'seed', 'checkpoint', 'everyBatches', 'maxPreemptions'];

test.each([
  ['progam', 'program'],
  ['prorgam', 'program'],
  ['data_set', 'dataset'],
  ['every_batches', 'everyBatches'],
  ['Seed', 'seed'],
  ['sed', 'seed'],
  ['parms', 'params'],
])('%s was meant to be %s', (word, meant) => {
  expect(nearestWord(word, keys)).toBe(meant);
});

test.each(['', 'x', 'colour', 'learningRate', '💥'.repeat(10_000)])('%s is near nothing', (word) => {
  expect(nearestWord(word, keys)).toBeUndefined();
});
