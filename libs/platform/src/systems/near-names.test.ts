import { expect, test } from 'vitest';

import { giveOneOf, nearNames } from './near-names.js';

test('the likest names come first', () => {
  expect(nearNames('fashon-mnist', ['mnist', 'cifar10', 'fashion-mnist'])).toEqual([
    'fashion-mnist',
    'mnist',
    'cifar10',
  ]);
  expect(nearNames('MNIST', ['kmnist', 'mnist'])[0]).toBe('mnist');
});

test('the remedy says how many more there are, and what to do when there are none', () => {
  const names = Array.from({ length: 8 }, (_, index) => `set-${index}`);
  expect(giveOneOf('set-3', names, 'none')).toMatch(/^give one of set-3, .*, and 3 more$/);
  expect(giveOneOf('x', [], 'submit one')).toBe('submit one');
});
