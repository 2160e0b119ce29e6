import { constant } from '../graph/constant.js';
import { isAssignable, isFloat, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import type { Apply } from '../graph/apply.js';
import { add } from '../ops/add.js';
import { zerosLike } from '../ops/fill.js';

/** Options of {@link grad}. */
export interface GradOptions {
  /** Gradients that are known already, of variables between the cost and `wrt`; they are added to what flows from the cost. */
  readonly knownGrads?: ReadonlyMap<Variable, Variable>;
  /** Variables through which no gradient flows. */
  readonly considerConstant?: Iterable<Variable>;
  /** What to do with a variable that the cost does not depend on. Default 'raise'. */
  readonly disconnectedInputs?: 'raise' | 'zero';
}

/** The cost does not depend on a variable that its gradient was asked for, or only through integers and bools. */
export class DisconnectedInput extends Error {
  override readonly name = 'DisconnectedInput';
}

/**
 * The gradient of a scalar cost with respect to each variable of `wrt`, as a graph, of the same type as that variable.
 *
 * @param cost a float scalar, or null when `options.knownGrads` says where the gradients start.
 * @throws DisconnectedInput naming the variable, unless `disconnectedInputs` is 'zero'.
 */
export function grad(cost: Variable | null, wrt: readonly Variable[], options: GradOptions = {}): Variable[] {
  const known = options.knownGrads ?? new Map<Variable, Variable>();
  const gradients = startingGradients(cost, known);
  const constants = new Set(options.considerConstant ?? []);
  const roots = [...(cost === null ? [] : [cost]), ...known.keys()];
  const wanted = new Set(wrt);
  const order = toposort(roots, { blockers: constants });
  const relevant = dependants(order, wanted);

  for (const node of order.toReversed()) {
    const outputGradients = node.outputs.map((output) => gradients.get(output) ?? null);
    if (!relevant.has(node) || outputGradients.every((gradient) => gradient === null)) continue;
    for (const [at, gradient] of node.op.grad(node, outputGradients).entries()) {
      const input = node.inputs[at];
      if (gradient === null || input === undefined || constants.has(input) || !isFloat(input.dtype)) continue;
      const sofar = gradients.get(input);
      gradients.set(input, sofar === undefined ? gradient : add(sofar, gradient));
    }
  }

  return wrt.map((variable) => {
    const gradient = gradients.get(variable);
    if (gradient !== undefined) return gradient;
    if (options.disconnectedInputs === 'zero') return zerosLike(variable);
    const source = cost === null ? 'the known gradients do' : `the cost ${describe(cost)} does`;
    throw new DisconnectedInput(
      `grad: ${source} not depend on ${describe(variable)}${isFloat(variable.dtype) ? ', or only through integers and bools' : ', which is not a float'}; ` +
        "leave it out of wrt, or set disconnectedInputs to 'zero'",
    );
  });
}

function startingGradients(cost: Variable | null, known: ReadonlyMap<Variable, Variable>): Map<Variable, Variable> {
  const gradients = new Map<Variable, Variable>();
  for (const [variable, gradient] of known) {
    if (!isAssignable(gradient.type, variable.type)) {
      throw new TensorTypeError(
        `grad: the known gradient ${describe(gradient)} does not fit its variable ${describe(variable)}`,
      );
    }
    gradients.set(variable, gradient);
  }
  if (cost === null) return gradients;
  if (cost.ndim !== 0 || !isFloat(cost.dtype)) {
    throw new TensorTypeError(`grad: the cost ${describe(cost)} is not a float scalar; take its mean or sum first`);
  }
  const sofar = gradients.get(cost);
  const one = constant(1, cost.dtype);
  gradients.set(cost, sofar === undefined ? one : add(sofar, one));
  return gradients;
}

/** The applications on a path from `wanted`: asking others for gradients would be work for nothing. */
function dependants(order: readonly Apply[], wanted: ReadonlySet<Variable>): Set<Apply> {
  const reached = new Set<Variable>(wanted);
  const relevant = new Set<Apply>();
  for (const node of order) {
    if (!node.inputs.some((input) => reached.has(input))) continue;
    relevant.add(node);
    for (const output of node.outputs) reached.add(output);
  }
  return relevant;
}
