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

/** Of the constants of a function that computes `outputs` from `inputs`. */
export function constantBytes(outputs: readonly Variable[], inputs: readonly Variable[]): number {
  let bytes = 0;
  for (const variable of ancestors(outputs, { blockers: inputs, inside: true })) {
    if (variable instanceof Constant) bytes += variable.value.data.byteLength;
  }
  return bytes;
}

/** Of the present values of shared variables. */
export function stateBytes(sharedVariables: Iterable<SharedVariable>): number {
  let bytes = 0;
  for (const { valueType } of new Set(sharedVariables)) {
    bytes += sizeOf(valueType.shape) * ndarray(valueType.dtype, [0]).data.BYTES_PER_ELEMENT;
  }
  return bytes;
}
