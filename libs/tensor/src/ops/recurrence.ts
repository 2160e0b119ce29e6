import { at } from '../arrays/at.js';
import { dense, wrapInteger } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import type { InputGradient } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { commonShape, formatShape, shapeFits, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { concatenate } from './concatenate.js';
import { zerosLike } from './fill.js';
import { mul } from './mul.js';
import { groupsOf } from './reduction.js';
import { slice } from './slice.js';

type RecurrenceParameters = { readonly axis: number; readonly reverse: boolean };

/** `output[i] = factors[i] * output[i - 1] + terms[i]` along an axis, with 0 before the first; from the last back where `reverse` is set. */
export function recurrence(factors: Variable, terms: Variable, parameters: RecurrenceParameters): Variable {
  return applyOp(recurrenceOp(parameters), [factors, terms]);
}

/** The op of {@link recurrence}. */
export const recurrenceOp = defineOp({
  name: 'recurrence',
  inferTypes(inputs, _parameters: RecurrenceParameters) {
    const [factors, terms] = [at(inputs, 0), at(inputs, 1)];
    const shape = commonShape(terms.shape, factors.shape);
    if (shape === undefined || factors.dtype !== terms.dtype) {
      throw new TensorTypeError(
        `recurrence: ${describe(factors)} and ${describe(terms)} must have one shape and dtype`,
      );
    }
    return [{ dtype: terms.dtype, shape }];
  },
  grad(node, outputGradients, { axis, reverse }): InputGradient[] {
    const factors = at(node.inputs, 0);
    // What a term adds is handed on by the factors after it, so that the gradient goes back as the values went.
    const forTerms = recurrence(shifted(factors, axis, !reverse), onlyGradient(node, outputGradients), {
      axis,
      reverse: !reverse,
    });
    return [mul(forTerms, shifted(node.output, axis, reverse)), forTerms];
  },
  run(inputs, node, { axis, reverse }) {
    const [factors, terms] = [at(inputs, 0), at(inputs, 1)];
    if (!shapeFits(factors.shape, terms.shape)) {
      throw new TensorTypeError(
        `recurrence: ${describe(at(node.inputs, 0))} of size ${formatShape(factors.shape)} and ${describe(at(node.inputs, 1))} of size ${formatShape(terms.shape)} must have one shape`,
      );
    }
    const { groups, elements } = groupsOf(terms.shape, [axis]);
    const data = new Float64Array(terms.data.length);
    const order = reverse ? elements.toReversed() : elements;
    for (const start of groups) {
      let value = 0;
      for (const offset of order) {
        value = at(factors.data, start + offset) * value + at(terms.data, start + offset);
        data[start + offset] = value;
      }
    }
    return [dense(terms.dtype, terms.shape, wrapInteger(terms.dtype, data))];
  },
});

/** x moved one place along an axis towards the end, or towards the start where `back` is set, with 0 in the place that is free. */
export function shifted(x: Variable, axis: number, back: boolean): Variable {
  // Made of a part of x, so that it is empty where x is.
  const free = zerosLike(slice(x, 0, 1, { axis }));
  const parts = back ? [slice(x, 1, null, { axis }), free] : [free, slice(x, 0, -1, { axis })];
  return concatenate(parts, axis);
}
