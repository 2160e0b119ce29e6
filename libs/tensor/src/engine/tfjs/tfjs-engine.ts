import type { NdArray } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../arrays/at.js';
import { Constant } from '../../graph/constant.js';
import { describe, type Variable } from '../../graph/variable.js';
import type { ComputeTarget } from '../compute-target.js';
import type { Executable, FunctionGraph } from '../engine.js';
import { recordInto, type KernelCall, type OpObserver } from '../profile.js';
import { elementsOf, type StoredValue } from '../stored-value.js';
import { openDevice, type TensorFlow } from './device.js';
import { heldAs, toDevice } from './device-dtype.js';
import { runStep, stepsOf } from './step.js';
import { TfjsValue } from './tfjs-value.js';

/**
 * Runs a graph op by op on TensorFlow.js. Results stay where they were computed; what is computed on the way is freed after its
 * last use.
 */
export async function compileTfjs(graph: FunctionGraph, target: ComputeTarget): Promise<Executable> {
  const { tf, activate } = openDevice(target);
  const steps = stepsOf(graph);
  await activate();
  const constants = new Map<Variable, Tensor>();
  for (const variable of [...steps.flatMap(({ node }) => node.inputs), ...graph.outputs]) {
    if (!(variable instanceof Constant) || constants.has(variable)) continue;
    constants.set(variable, upload(tf, variable.value));
  }

  const run = async (inputs: readonly (NdArray | StoredValue)[], observe?: OpObserver): Promise<TfjsValue[]> => {
    const fed = await Promise.all(inputs.map((input) => readable(tf, input)));
    // From here on nothing is awaited: another function may want another backend.
    await activate();
    const held = new Map<Variable, Tensor>();
    const tensorOf = (variable: Variable): Tensor => {
      const tensor = held.get(variable) ?? constants.get(variable);
      if (tensor === undefined) throw new Error(`${graph.name}: ${describe(variable)} has no value`);
      return tensor;
    };
    try {
      for (const [position, variable] of graph.inputs.entries()) held.set(variable, feed(tf, at(fed, position)));
      for (const step of steps) {
        const before = performance.now();
        const results = runStep(tf, graph.name, step, step.node.inputs.map(tensorOf));
        observe?.(step.node, performance.now() - before, bytesOf(results));
        for (const [position, output] of step.node.outputs.entries()) held.set(output, at(results, position));
        for (const variable of step.dead) free(held, variable);
      }
      return graph.outputs.map((output) => new TfjsValue(tf, output.dtype, tensorOf(output).clone()));
    } finally {
      for (const variable of held.keys()) free(held, variable);
    }
  };

  return {
    run: (inputs) => run(inputs),
    async profile(inputs, runs) {
      const calls: KernelCall[] = [];
      for (let count = 0; count <= runs; count += 1) {
        const results = await run(inputs, count === 0 ? undefined : recordInto(calls, 'engine'));
        for (const result of results) result.release();
      }
      return calls;
    },
    async dispose() {
      for (const tensor of constants.values()) tensor.dispose();
      constants.clear();
    },
  };
}

/** What can be fed without waiting: a value of this TensorFlow.js as it is, else the elements. */
async function readable(tf: TensorFlow, input: NdArray | StoredValue): Promise<NdArray | Tensor> {
  const tensor = input instanceof TfjsValue ? input.tensorFor(tf) : undefined;
  return tensor ?? (await elementsOf(input));
}

/** A tensor of its own, which shares the elements of one that is held by others. */
function feed(tf: TensorFlow, value: NdArray | Tensor): Tensor {
  return value instanceof tf.Tensor ? value.clone() : upload(tf, value);
}

function upload(tf: TensorFlow, value: NdArray): Tensor {
  return tf.tensor(toDevice(value), [...value.shape], heldAs(value.dtype));
}

function free(held: Map<Variable, Tensor>, variable: Variable): void {
  held.get(variable)?.dispose();
  held.delete(variable);
}

function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((bytes, { size, dtype }) => bytes + size * (dtype === 'bool' ? 1 : 4), 0);
}
