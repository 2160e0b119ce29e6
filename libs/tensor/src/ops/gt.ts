import { binary } from './elementwise.js';

/** `a > b` as bool, elementwise, broadcasting. False where either is NaN. */
export const gt = binary('gt', {
  accepts: 'any',
  result: 'bool',
  compute: (a, b) => Number(a > b),
});
