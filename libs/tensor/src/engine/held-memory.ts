import { ndarray, sizeOf } from '@longrun/serialization';

import { Constant } from '../graph/constant.js';
import type { SharedVariable } from '../graph/shared-variable.js';
import type { Variable } from '../graph/variable.js';
import { ancestors } from '../graph/walk.js';

/** What a function holds between its runs, in bytes. */
export interface HeldMemory {
  /** Constants of the graph, those inside of a `scan` included. */
  readonly constantBytes: number;
  /** The values that its shared variables had when it was compiled; functions that share them hold them together. */
  readonly stateBytes: number;
}

/** What a function that computes `outputs` from `inputs` holds. */
export function heldMemory(
  outputs: readonly Variable[],
  inputs: readonly Variable[],
  sharedVariables: Iterable<SharedVariable>,
): HeldMemory {
  let [constantBytes, stateBytes] = [0, 0];
  for (const variable of ancestors(outputs, { blockers: inputs, inside: true })) {
    if (variable instanceof Constant) constantBytes += variable.value.data.byteLength;
  }
  for (const { valueType } of new Set(sharedVariables)) {
    stateBytes += sizeOf(valueType.shape) * ndarray(valueType.dtype, [0]).data.BYTES_PER_ELEMENT;
  }
  return { constantBytes, stateBytes };
}
