import type { NdArray } from '@longrun/serialization';

import type { ComputeTarget } from './compute-target.js';
import type { EngineDefinition, Executable, FunctionGraph } from './engine.js';
import { profileOnHost, runOnHost } from './host-stage.js';
import { KnownValues } from './known-values.js';
import type { Stage } from './partition.js';
import type { KernelCall } from './profile.js';
import { HostValue, StoredValue } from './stored-value.js';

/** Compiles the parts of a graph, and runs them as one. What goes in and comes out again passes by the engine. */
export async function compileStages(
  graph: FunctionGraph,
  stages: readonly Stage[],
  engine: EngineDefinition,
  target: ComputeTarget,
): Promise<Executable> {
  const { name } = graph;
  const executables = new Map<Stage, Executable>();
  const dispose = async (): Promise<void> => {
    await Promise.all([...executables.values()].map((executable) => executable.dispose()));
  };
  try {
    for (const stage of stages) {
      if (stage.on === 'host') continue;
      const { inputs, outputs } = stage;
      executables.set(stage, await engine.compile({ name, inputs, outputs }, target));
    }
  } catch (error) {
    await dispose();
    throw error;
  }

  /** Runs the stages one after the other; `visit` is given each with its inputs, before it is run. */
  const runStages = async (
    values: readonly (NdArray | StoredValue)[],
    visit?: (stage: Stage, inputs: readonly (NdArray | StoredValue)[]) => Promise<void>,
  ): Promise<StoredValue[]> => {
    const known = new KnownValues<NdArray | StoredValue>(name, (value) => value);
    known.add(graph.inputs, values);
    const made: StoredValue[] = [];
    try {
      for (const stage of stages) {
        const inputs = stage.inputs.map((input) => known.of(input));
        await visit?.(stage, inputs);
        const results = await (executables.get(stage)?.run(inputs) ?? runOnHost(name, stage, inputs));
        made.push(...results);
        known.add(stage.outputs, results);
      }
      return graph.outputs.map((output) => {
        const value = known.of(output);
        return value instanceof StoredValue ? value.retain() : HostValue.copyOf(value);
      });
    } finally {
      for (const value of made) value.release();
    }
  };

  return {
    run: (values) => runStages(values),
    async profile(values, runs) {
      const calls: KernelCall[] = [];
      const results = await runStages(values, async (stage, inputs) => {
        const executable = executables.get(stage);
        if (executable === undefined) {
          calls.push(...(await profileOnHost(name, stage, inputs, runs, 'host')));
        } else if (executable.profile === undefined) {
          throw new Error(`${name}: the engine ${engine.name} does not tell what its ops take; profile it on another`);
        } else {
          calls.push(...(await executable.profile(inputs, runs)));
        }
      });
      for (const result of results) result.release();
      return calls;
    },
    dispose,
  };
}
