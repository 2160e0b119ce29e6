import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { mul } from '../ops/mul.js';
import { sum } from '../ops/sum.js';
import { grad } from './grad.js';
import { rOp } from './r-op.js';

/** Options of {@link hessianTimesVector}. */
export interface HessianTimesVectorOptions {
  /** By `rOp` of the gradient, and not by the gradient of its product with the vector. The values are the same. Default false. */
  readonly rOp?: boolean;
}

/**
 * The Hessian of a cost with respect to `parameter`, times `vector`, which is an array of the shape of the parameter and is taken as
 * constant. The Hessian itself is never made.
 *
 * @param gradient of the cost with respect to `parameter`, as `grad` gives it.
 * @throws what `grad` throws: DisconnectedInput where the cost is linear in the parameter.
 */
export function hessianTimesVector(
  gradient: Variable,
  parameter: Variable,
  vector: Variable,
  options: HessianTimesVectorOptions = {},
): Variable {
  checkArguments(
    'hessianTimesVector',
    ['gradient', gradient, 'variable'],
    ['parameter', parameter, 'variable'],
    ['vector', vector, 'variable'],
    ['options', options, 'options'],
  );
  if (options.rOp === true) return rOp(gradient, [parameter], [vector]);
  return at(grad(sum(mul(gradient, vector)), [parameter], { considerConstant: [vector] }), 0);
}
