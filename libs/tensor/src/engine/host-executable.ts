import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense, fromDense, roundToDtype, toDense, type DenseArray } from '../arrays/dense-array.js';
import { evaluator, type OpObserver } from '../graph/evaluate.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import type { Executable, FunctionGraph } from './engine.js';
import { readsShapesOnly } from './partition.js';
import { callsOf, type KernelCall } from './profile.js';
import { elementsOf, HostValue, type StoredValue } from './stored-value.js';

/** Options of {@link compileOnHost}. */
export interface HostOptions {
  /**
   * When values are rounded to their dtypes. 'results': the outputs only, everything before being float64, so that what comes out
   * is as exact as can be. 'each op': the result of every op, so that float32 overflows, vanishes and cancels where it does on
   * an engine that computes in it; what an op does inside stays float64.
   */
  readonly rounding: 'results' | 'each op';
  /** For whom it runs, as its profile says. */
  readonly on: KernelCall['on'];
}

/** A graph that is run op by op by the ops' own `run`: plain loops in float64, of one thread. */
export function compileOnHost(graph: FunctionGraph, { rounding, on }: HostOptions): Executable {
  const evaluate = evaluator(rounding === 'each op' ? roundToDtype : undefined)(graph);
  const looked = lookedAt(graph);
  const run = async (inputs: readonly (NdArray | StoredValue)[], observe?: OpObserver): Promise<HostValue[]> => {
    const values = await Promise.all(
      graph.inputs.map(async (input, position) => {
        const value = at(inputs, position);
        return looked.has(input) ? toDense(await elementsOf(value)) : shapeOf(value);
      }),
    );
    return evaluate(values, observe).map((value) => new HostValue(fromDense(value)));
  };
  return {
    run: async (inputs) => await run(inputs),
    profile: async (inputs, runs) => await callsOf(runs, on, async (observe) => await run(inputs, observe)),
    dispose: async () => undefined,
  };
}

/** The variables whose elements are looked at: those of others need not come from a device. */
function lookedAt({ inputs, outputs }: FunctionGraph): ReadonlySet<Variable> {
  const nodes = toposort(outputs, { blockers: inputs });
  return new Set([...outputs, ...nodes.flatMap((node) => (readsShapesOnly(node) ? [] : node.inputs))]);
}

/** An array that is only asked for its shape. */
function shapeOf({ dtype, shape }: NdArray | StoredValue): DenseArray {
  return dense(dtype, shape, NO_ELEMENTS);
}

const NO_ELEMENTS = new Float64Array(0);
