import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import type { OpParameters } from '../../graph/op.js';
import { formatShape, formatType, shapeFits } from '../../graph/tensor-type.js';
import type { Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { FunctionGraph } from '../engine.js';
import type { TensorFlow } from './device.js';
import { heldAs } from './device-dtype.js';
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
  const { op } = node;
  try {
    return tf.tidy(() => {
      const results = lowering.lower(tf, inputs, { node, parameters: op.parameters });
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
    throw new Error(`${name}: TensorFlow.js failed in ${op.name}(${node.inputs.join(', ')}): ${reason}`, {
      cause: error,
    });
  }
}
