import { expect, test } from 'vitest';

import { constant, isGraphInput, neg, scalar, shared } from '../index.js';

test('1.18-25: an input of the graph is what has to be given', () => {
  const x = scalar('x');
  expect([x, neg(x), constant(1), shared(1)].map(isGraphInput)).toEqual([true, false, false, false]);
});
