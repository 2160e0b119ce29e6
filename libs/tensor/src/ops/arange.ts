import { DTYPES, type DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments, checkOption } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { floatX } from '../graph/float-x.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { defineOp } from '../graph/op.js';
import { isFloat, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';

/** Options of {@link arange}. */
export interface ArangeOptions {
  /** The distance from one to the next, negative to count down. Default 1. */
  readonly step?: number | Variable;
  /** Default: int64 where all bounds are integers, else {@link floatX}. */
  readonly dtype?: DType;
}

/**
 * NumPy's `arange`: the vector `start, start + step, ...` up to `stop`, which is not in it. Bounds are numbers or scalars; the size is
 * known where all are numbers. No gradient flows through it.
 */
export function arange(start: number | Variable, stop: number | Variable, options: ArangeOptions = {}): Variable {
  checkArguments('arange', ['start', start, 'operand'], ['stop', stop, 'operand'], ['options', options, 'options']);
  checkOption('arange', 'step', options.step, 'operand');
  const bounds = [start, stop, options.step ?? 1];
  const whole = bounds.every((bound) => (typeof bound === 'number' ? Number.isInteger(bound) : !isFloat(bound.dtype)));
  const dtype = oneOf('arange', 'dtype', options.dtype ?? (whole ? 'int64' : floatX()), DTYPES);
  if (!whole && !isFloat(dtype)) {
    throw new TensorTypeError(`arange: the bounds ${bounds.map(said).join(', ')} are not all integers, as ${dtype} is`);
  }
  const counted = whole || !isFloat(dtype) ? 'int64' : dtype;
  const inputs = bounds.map((bound) => (typeof bound === 'number' ? constant(bound, counted) : cast(bound, counted)));
  return cast(applyOp(arangeOp(), inputs), dtype);
}

/** The op of {@link arange}. */
export const arangeOp = defineOp({
  name: 'arange',
  inferTypes(inputs) {
    const [start, stop, step] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    if (inputs.some(({ ndim }) => ndim > 0) || (step instanceof Constant && step.toNumber() === 0)) {
      throw new TensorTypeError(
        `arange: the bounds ${inputs.map(said).join(', ')} must be scalars, the last, which is the step, not 0`,
      );
    }
    const known = start instanceof Constant && stop instanceof Constant && step instanceof Constant;
    const count = known ? countOf(start.toNumber(), stop.toNumber(), step.toNumber()) : null;
    return [{ dtype: start.dtype, shape: [count] }];
  },
  grad: () => [DISCONNECTED, DISCONNECTED, DISCONNECTED],
  run(inputs, node) {
    const [start, stop, step] = [at(at(inputs, 0).data, 0), at(at(inputs, 1).data, 0), at(at(inputs, 2).data, 0)];
    if (step === 0) throw new RangeError('arange: a step of 0 never ends');
    const count = countOf(start, stop, step);
    return [
      dense(
        node.output.dtype,
        [count],
        Float64Array.from({ length: count }, (_, k) => start + k * step),
      ),
    ];
  },
});

function countOf(start: number, stop: number, step: number): number {
  return Math.max(0, Math.ceil((stop - start) / step));
}

function said(bound: number | Variable): string {
  return typeof bound === 'number' ? String(bound) : describe(bound);
}
