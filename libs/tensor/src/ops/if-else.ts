import { at } from '../arrays/at.js';
import { Apply, applicationsSoFar } from '../graph/apply.js';
import { checkArguments, variablesFrom } from '../graph/arguments.js';
import { Constant } from '../graph/constant.js';
import { evaluator } from '../graph/evaluate.js';
import { DISCONNECTED, Undifferentiable, type InputGradient, type OutputGradient } from '../graph/gradient-flow.js';
import { closeOver } from '../graph/inner.js';
import { innerTypes } from '../graph/inner-types.js';
import { madeBy, type InnerGraph, type NoParameters, type Op } from '../graph/op.js';
import { TensorTypeError, type TensorType } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { graphInputs } from '../graph/walk.js';
import { gradientsInside } from '../gradient/grad.js';
import { zerosLike } from './fill.js';
import { identity } from './identity.js';
import { refine } from './refine.js';

/** What a branch of {@link ifElse} gives: one variable or several. */
export type Branch = () => Variable | readonly Variable[];

/**
 * The results of one of two branches, as a bool scalar says; Theano's `ifelse`. Only that branch is computed: what its function makes is
 * inside of it, what was there before is computed in either case. `where` chooses by element, and computes both.
 *
 * @throws TensorTypeError where the branches do not give as many variables, of equal dtypes and numbers of axes.
 */
export function ifElse(condition: Variable, ifTrue: Branch, ifFalse: Branch): Variable[] {
  checkArguments(
    'ifElse',
    ['condition', condition, 'variable'],
    ['ifTrue', ifTrue, 'function'],
    ['ifFalse', ifFalse, 'function'],
  );
  if (condition.dtype !== 'bool' || condition.ndim !== 0) {
    throw new TensorTypeError(
      `ifElse: the condition ${describe(condition)} is not a bool scalar; compare it, as in gt(sum(x), 0)`,
    );
  }
  const before = applicationsSoFar();
  const first = variablesFrom('ifElse', 'the branch of true', ifTrue());
  const second = variablesFrom('ifElse', 'the branch of false', ifFalse());
  const fits =
    first.length === second.length &&
    first.every(({ dtype, ndim }, position) => dtype === second[position]?.dtype && ndim === second[position].ndim);
  if (!fits) {
    throw new TensorTypeError(
      `ifElse: the branches give ${first.map(describe).join(', ')} and ${second.map(describe).join(', ')}; both must give as many, of the same dtypes and axes`,
    );
  }
  const isOutside = (variable: Variable): boolean =>
    variable.owner === null ? !(variable instanceof Constant) : variable.owner.serial < before;
  const { graph, captured } = closeOver({ inputs: [], outputs: [...first, ...second] }, isOutside);
  return [...new Apply(ifElseOp(graph), [condition, ...captured]).outputs];
}

const makeIfElse = (inner: InnerGraph): Op<'ifElse', NoParameters> =>
  madeBy(makeIfElse, {
    name: 'ifElse',
    parameters: {},
    inner: { ...inner, opOf: makeIfElse },
    inferTypes: (inputs) => inferTypes(inner, inputs),
    grad: (node, outputGradients) => ifElseGradients(node, inner, outputGradients),
    run(inputs, node, evaluate = evaluator()) {
      const [condition, ...given] = inputs;
      const { ifTrue, ifFalse } = branchesOf(inner.outputs);
      const outputs = condition?.data[0] === 0 ? ifFalse : ifTrue;
      return evaluate({ inputs: inner.inputs, outputs })(given);
    },
  });

/**
 * The op of {@link ifElse}. Inputs: the condition, and what the branches use. The outputs of its inner graph are those of the first
 * branch, then those of the second.
 */
export const ifElseOp = Object.assign(makeIfElse, { opName: 'ifElse' as const });

/** The outputs of each branch. */
export function branchesOf<T>(outputs: readonly T[]): {
  readonly ifTrue: readonly T[];
  readonly ifFalse: readonly T[];
} {
  return { ifTrue: outputs.slice(0, outputs.length / 2), ifFalse: outputs.slice(outputs.length / 2) };
}

function inferTypes(inner: InnerGraph, inputs: readonly Variable[]): readonly TensorType[] {
  const [condition, ...given] = inputs;
  if (condition?.dtype !== 'bool' || condition.ndim !== 0 || given.length !== inner.inputs.length) {
    throw new TensorTypeError(
      `ifElse: takes a bool scalar and ${inner.inputs.length} variables but was given ${inputs.map(describe).join(', ')}`,
    );
  }
  const types = innerTypes(
    'ifElse',
    inner,
    given.map(({ type }) => type),
  );
  const { ifTrue, ifFalse } = branchesOf(types);
  return ifTrue.map(({ dtype, shape }, position) => ({
    dtype,
    shape: shape.map((dim, axis) => (dim === at(at(ifFalse, position).shape, axis) ? dim : null)),
  }));
}

/** The gradients of the branch that is taken: another choice, between the gradients of the branches. */
function ifElseGradients(
  node: Apply,
  inner: InnerGraph,
  outputGradients: readonly OutputGradient[],
): readonly InputGradient[] {
  const stands = outputGradients.map((gradient) =>
    gradient === DISCONNECTED ? undefined : new Variable(gradient.type, { name: 'gradient' }),
  );
  const flowThrough = (outputs: readonly Variable[]): readonly InputGradient[] => {
    const known = new Map<Variable, Variable>();
    for (const [position, output] of outputs.entries()) {
      const stand = stands[position];
      // Two outputs may be one variable, or one be computed from the other: each gets a variable of its own to start from.
      if (stand !== undefined) known.set(identity(output), refine(stand, output.type));
    }
    return gradientsInside(inner.inputs, known);
  };
  const { ifTrue, ifFalse } = branchesOf(inner.outputs);
  const [first, second] = [flowThrough(ifTrue), flowThrough(ifFalse)];
  const answers = inner.inputs.map((_, position): InputGradient => {
    const flows = [at(first, position), at(second, position)];
    const missing = flows.find((flow) => flow instanceof Undifferentiable);
    return missing ?? flows.find((flow) => flow instanceof Variable) ?? DISCONNECTED;
  });
  const flowing = answers.flatMap((answer, position) => (answer instanceof Variable ? [position] : []));
  if (flowing.length === 0) return [DISCONNECTED, ...answers];

  const ofBranch = (flows: readonly InputGradient[]): Variable[] =>
    flowing.map((position) => {
      const flow = at(flows, position);
      return flow instanceof Variable ? flow : zerosLike(at(inner.inputs, position));
    });
  const outputs = [...ofBranch(first), ...ofBranch(second)];
  const used = new Set(graphInputs(outputs));
  const pairs = [
    ...inner.inputs.map((input, position) => ({ inside: input, outside: at(node.inputs, position + 1) })),
    ...outputGradients.flatMap((gradient, position) => {
      const inside = stands[position];
      return gradient === DISCONNECTED || inside === undefined ? [] : [{ inside, outside: gradient }];
    }),
  ].filter(({ inside }) => used.has(inside));
  const choice = new Apply(makeIfElse({ inputs: pairs.map(({ inside }) => inside), outputs }), [
    at(node.inputs, 0),
    ...pairs.map(({ outside }) => outside),
  ]);
  return [
    DISCONNECTED,
    ...answers.map((answer, position) => {
      const index = flowing.indexOf(position);
      return index < 0 ? answer : choice.outputAt(index);
    }),
  ];
}
