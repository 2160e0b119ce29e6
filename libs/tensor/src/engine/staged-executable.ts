import type { NdArray } from '@longrun/serialization';

import type { ComputeTarget } from './compute-target.js';
import type { EngineDefinition, Executable, FunctionGraph } from './engine.js';
import { runOnHost } from './host-stage.js';
import { KnownValues } from './known-values.js';
import type { Stage } from './partition.js';
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

  return {
    async run(values) {
      const known = new KnownValues<NdArray | StoredValue>(name, (value) => value);
      known.add(graph.inputs, values);
      const made: StoredValue[] = [];
      try {
        for (const stage of stages) {
          const inputs = stage.inputs.map((input) => known.of(input));
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
    },
    dispose,
  };
}
