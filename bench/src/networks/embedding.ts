import { Scale } from '@longrun/blocks';
import { mean, square, sub, take } from '@longrun/tensor';
import type { Network } from './network.js';

const [WORDS, DIM, ROWS] = [10_000, 256, 1_600];

/** Rows of a table, their gradient, and the update of the table. */
export const embedding: Network = {
  name: 'embedding',
  what: 'embedding 10,000 x 256, 1,600 rows, gradient and update, SGD',
  goal: 0.9,
  steps: 100,
  peers: ['default', 'sparse'],
  parameters: { table: { shape: [WORDS, DIM], scale: 1 } },
  inputs: { words: { shape: [ROWS], below: WORDS }, wanted: { shape: [ROWS, DIM] } },
  cost: (input, parameter) => mean(square(sub(take(parameter('table'), input('words'), { axis: 0 }), input('wanted')))),
  rule: () => new Scale({ learningRate: 100 }),
};
