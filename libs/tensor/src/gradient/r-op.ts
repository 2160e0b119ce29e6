import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { replace } from '../graph/replace.js';
import { commonShape, isFloat, TensorTypeError } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { add } from '../ops/add.js';
import { zerosLike } from '../ops/fill.js';
import { mul } from '../ops/mul.js';
import { refine } from '../ops/refine.js';
import { sum } from '../ops/sum.js';
import { grad, type GradOptions } from './grad.js';

/**
 * The derivative of `output` in the direction of `evalPoints`, which has an array of the type of each variable of `wrt`: the Jacobian
 * times that direction, of the type of `output`. Theano's `Rop`.
 *
 * @throws what {@link grad} throws, also where an op on the way has a gradient that has none in turn; TensorTypeError where a direction
 * does not fit its variable.
 */
export function rOp(
  output: Variable,
  wrt: readonly Variable[],
  evalPoints: readonly Variable[],
  options: Pick<GradOptions, 'considerConstant' | 'disconnectedInputs'> = {},
): Variable {
  checkArguments(
    'rOp',
    ['output', output, 'variable'],
    ['wrt', wrt, 'variables'],
    ['evalPoints', evalPoints, 'variables'],
    ['options', options, 'options'],
  );
  if (!isFloat(output.dtype)) {
    throw new TensorTypeError(`rOp: ${describe(output)} is not a float; only floats have derivatives`);
  }
  const directions = directionsIn(wrt, evalPoints);
  // A gradient is linear in the one that it starts from, so that its own gradient with respect to that one is the forward mode.
  const start = new Variable(output.type, { name: 'outputGradient' });
  const gradients = grad(null, wrt, { ...options, knownGrads: new Map([[output, start]]) });
  const along = gradients
    .map((gradient, position) => sum(mul(gradient, at(directions, position))))
    .reduce((total, part) => add(total, part));
  // Disconnected is only what was let pass above: the derivative is zero there.
  const derivatives = grad(along, [start], { disconnectedInputs: 'zero' });
  // What is linear in a variable has a derivative that depends on the shape of it alone.
  return at(replace(derivatives, new Map([[start, zerosLike(output)]])), 0);
}

function directionsIn(wrt: readonly Variable[], evalPoints: readonly Variable[]): Variable[] {
  if (evalPoints.length !== wrt.length || wrt.length === 0) {
    throw new TensorTypeError(
      `rOp: there are ${evalPoints.length} evalPoints for ${wrt.length} variables of wrt; give one for each of at least one`,
    );
  }
  return wrt.map((variable, position) => {
    const point = at(evalPoints, position);
    const fits = point.dtype === variable.dtype && commonShape(point.shape, variable.shape) !== undefined;
    if (fits) return refine(point, variable.type);
    throw new TensorTypeError(
      `rOp: ${describe(point)} is no direction of ${describe(variable)}; give one of its dtype and shape`,
    );
  });
}
