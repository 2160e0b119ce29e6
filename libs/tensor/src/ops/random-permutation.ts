import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { argsort } from './argsort.js';
import { randomBits } from './random-bits.js';
import type { Draw } from './random-state.js';

/**
 * The integers 0..count-1 (int64) in random order, the same on every engine. `count` is a number or an integer scalar. No gradient flows
 * through it.
 *
 * Random integers of 53 bits are sorted; where two are equal, which has a probability below 2^-14 for a million, those two keep their order.
 */
export function randomPermutation(state: Variable, count: number | Variable): Draw {
  checkArguments('randomPermutation', ['state', state, 'variable'], ['count', count, 'size']);
  if (typeof count === 'number' && count < 0) {
    throw new TensorTypeError(`randomPermutation: there is none of ${count} numbers; give a count from 0 on`);
  }
  const { values: keys, state: next } = randomBits(state, [count], { width: 53 });
  return { values: argsort(keys), state: next };
}
