import { binary } from './elementwise.js';

/** Logical or of two bools, broadcasting. */
export const or = binary('or', {
  accepts: 'bool',
  result: 'bool',
  compute: (a, b) => Number(a !== 0 || b !== 0),
});
