import { expect, test } from 'vitest';
import { likestFirst, nearestWord } from './nearest-word.js';

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

test('the likest names come first', () => {
  expect(likestFirst('fashon-mnist', ['mnist', 'cifar10', 'fashion-mnist'], 5)).toEqual([
    'fashion-mnist',
    'mnist',
    'cifar10',
  ]);
  expect(likestFirst('MNIST', ['kmnist', 'mnist'], 1)).toEqual(['mnist']);
});
