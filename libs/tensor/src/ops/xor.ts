import { binary } from './elementwise.js';

/** Logical exclusive or of two bools, broadcasting. */
export const xor = binary('xor', {
  accepts: 'bool',
  result: 'bool',
  compute: (a, b) => Number((a !== 0) !== (b !== 0)),
});
