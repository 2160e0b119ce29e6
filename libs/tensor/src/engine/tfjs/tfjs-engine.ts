import type { NdArray } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../arrays/at.js';
import type { OpObserver } from '../../graph/op.js';
import type { ComputeTarget, Executable, FunctionGraph } from '../engine.js';
import { callsOf } from '../profile.js';
import { elementsOf, type StoredValue } from '../stored-value.js';
import { openDevice, type TensorFlow } from './device.js';
import { Program, upload } from './program.js';
import { TfjsValue } from './tfjs-value.js';

/** Runs a graph op by op on TensorFlow.js; results stay where they were computed. */
export async function compileTfjs(graph: FunctionGraph, target: ComputeTarget): Promise<Executable> {
  const { tf, compute } = openDevice(target);
  const program = await compute(() => programOf(tf, graph));
  const run = async (inputs: readonly (NdArray | StoredValue)[], observe?: OpObserver): Promise<TfjsValue[]> => {
    const fed = await Promise.all(inputs.map((input) => readable(tf, input)));
    const results = await compute(() => program.run(tensorsOf(tf, fed), observe));
    return results.map((tensor, position) => new TfjsValue(tf, at(graph.outputs, position).dtype, tensor));
  };
  return {
    run: async (inputs) => await run(inputs),
    profile: async (inputs, runs) => await callsOf(runs, 'engine', async (observe) => await run(inputs, observe)),
    async dispose() {
      program.dispose();
    },
  };
}

/** The program of a graph; none of its constants is left when it cannot be made. */
function programOf(tf: TensorFlow, graph: FunctionGraph): Program {
  tf.engine().startScope();
  try {
    const program = new Program(tf, graph);
    program.keep();
    return program;
  } finally {
    tf.engine().endScope();
  }
}

/** What can be fed without waiting: a value of this TensorFlow.js as it is, else the elements. */
async function readable(tf: TensorFlow, input: NdArray | StoredValue): Promise<NdArray | Tensor> {
  const tensor = input instanceof TfjsValue ? input.tensorFor(tf) : undefined;
  return tensor ?? (await elementsOf(input));
}

/** Tensors of their own, which share the elements of those that are held by others; none is left when one cannot be made. */
function tensorsOf(tf: TensorFlow, fed: readonly (NdArray | Tensor)[]): Tensor[] {
  return tf.tidy(() => fed.map((value) => (value instanceof tf.Tensor ? value.clone() : upload(tf, value))));
}
