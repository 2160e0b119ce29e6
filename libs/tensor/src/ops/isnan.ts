import { unary } from './elementwise.js';

/** True where x is NaN. */
export const isnan = unary('isnan', {
  accepts: 'float',
  result: 'bool',
  compute: (x) => Number(Number.isNaN(x)),
});
