import {
  Apply,
  closeOver,
  Constant,
  DISCONNECTED,
  toposort,
  Variable,
  type InnerGraph,
  type InputGradient,
  type Op,
} from '../src/index.js';
import { toDense, type DenseArray } from '../src/arrays/dense-array.js';
import { present } from './op-laws.js';

/** The simplest op with an inner graph: it applies it once, on the reference engine only, and has no gradient. */
export function callOp(inner: InnerGraph): Op {
  return {
    name: 'call',
    parameters: {},
    inner: { ...inner, opOf: callOp },
    inferTypes: () => inner.outputs.map(({ type }) => type),
    grad: (node) => node.inputs.map((): InputGradient => DISCONNECTED),
    run(inputs) {
      const values = new Map<Variable, DenseArray>(inner.inputs.map((input, at) => [input, present(inputs[at])]));
      const valueOf = (variable: Variable): DenseArray =>
        variable instanceof Constant ? toDense(variable.value) : present(values.get(variable));
      for (const node of toposort(inner.outputs)) {
        for (const [at, result] of node.op.run(node.inputs.map(valueOf), node).entries()) {
          values.set(present(node.outputs[at]), result);
        }
      }
      return inner.outputs.map(valueOf);
    },
  };
}

/** Applies `body` to variables through a {@link callOp}; what else it uses is captured. */
export function call(inputs: readonly Variable[], body: (...inputs: Variable[]) => readonly Variable[]): Apply {
  const bound = inputs.map(({ type }) => new Variable(type));
  const { graph, captured } = closeOver({ inputs: bound, outputs: body(...bound) });
  return new Apply(callOp(graph), [...inputs, ...captured]);
}
