import { ndarray, RandomKey, type NdArray } from '@longrun/serialization';

import { typedArray } from '../arrays/typed-array.js';
import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, commonShape } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';

/**
 * The state from which random ops draw, before the first draw: an int64 vector of the two words of the key of seed and stage, the lower
 * first, and the number of draws so far.
 *
 * @param seed an integer in 0..2^53-1
 * @param stage what draws: any text, such as the name of a brick
 * @throws RangeError for another seed
 */
export function randomState(seed: number, stage: string): NdArray<'int64'> {
  checkArguments('randomState', ['seed', seed, 'integer'], ['stage', stage, 'text']);
  const { words } = new RandomKey(seed, stage);
  return ndarray('int64', [3], typedArray('int64', [...words, 0]));
}

/** What a random op gives. */
export interface Draw {
  /** The random numbers. */
  readonly values: Variable;
  /** The state to draw from next. Drawing twice from one state gives the same numbers twice. */
  readonly state: Variable;
}

/** @throws TensorTypeError unless the variable has the type of a random state */
export function checkRandomState(opName: string, state: Variable): void {
  if (state.dtype === 'int64' && commonShape(state.shape, [3]) !== undefined) return;
  throw new TensorTypeError(
    `${opName}: ${describe(state)} is no state to draw from, which is int64 (3,); make one with shared(randomState(seed, stage))`,
  );
}
