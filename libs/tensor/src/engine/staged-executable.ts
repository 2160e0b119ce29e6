import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { Constant } from '../graph/constant.js';
import { describe, type Variable } from '../graph/variable.js';
import type { ComputeTarget, EngineDefinition, Executable, FunctionGraph, ProgramSource } from './engine.js';
import { compileFused, type FusedExecutable } from './fusion/fused-executable.js';
import type { FusedStage } from './fusion/fuse.js';
import { compileOnHost } from './host-executable.js';
import type { Stage } from './partition.js';
import type { KernelCall } from './profile.js';
import { HostValue, StoredValue } from './stored-value.js';

/** The parts of a graph, ready to run. */
export interface StagedExecutable extends Executable {
  /** Where what the engine runs is from, in the order in which it does, of those that it says it of. */
  readonly sources: readonly ProgramSource[];
}

/**
 * Compiles the parts of a graph, and runs them as one. What goes in and comes out again passes by the engine.
 *
 * @param fused What is run after the stages. Default nothing.
 */
export async function compileStages(
  graph: FunctionGraph,
  stages: readonly Stage[],
  engine: EngineDefinition,
  target: ComputeTarget,
  fused?: FusedStage,
): Promise<StagedExecutable> {
  const { name, state } = graph;
  const parts: { readonly stage: Pick<Stage, 'inputs' | 'outputs'>; readonly executable: Executable }[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(parts.map(({ executable }) => executable.dispose()));
  };
  let kernels: FusedExecutable | undefined;
  try {
    for (const stage of stages) {
      const part: FunctionGraph = { name, inputs: stage.inputs, outputs: stage.outputs, ...(state && { state }) };
      const executable =
        stage.on === 'host'
          ? compileOnHost(part, { rounding: 'each op', on: 'host' })
          : await engine.compile(part, target);
      parts.push({ stage, executable });
    }
    if (fused !== undefined) {
      kernels = compileFused(name, fused);
      parts.push({ stage: fused, executable: kernels });
    }
  } catch (error) {
    await dispose();
    throw error;
  }

  /** Runs the parts one after the other; `visit` is given each with its inputs, before it is run. */
  const runParts = async (
    values: readonly (NdArray | StoredValue)[],
    visit?: (executable: Executable, inputs: readonly (NdArray | StoredValue)[]) => Promise<void>,
  ): Promise<StoredValue[]> => {
    const known = new Map(graph.inputs.map((input, position) => [input, at(values, position)]));
    const valueOf = (variable: Variable): NdArray | StoredValue => {
      const value = known.get(variable);
      if (value !== undefined) return value;
      if (variable instanceof Constant) return variable.value;
      throw new Error(`${name}: ${describe(variable)} has no value`);
    };
    const made: StoredValue[] = [];
    try {
      for (const { stage, executable } of parts) {
        const inputs = stage.inputs.map(valueOf);
        await visit?.(executable, inputs);
        const places = stage.outputs.map((output) => kernels?.placeFor(output));
        made.push(...places.filter((place) => place !== undefined));
        const results = await executable.run(inputs, places);
        made.push(...results);
        for (const [position, output] of stage.outputs.entries()) known.set(output, at(results, position));
      }
      return graph.outputs.map((output) => {
        const value = valueOf(output);
        return value instanceof StoredValue ? value.retain() : HostValue.copyOf(value);
      });
    } finally {
      for (const value of made) value.release();
    }
  };

  return {
    run: (values) => runParts(values),
    async profile(values, runs) {
      const calls: KernelCall[] = [];
      const results = await runParts(values, async (executable, inputs) => {
        if (executable.profile === undefined) {
          throw new Error(`${name}: the engine ${engine.name} does not tell what its ops take; profile it on another`);
        }
        calls.push(...(await executable.profile(inputs, runs)));
      });
      for (const result of results) result.release();
      return calls;
    },
    dispose,
    sources: parts.flatMap(({ executable }) => executable.source ?? []),
  };
}
