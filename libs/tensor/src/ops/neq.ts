import { binary } from './elementwise.js';

/** `a ≠ b` as bool, elementwise, broadcasting. True where either is NaN. */
export const neq = binary('neq', {
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a !== b),
});
