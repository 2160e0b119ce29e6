import { unary } from './elementwise.js';

/** True where x is Infinity or -Infinity. */
export const isinf = unary('isinf', {
  accepts: 'float',
  result: 'bool',
  compute: (x) => Number(Math.abs(x) === Infinity),
});
