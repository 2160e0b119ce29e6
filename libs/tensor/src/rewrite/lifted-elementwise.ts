import { liftedIntoSequences } from './lifted-into-sequences.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/**
 * What a scan computes of each element of its sequences, computed of all rows at once before it. Engines may give other last bits to an element by its
 * place in an array, and fuse other things.
 */
export const liftedElementwise: Rewrite = {
  name: 'elementwise ops before a scan',
  pattern: oneOfOps('scan'),
  replacement: (match) =>
    liftedIntoSequences(match, ({ op, inputs, output }, ofRows) => {
      // What is only as large as what it is broadcast with would be stored for all steps.
      const isAsLarge = inputs.some((input) => ofRows(input) && input.shape.join() === output.shape.join());
      return ELEMENTWISE.has(op.name) && isAsLarge;
    }),
};

const ELEMENTWISE: ReadonlySet<string> = new Set([
  'abs',
  'add',
  'cast',
  'div',
  'exp',
  'identity',
  'log',
  'logistic',
  'maximum',
  'minimum',
  'mul',
  'neg',
  'pow',
  'softplus',
  'sqrt',
  'square',
  'stopGradient',
  'sub',
  'tanh',
]);
