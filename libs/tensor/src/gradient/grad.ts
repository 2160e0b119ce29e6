import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { checkArguments, checkOption } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { DISCONNECTED, notDifferentiable, Undifferentiable, type InputGradient } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { madeFor, madeTogether } from '../graph/origin.js';
import { isAssignable, isFloat, isKnown, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { add } from '../ops/add.js';
import { dimension } from '../ops/dimension.js';
import { zerosLike } from '../ops/fill.js';
import { refine } from '../ops/refine.js';
import { reshape } from '../ops/reshape.js';

const DISCONNECTED_INPUTS = ['raise', 'warn', 'zero'] as const;

/** What {@link grad} does with a variable that the cost does not depend on. */
export type DisconnectedInputs = (typeof DISCONNECTED_INPUTS)[number];

/** Options of {@link grad}. */
export interface GradOptions {
  /** Gradients of variables between the cost and `wrt` that are known already; they replace what flows from the cost. */
  readonly knownGrads?: ReadonlyMap<Variable, Variable>;
  /** Variables through which no gradient flows. */
  readonly considerConstant?: Iterable<Variable>;
  /** What to do with a variable that the cost does not depend on: throw, give zeros with a warning of the process, or zeros. Default 'raise'. */
  readonly disconnectedInputs?: DisconnectedInputs;
}

/** The cost does not depend on a variable that its gradient was asked for, or only through integers and bools. */
export class DisconnectedInput extends Error {
  override readonly name = 'DisconnectedInput';
}

/** The cost depends on a variable that its gradient was asked for through an op that has no gradient. */
export class NotDifferentiable extends Error {
  override readonly name = 'NotDifferentiable';
}

/**
 * The gradient of a scalar cost with respect to each variable of `wrt`, as a graph, of the same type as that variable.
 *
 * @param cost a float scalar, or null when `options.knownGrads` says where the gradients start.
 * @throws DisconnectedInput naming the variable, unless `disconnectedInputs` says otherwise.
 * @throws NotDifferentiable naming variable, op and reason, where a path to the variable leads through an op without gradient.
 */
export function grad(cost: Variable | null, wrt: readonly Variable[], options: GradOptions = {}): Variable[] {
  checkArguments('grad', ['cost', cost, 'cost'], ['wrt', wrt, 'variables'], ['options', options, 'options']);
  checkOption('grad', 'knownGrads', options.knownGrads, 'map');
  checkOption('grad', 'considerConstant', options.considerConstant, 'iterable');
  const policy = oneOf('grad', 'disconnectedInputs', options.disconnectedInputs ?? 'raise', DISCONNECTED_INPUTS);
  return madeTogether(() => gradientsOf(cost, wrt, options, policy));
}

function gradientsOf(
  cost: Variable | null,
  wrt: readonly Variable[],
  options: GradOptions,
  policy: DisconnectedInputs,
): Variable[] {
  const flow = flowTo(cost, wrt, options);
  return wrt.map((variable) => {
    const gradient = flow.get(variable);
    if (gradient instanceof MissingGradient) {
      throw new NotDifferentiable(
        `grad: ${describe(variable)} has no gradient, for a path to it leads through ${gradient.op}: ${gradient.reason}; ` +
          'leave it out of wrt, or cut the path with considerConstant',
      );
    }
    return gradient === undefined ? disconnected(cost, variable, policy) : named(gradient, variable);
  });
}

/**
 * The same gradients for an op with an inner graph, which answers for its own inputs: what is disconnected or has no gradient is said
 * and is no error.
 */
export function gradientsInside(
  wrt: readonly Variable[],
  knownGrads: ReadonlyMap<Variable, Variable>,
): InputGradient[] {
  const flow = flowTo(null, wrt, { knownGrads });
  return wrt.map((variable) => {
    const gradient = flow.get(variable) ?? DISCONNECTED;
    return gradient instanceof MissingGradient ? notDifferentiable(`${gradient.op}: ${gradient.reason}`) : gradient;
  });
}

function flowTo(cost: Variable | null, wrt: readonly Variable[], options: GradOptions): ReadonlyMap<Variable, Flow> {
  const known = options.knownGrads ?? new Map<Variable, Variable>();
  const constants = new Set(options.considerConstant ?? []);
  checkOption('grad', 'considerConstant', [...constants], 'variables');
  const roots = [...(cost === null ? [] : [cost]), ...known.keys()];
  const order = toposort(roots, { blockers: constants });
  const relevant = dependants(order, new Set(wrt));
  const flow = startingGradients(cost, known);

  for (const node of order.toReversed()) {
    if (!relevant.has(node)) continue;
    madeFor(node.origin.part, () => {
      for (const [position, gradient] of inputGradients(node, flow).entries()) {
        const input = at(node.inputs, position);
        if (gradient === DISCONNECTED || constants.has(input) || known.has(input) || !isFloat(input.dtype)) continue;
        // An op may know less of a gradient's sizes than of its input's, as the gradient of `concatenate` does.
        const exact = gradient instanceof MissingGradient ? gradient : refine(gradient, input.type);
        flow.set(input, sumOf(flow.get(input), exact));
      }
    });
  }
  return flow;
}

/** The gradient with the names that the sizes of its variable have, where an op on the way did not keep them. */
function named(gradient: Variable, variable: Variable): Variable {
  const lost = variable.shape.map((dim, axis) => {
    const own = gradient.shape[axis];
    return typeof dim === 'string' && !isKnown(own) && own !== dim;
  });
  if (!lost.includes(true)) return gradient;
  return reshape(
    gradient,
    lost.map((isLost, axis) => dimension(isLost ? variable : gradient, axis)),
  );
}

/** What is known of a gradient on the way: the variable, or which op could not give it. */
type Flow = Variable | MissingGradient;

class MissingGradient {
  readonly op: string;
  readonly reason: string;

  constructor(op: string, reason: string) {
    this.op = op;
    this.reason = reason;
  }
}

/** The gradients with respect to the inputs of `node`. One that is missing makes those that depend on it missing too. */
function inputGradients(node: Apply, flow: ReadonlyMap<Variable, Flow>): readonly (Flow | typeof DISCONNECTED)[] {
  const outputs = node.outputs.map((output) => flow.get(output) ?? DISCONNECTED);
  if (outputs.every((gradient) => gradient === DISCONNECTED)) return [];
  const missing = outputs.find((gradient) => gradient instanceof MissingGradient);
  // Where one is missing, any other in its place tells which inputs it would have flowed to.
  const placeholders = outputs.map((gradient, position) =>
    gradient instanceof MissingGradient ? zerosLike(at(node.outputs, position)) : gradient,
  );
  const gradients: readonly InputGradient[] = node.op.grad(node, placeholders);
  if (gradients.length !== node.inputs.length) {
    throw new Error(`${node.op.name}: gave ${gradients.length} gradients for ${node.inputs.length} inputs`);
  }
  return gradients.map((gradient) => {
    if (gradient === DISCONNECTED) return DISCONNECTED;
    if (gradient instanceof Undifferentiable) return new MissingGradient(node.op.name, gradient.reason);
    return missing ?? gradient;
  });
}

function sumOf(a: Flow | undefined, b: Flow): Flow {
  if (a === undefined) return b;
  if (a instanceof MissingGradient) return a;
  return b instanceof MissingGradient ? b : add(a, b);
}

function disconnected(cost: Variable | null, variable: Variable, policy: DisconnectedInputs): Variable {
  if (policy === 'zero') return zerosLike(variable);
  const source = cost === null ? 'the known gradients do' : `the cost ${describe(cost)} does`;
  const fact = `grad: ${source} not depend on ${describe(variable)}${isFloat(variable.dtype) ? ', or only through integers and bools' : ', which is not a float'}`;
  if (policy === 'raise') {
    throw new DisconnectedInput(`${fact}; leave it out of wrt, or set disconnectedInputs to 'zero'`);
  }
  process.emitWarning(`${fact}; its gradient is taken to be zero`, 'DisconnectedInput');
  return zerosLike(variable);
}

function startingGradients(cost: Variable | null, known: ReadonlyMap<Variable, Variable>): Map<Variable, Flow> {
  const gradients = new Map<Variable, Flow>();
  if (cost !== null) {
    if (cost.ndim !== 0 || !isFloat(cost.dtype)) {
      throw new TensorTypeError(`grad: the cost ${describe(cost)} is not a float scalar; take its mean or sum first`);
    }
    gradients.set(cost, constant(1, cost.dtype));
  }
  for (const [variable, gradient] of known) {
    if (!isFloat(variable.dtype)) {
      throw new TensorTypeError(`grad: ${describe(variable)} of knownGrads is not a float; only floats have gradients`);
    }
    if (!isAssignable(gradient.type, variable.type)) {
      throw new TensorTypeError(
        `grad: the known gradient ${describe(gradient)} does not fit its variable ${describe(variable)}`,
      );
    }
    gradients.set(variable, gradient);
  }
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
