import type { NdArray } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import type { OpObserver } from '../../graph/evaluate.js';
import type { OpParameters } from '../../graph/op.js';
import { formatShape, formatType, shapeFits } from '../../graph/tensor-type.js';
import { describe, type Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { FunctionGraph } from '../engine.js';
import type { TensorFlow } from './device.js';
import { heldAs, toDevice } from './device-dtype.js';
import { lowerings } from './lowerings/index.js';
import { loweringOf, type TfjsLowering } from './lowerings/lowering.js';

/** One application, in the order in which they run. */
interface Step {
  readonly node: Apply;
  readonly lowering: TfjsLowering<OpParameters>;
  /** The op's own graph, if it has one. */
  readonly inner: Program | undefined;
  /** What nothing needs after it. */
  readonly dead: readonly Variable[];
}

/** A graph that TensorFlow.js runs op by op, with its constants. */
export class Program {
  readonly #tf: TensorFlow;
  readonly #graph: FunctionGraph;
  readonly #steps: readonly Step[];
  readonly #constants = new Map<Variable, Tensor>();

  /** @throws Error naming an op that TensorFlow.js does not run; RangeError for a constant that it cannot hold */
  constructor(tf: TensorFlow, graph: FunctionGraph) {
    this.#tf = tf;
    this.#graph = graph;
    this.#steps = stepsOf(tf, graph);
    for (const variable of [...this.#steps.flatMap(tensorInputs), ...graph.outputs]) {
      if (!(variable instanceof Constant) || this.#constants.has(variable)) continue;
      this.#constants.set(variable, upload(tf, variable.value));
    }
  }

  /**
   * Computes the outputs, each a tensor of its own, from tensors for the graph's inputs, which it disposes of. What is computed on the
   * way is disposed of after its last use. It waits for nothing.
   *
   * @param observe Told of each application. Default: nobody is.
   */
  run(inputs: readonly Tensor[], observe?: OpObserver): Tensor[] {
    const held = new Map<Variable, Tensor>();
    const tensorOf = (variable: Variable): Tensor => {
      const tensor = held.get(variable) ?? this.#constants.get(variable);
      if (tensor === undefined) throw new Error(`${this.#graph.name}: ${describe(variable)} has no value`);
      return tensor;
    };
    try {
      for (const [position, variable] of this.#graph.inputs.entries()) held.set(variable, at(inputs, position));
      for (const step of this.#steps) {
        const before = performance.now();
        const results = this.#apply(step, tensorOf);
        observe?.(step.node, performance.now() - before, bytesOf(results));
        for (const [position, output] of step.node.outputs.entries()) held.set(output, at(results, position));
        for (const variable of step.dead) free(held, variable);
      }
      return this.#graph.outputs.map((output) => tensorOf(output).clone());
    } finally {
      for (const variable of held.keys()) free(held, variable);
    }
  }

  /** Keeps the constants beyond the scope in which it was made. */
  keep(): void {
    for (const { inner } of this.#steps) inner?.keep();
    for (const tensor of this.#constants.values()) this.#tf.keep(tensor);
  }

  /** Frees the constants. */
  dispose(): void {
    for (const { inner } of this.#steps) inner?.dispose();
    for (const tensor of this.#constants.values()) tensor.dispose();
    this.#constants.clear();
  }

  /** The outputs of one application, each a tensor of its own. Nothing else that was made on the way is left. */
  #apply(step: Step, tensorOf: (variable: Variable) => Tensor): Tensor[] {
    const { node, lowering, inner } = step;
    const { op } = node;
    const inputs = tensorInputs(step).map(tensorOf);
    try {
      return this.#tf.tidy(() => {
        const results = lowering.lower(this.#tf, inputs, {
          node,
          parameters: op.parameters,
          integers: integerInputs(step).map((variable) => integerOf(variable, tensorOf)),
          runInner(tensors) {
            if (inner === undefined) throw new Error(`${op.name} has no inner graph`);
            return inner.run(tensors.map((tensor) => tensor.clone()));
          },
        });
        return node.outputs.map((output, position) => {
          const result = at(results, position);
          if (result.dtype !== heldAs(output.dtype) || !shapeFits(result.shape, output.shape)) {
            throw new Error(`it gave ${result.dtype} ${formatShape(result.shape)} and not ${formatType(output.type)}`);
          }
          return inputs.includes(result) ? result.clone() : result;
        });
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${this.#graph.name}: TensorFlow.js failed in ${op.name}(${node.inputs.join(', ')}): ${reason}`, {
        cause: error,
      });
    }
  }
}

/** A tensor with a copy of the elements. @throws RangeError for an integer that int32 cannot hold */
export function upload(tf: TensorFlow, value: NdArray): Tensor {
  return tf.tensor(toDevice(value), [...value.shape], heldAs(value.dtype));
}

function stepsOf(tf: TensorFlow, { name, inputs, outputs }: FunctionGraph): Step[] {
  const order = toposort(outputs, { blockers: inputs });
  const lastUse = new Map<Variable, Apply>();
  for (const node of order) for (const variable of [...node.inputs, ...node.outputs]) lastUse.set(variable, node);
  for (const output of outputs) lastUse.delete(output);
  const dead = new Map(order.map((node): [Apply, Variable[]] => [node, []]));
  for (const [variable, node] of lastUse) dead.get(node)?.push(variable);
  return order.map((node) => {
    const { op } = node;
    const lowering = loweringOf(lowerings, op);
    if (lowering === undefined) throw new Error(`${name}: TensorFlow.js has no ${op.name}; use another engine`);
    const inner = op.inner === undefined ? undefined : new Program(tf, { name: `${name}, in ${op.name}`, ...op.inner });
    return { node, lowering, inner, dead: dead.get(node) ?? [] };
  });
}

function tensorInputs({ node, lowering }: Step): readonly Variable[] {
  return node.inputs.filter((_, position) => !lowering.readsInteger(position));
}

function integerInputs({ node, lowering }: Step): readonly Variable[] {
  return node.inputs.filter((_, position) => lowering.readsInteger(position));
}

/** What was computed on a device is waited for. */
function integerOf(variable: Variable, tensorOf: (variable: Variable) => Tensor): number {
  return variable instanceof Constant ? variable.toNumber() : at(tensorOf(variable).dataSync(), 0);
}

function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((bytes, { size, dtype }) => bytes + size * (dtype === 'bool' ? 1 : 4), 0);
}

function free(held: Map<Variable, Tensor>, variable: Variable): void {
  held.get(variable)?.dispose();
  held.delete(variable);
}
