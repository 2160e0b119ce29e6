import { unary } from './elementwise.js';

/** Logical not of a bool. */
export const not = unary('not', {
  accepts: 'bool',
  result: 'bool',
  compute: (x) => Number(x === 0),
});
