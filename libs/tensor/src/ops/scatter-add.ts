import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, commonSize } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis, type AxisOptions } from './axis.js';
import { dimshuffle } from './dimshuffle.js';
import { fill } from './fill.js';
import { integerIndices } from './indices.js';
import { putAlongAxis, type PutOptions } from './put-along-axis.js';

/**
 * x with `updates[j]` added to `x[indices[j]]` along axis 0, and so along any other: indices that come twice are added twice. The
 * indices are a vector of integers, negative ones counting from the end; one out of range is an error when the graph runs. `axis`
 * is 0 by default.
 */
export function scatterAdd(x: Variable, indices: Variable, updates: Variable, options: AxisOptions = {}): Variable {
  checkArguments(
    'scatterAdd',
    ['x', x, 'variable'],
    ['indices', indices, 'variable'],
    ['updates', updates, 'variable'],
    ['options', options, 'options'],
  );
  const axis = normalizeAxis('scatterAdd', x, options.axis ?? 0);
  return putRows('scatterAdd', x, indices, updates, { axis, mode: 'add' });
}

/** x with rows, which are what lies at one index of an axis, put at a vector of indices. */
export function putRows(
  opName: string,
  x: Variable,
  indices: Variable,
  rows: Variable,
  options: Required<PutOptions>,
): Variable {
  const { axis } = options;
  const where = integerIndices(opName, x, indices);
  const [count, size] = [indices.shape[0] ?? null, rows.shape[axis] ?? null];
  if (where.ndim !== 1 || rows.ndim !== x.ndim || commonSize(count, size) === undefined) {
    throw new TensorTypeError(
      `${opName}: ${describe(rows)} cannot be put at ${describe(indices)} of axis ${axis} of ${describe(x)}; give a vector of indices and, along that axis, as many rows`,
    );
  }
  const order = rows.shape.map((_, own): number | 'x' => (own === axis ? 0 : 'x'));
  const column = dimshuffle(where, order);
  const places = rows.ndim === 1 ? where : fill(rows, column);
  return putAlongAxis(x, places, rows, options);
}
