import {
  Apply,
  closeOver,
  DISCONNECTED,
  Variable,
  type InnerGraph,
  type InputGradient,
  type Op,
} from '../src/index.js';
import { evaluator } from '../src/graph/evaluate.js';

/** The simplest op with an inner graph: it applies it once, on the reference engine only, and has no gradient. */
export function callOp(inner: InnerGraph): Op {
  return {
    name: 'call',
    parameters: {},
    inner: { ...inner, opOf: callOp },
    inferTypes: () => inner.outputs.map(({ type }) => type),
    grad: (node) => node.inputs.map((): InputGradient => DISCONNECTED),
    run: (inputs, _node, evaluate = evaluator()) => evaluate(inner)(inputs),
  };
}

/** Applies `body` to variables through a {@link callOp}; what else it uses is captured. */
export function call(inputs: readonly Variable[], body: (...inputs: Variable[]) => readonly Variable[]): Apply {
  const bound = inputs.map(({ type }) => new Variable(type));
  const { graph, captured } = closeOver({ inputs: bound, outputs: body(...bound) });
  return new Apply(callOp(graph), [...inputs, ...captured]);
}
