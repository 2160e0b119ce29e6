import { binary } from './elementwise.js';

/** Logical and of two bools, broadcasting. */
export const and = binary('and', {
  accepts: 'bool',
  result: 'bool',
  compute: (a, b) => Number(a !== 0 && b !== 0),
});
