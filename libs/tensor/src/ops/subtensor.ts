import { checkArguments, checkOption } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { promote, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { broadcastTo } from './broadcast-to.js';
import { cast } from './cast.js';
import { dimension } from './dimension.js';
import type { Operand } from './elementwise.js';
import { putRows } from './scatter-add.js';
import { slice } from './slice.js';
import { boundsOf, firstOf, positionsFrom, type Bound } from './slice-positions.js';

/** A part of an array: `start:stop:step` of one axis, or what stands at a vector of integer indices of it. */
export type Subtensor =
  | {
      /** Default 0. */
      readonly axis?: number;
      /** Default: the end that the step leaves open. */
      readonly start?: Bound;
      /** Default: the end that the step leaves open. */
      readonly stop?: Bound;
      /** Default 1. */
      readonly step?: number;
      readonly indices?: undefined;
    }
  | {
      /** Default 0. */
      readonly axis?: number;
      /** Negative ones count from the end; one out of range is an error when the graph runs. */
      readonly indices: Variable;
    };

/**
 * Theano's `set_subtensor(x[...], value)`: x with `value`, broadcast, where the part was. Of indices that come twice it is not said whose
 * value stays.
 */
export function setSubtensor(x: Variable, value: Operand, part: Subtensor): Variable {
  checkArguments('setSubtensor', ['x', x, 'variable'], ['value', value, 'operand'], ['part', part, 'options']);
  return write('setSubtensor', x, value, part, 'set');
}

/** Theano's `inc_subtensor(x[...], value)`: x with `value`, broadcast, added to the part; to an index that comes twice, twice. */
export function incSubtensor(x: Variable, value: Operand, part: Subtensor): Variable {
  checkArguments('incSubtensor', ['x', x, 'variable'], ['value', value, 'operand'], ['part', part, 'options']);
  return write('incSubtensor', x, value, part, 'add');
}

function write(opName: string, x: Variable, value: Operand, part: Subtensor, mode: 'set' | 'add'): Variable {
  const axis = normalizeAxis(opName, x, part.axis ?? 0);
  if (typeof value !== 'number' && promote(x.dtype, value.dtype) !== x.dtype) {
    throw new TensorTypeError(`${opName}: ${describe(value)} cannot be held by ${describe(x)}; cast one of them`);
  }
  const positions = positionsOf(opName, x, part, axis);
  const sizes = x.shape.map((_, own) => dimension(own === axis ? positions : x, own === axis ? 0 : own));
  const typed = typeof value === 'number' ? constant(value, x.dtype) : cast(value, x.dtype);
  return putRows(opName, x, positions, broadcastTo(typed, sizes), { axis, mode });
}

function positionsOf(opName: string, x: Variable, part: Subtensor, axis: number): Variable {
  checkOption(opName, 'indices', part.indices, 'variable');
  if (part.indices !== undefined) {
    const beside = Object.entries(part).flatMap(([name, value]) =>
      value === undefined || name === 'axis' || name === 'indices' ? [] : [name],
    );
    if (beside.length > 0) {
      throw new TensorTypeError(
        `${opName}: a part of ${describe(x)} has both indices and ${beside.join(', ')}; give indices, or a range, not both`,
      );
    }
    if (part.indices.ndim === 1) return part.indices;
    throw new TensorTypeError(`${opName}: the indices ${describe(part.indices)} must be a vector; flatten them`);
  }
  const { start = null, stop = null, step = 1 } = part;
  checkOption(opName, 'start', start, 'bound');
  checkOption(opName, 'stop', stop, 'bound');
  checkOption(opName, 'step', step, 'integer');
  const [from] = boundsOf(x, start, stop, step);
  const count = dimension(slice(x, start, stop, { axis, step }), axis);
  return positionsFrom(firstOf(x, from, axis, step), count, step);
}
