import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../arrays/at.js';
import { fromDense, toDense } from '../../arrays/dense-array.js';
import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import type { InnerGraph } from '../../graph/inner.js';
import type { OpParameters } from '../../graph/op.js';
import { formatShape, formatType, shapeFits } from '../../graph/tensor-type.js';
import { describe, type Variable } from '../../graph/variable.js';
import { graphInputs, toposort } from '../../graph/walk.js';
import type { FunctionGraph } from '../engine.js';
import type { TensorFlow } from './device.js';
import { fromDevice, heldAs, upload } from './device-dtype.js';
import { lowerings } from './lowerings/index.js';
import { loweringOf, type TfjsLowering } from './lowerings/lowering.js';

/** One application of a graph, in the order in which they run. */
export interface Step {
  readonly node: Apply;
  readonly lowering: TfjsLowering<OpParameters>;
  /** What nothing needs after it. */
  readonly dead: readonly Variable[];
}

/** The steps of a graph. @throws Error naming an op that TensorFlow.js does not run */
export function stepsOf(graph: FunctionGraph): Step[] {
  const order = toposort(graph.outputs, { blockers: graph.inputs });
  const lastUse = new Map<Variable, Apply>();
  for (const node of order) for (const variable of [...node.inputs, ...node.outputs]) lastUse.set(variable, node);
  for (const output of graph.outputs) lastUse.delete(output);
  const dead = new Map(order.map((node): [Apply, Variable[]] => [node, []]));
  for (const [variable, node] of lastUse) dead.get(node)?.push(variable);
  return order.map((node) => {
    const lowering = loweringOf(lowerings, node.op);
    if (lowering === 'host') throw new Error(`${graph.name}: TensorFlow.js has no ${node.op.name}; use another engine`);
    return { node, lowering, dead: dead.get(node) ?? [] };
  });
}

/**
 * Computes the outputs of one application, each a tensor of its own. Nothing else that was made on the way is left.
 *
 * @throws Error naming the function and the application
 */
export function runStep(tf: TensorFlow, name: string, step: Step, inputs: readonly Tensor[]): Tensor[] {
  const { node, lowering } = step;
  try {
    return tf.tidy(() => {
      const results = computed(tf, node, lowering, inputs);
      return results.map((result, position) =>
        inputs.includes(result) || results.indexOf(result) < position ? result.clone() : result,
      );
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: TensorFlow.js failed in ${node.op.name}(${node.inputs.join(', ')}): ${reason}`, {
      cause: error,
    });
  }
}

/** The outputs of one application, some of which may be its inputs. */
function computed(
  tf: TensorFlow,
  node: Apply,
  { lower }: TfjsLowering<OpParameters>,
  inputs: readonly Tensor[],
): Tensor[] {
  const { parameters } = node.op;
  const results = lower(tf, inputs, { node, parameters, inside: (graph) => insideOf(tf, graph) });
  return node.outputs.map((output, position) => {
    const result = at(results, position);
    if (result.dtype !== heldAs(output.dtype) || !shapeFits(result.shape, output.shape)) {
      throw new Error(`it gave ${result.dtype} ${formatShape(result.shape)} and not ${formatType(output.type)}`);
    }
    return result;
  });
}

/** An inner graph, op by op. What TensorFlow.js does not compute is computed by the op's own `run`: inside, nothing is partitioned. */
function insideOf(tf: TensorFlow, { inputs, outputs }: InnerGraph): (values: readonly Tensor[]) => Tensor[] {
  const order = toposort(outputs, { blockers: inputs });
  const constants = new Map<Variable, Tensor>();
  for (const variable of graphInputs(outputs, { blockers: inputs })) {
    if (variable instanceof Constant) constants.set(variable, upload(tf, variable.value));
  }
  return (values) => {
    const known = new Map(constants);
    for (const [position, input] of inputs.entries()) known.set(input, at(values, position));
    const valueOf = (variable: Variable): Tensor => {
      const value = known.get(variable);
      if (value === undefined) throw new Error(`${describe(variable)} has no value`);
      return value;
    };
    for (const node of order) {
      const lowering = loweringOf(lowerings, node.op);
      const given = node.inputs.map(valueOf);
      const dtypes = [...node.inputs, ...node.outputs].map(({ dtype }) => dtype);
      const results =
        lowering === 'host' || lowering.refuses(dtypes) !== undefined
          ? onHost(tf, node, given)
          : computed(tf, node, lowering, given);
      for (const [position, output] of node.outputs.entries()) {
        if (!known.has(output)) known.set(output, at(results, position));
      }
    }
    return outputs.map(valueOf);
  };
}

function onHost(tf: TensorFlow, node: Apply, inputs: readonly Tensor[]): Tensor[] {
  const values = node.inputs.map(({ dtype }, position) => {
    const tensor = at(inputs, position);
    return toDense(fromDevice(dtype, tensor.shape, tensor.dataSync()));
  });
  return node.op.run(values, node).map((result) => upload(tf, fromDense(result)));
}
