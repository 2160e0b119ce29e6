import type { DenseArray } from '../arrays/dense-array.js';
import type { Apply } from './apply.js';
import { DISCONNECTED, type InputGradient, type OutputGradient } from './gradient-flow.js';
import type { TensorType } from './tensor-type.js';
import type { Variable } from './variable.js';

/** What an op's parameters are made of: they print, and two ops with equal names and parameters are the same op. */
export type OpParameter = string | number | boolean | null | readonly OpParameter[];

/** What distinguishes an op from others of the same name: axes, dtype. */
export type OpParameters = Readonly<Record<string, OpParameter>>;

/** The parameters of an op that has none. */
export type NoParameters = Readonly<Record<string, never>>;

/**
 * One operation on tensors: its types, its gradient as a graph, its values. How an engine runs it is a line in that engine's table
 * of lowerings.
 */
export interface Op<N extends string = string, P extends OpParameters = OpParameters> {
  readonly name: N;
  readonly parameters: P;
  /** The graph that the op applies, where it has one of its own: `scan`, `ifElse`. */
  readonly inner?: OpInner;
  /** The output types; throws TensorTypeError naming the op and the inputs that do not fit. */
  inferTypes(inputs: readonly Variable[]): readonly TensorType[];
  /** The gradient of the cost with respect to each input, given that with respect to each output, of which one flows at least. */
  grad(node: Apply, outputGradients: readonly OutputGradient[]): readonly InputGradient[];
  /** Computes the outputs, in float64; an op with an inner graph has it computed by `evaluate`, or by its ops' own `run`. */
  run(inputs: readonly DenseArray[], node: Apply, evaluate?: Evaluator): readonly DenseArray[];
}

/** A graph of its own: `outputs` depend on `inputs` and constants, and on nothing else. */
export interface InnerGraph {
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
}

/** The graph that an op such as `scan` applies, and how to have the op apply another. Its inputs are given by the op's last ones. */
export interface OpInner extends InnerGraph {
  /**
   * The op with `graph` in place of this one: as many outputs, and the same inputs with any number of new ones after them. For
   * each new one the op takes one more input, after all others, which the inner graph sees as it is.
   */
  opOf(graph: InnerGraph): Op;
  /** Which outputs of this graph are given to which of its inputs in the next step. Default: none are. */
  readonly feedback?: readonly { readonly output: number; readonly input: number }[];
}

/** Is told of each application that was computed, and of what its results take. */
export type OpObserver = (node: Apply, timeMs: number, outputBytes: number) => void;

/**
 * Computes the outputs of a graph from values for its inputs.
 *
 * @param observe Told of the applications of the graph, not of those inside of inner graphs. Default: nobody is.
 */
export type Evaluation = (values: readonly DenseArray[], observe?: OpObserver) => DenseArray[];

/** Prepares a graph to be computed, any number of times. */
export type Evaluator = (graph: InnerGraph) => Evaluation;

/** An op without its parameters, which each method is given last; see {@link Op}. */
export interface OpDefinition<N extends string, P extends OpParameters> {
  readonly name: N;
  inferTypes(inputs: readonly Variable[], parameters: P): readonly TensorType[];
  grad(node: Apply, outputGradients: readonly OutputGradient[], parameters: P): readonly InputGradient[];
  run(inputs: readonly DenseArray[], node: Apply, parameters: P): readonly DenseArray[];
}

/** Makes the op with the parameters given; its type carries the op's name and what its parameters are. */
export interface OpConstructor<N extends string, P extends OpParameters> {
  (...parameters: string extends keyof P ? [] : [parameters: P]): Op<N, P>;
  readonly opName: N;
}

/** Defines an op. The type of its parameters is that of the last argument of `inferTypes`. */
export function defineOp<const N extends string, P extends OpParameters = NoParameters>(
  definition: OpDefinition<N, P>,
): OpConstructor<N, P> {
  const opWith = (parameters: P): Op<N, P> =>
    madeBy(make, {
      name: definition.name,
      parameters,
      inferTypes: (inputs) => definition.inferTypes(inputs, parameters),
      grad: (node, outputGradients) => definition.grad(node, outputGradients, parameters),
      run: (inputs, node) => definition.run(inputs, node, parameters),
    });
  let plain: Op<N, P> | undefined;
  const make: OpMaker<N, P> = (...given) => {
    const [parameters] = given;
    if (parameters !== undefined) return opWith(parameters);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- none are given exactly where P has none
    return (plain ??= opWith({} as P));
  };
  return Object.assign(make, { opName: definition.name });
}

/** Says which constructor made an op: two of them may give their ops the same name. */
export function madeBy<O extends Op>(constructor: object, op: O): O {
  CONSTRUCTORS.set(op, constructor);
  return op;
}

/** What made an op; undefined of one that was made without a constructor. */
export function constructorOf(op: Op): object | undefined {
  return CONSTRUCTORS.get(op);
}

/** Beside the ops: what is made of one, with other functions, is not that op any more. */
const CONSTRUCTORS = new WeakMap<Op, object>();

type OpMaker<N extends string, P extends OpParameters> = (
  ...parameters: string extends keyof P ? [] : [parameters: P]
) => Op<N, P>;

/** `sum{axis=[0], keepdims=false}`: how an op prints. */
export function formatOp(op: Op): string {
  const entries = Object.entries(op.parameters);
  if (entries.length === 0) return op.name;
  return `${op.name}{${entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ')}}`;
}

/** The one output gradient of a single-output op; ops are only asked for gradients when there is one. */
export function onlyGradient(node: Apply, outputGradients: readonly OutputGradient[]): Variable {
  const [gradient] = outputGradients;
  if (gradient === undefined || gradient === DISCONNECTED) {
    throw new Error(`${node.op.name}: asked for its gradient without the gradient of its output`);
  }
  return gradient;
}
