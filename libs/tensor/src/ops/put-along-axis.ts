import { at } from '../arrays/at.js';
import { dense, wrapInteger } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { commonShape, formatShape, promote, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { zerosLike } from './fill.js';
import { checkAlongAxis, integerIndices, placesAlongAxis } from './indices.js';
import { takeAlongAxis } from './take-along-axis.js';

const PUT_MODES = ['set', 'add'] as const;

/** What {@link putAlongAxis} does with what was there. */
export type PutMode = (typeof PUT_MODES)[number];

/** Options of {@link putAlongAxis}. */
export interface PutOptions {
  /** Negative ones count from the end. Default: the last. */
  readonly axis?: number;
  /**
   * 'set', the default: the values stand where x had others; of several put in one place it is not said which one stays. 'add':
   * they are added to it, all of them.
   */
  readonly mode?: PutMode;
}

/**
 * NumPy's `put_along_axis`, as a new array: x with `values[i, j]` at `[i, indices[i, j]]` along the last axis, and so along any
 * other. Values and indices have one shape, with the axes of x, equal in size but for the one; negative indices count from
 * the end, and one out of range is an error when the graph runs.
 */
export function putAlongAxis(x: Variable, indices: Variable, values: Variable, options: PutOptions = {}): Variable {
  checkArguments(
    'putAlongAxis',
    ['x', x, 'variable'],
    ['indices', indices, 'variable'],
    ['values', values, 'variable'],
    ['options', options, 'options'],
  );
  const axis = normalizeAxis('putAlongAxis', x, options.axis ?? -1);
  const dtype = promote(x.dtype, values.dtype);
  const where = integerIndices('putAlongAxis', x, indices);
  const op = putAlongAxisOp({ axis, mode: oneOf('putAlongAxis', 'mode', options.mode ?? 'set', PUT_MODES) });
  return applyOp(op, [cast(x, dtype), where, cast(values, dtype)]);
}

/** The op of {@link putAlongAxis}. */
export const putAlongAxisOp = defineOp({
  name: 'putAlongAxis',
  inferTypes(inputs, { axis, mode }: { readonly axis: number; readonly mode: PutMode }) {
    const [x, indices, values] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    const shape = checkAlongAxis('putAlongAxis', x, indices, axis);
    if (mode === 'add' && x.dtype === 'bool') {
      throw new TensorTypeError(`putAlongAxis: bools cannot be added to ${describe(x)}; cast to a number first`);
    }
    if (commonShape(values.shape, shape) === undefined) {
      throw new TensorTypeError(
        `putAlongAxis: the values ${describe(values)} have not the shape of their indices ${describe(indices)}; they must`,
      );
    }
    return [x.type];
  },
  grad(node, outputGradients, { axis, mode }) {
    const [indices, values] = [at(node.inputs, 1), at(node.inputs, 2)];
    const gradient = onlyGradient(node, outputGradients);
    const forX = mode === 'add' ? gradient : putAlongAxis(gradient, indices, zerosLike(values), { axis });
    return [forX, DISCONNECTED, takeAlongAxis(gradient, indices, { axis })];
  },
  run(inputs, node, { axis, mode }) {
    const [x, indices, values] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    if (!shapeFits(values.shape, indices.shape)) {
      throw new TensorTypeError(
        `putAlongAxis: values of size ${formatShape(values.shape)} do not fit ${describe(at(node.inputs, 1))} of size ${formatShape(indices.shape)}`,
      );
    }
    const data = x.data.slice();
    for (const [position, place] of placesAlongAxis(node, x.shape, indices, axis).entries()) {
      const value = at(values.data, position);
      data[place] = mode === 'add' ? at(data, place) + value : value;
    }
    return [dense(x.dtype, x.shape, wrapInteger(x.dtype, data))];
  },
});
