import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { Constant } from '../graph/constant.js';
import { describe, type Variable } from '../graph/variable.js';
import type { ComputeTarget, EngineDefinition, Executable, FunctionGraph, ProgramSource } from './engine.js';
import type { EngineProgram, EnginePrograms } from './engine-program.js';
import { runKernels, type FusedExecutable } from './fusion/fused-executable.js';
import { fusedProgram, type FusedProgram } from './fusion/fused-program.js';
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

/** What compiling stages gives. */
export interface CompiledStages {
  readonly executable: StagedExecutable;
  readonly wiring: Wiring;
  /** What the engine has made of its stages, where `programs` make it. */
  readonly programs: readonly EngineProgram[];
  /** Undefined where nothing is fused. */
  readonly kernels: FusedProgram | undefined;
}

/** How values go from part to part. They are numbered: those that are fed, then the constants, then what each part gives, in turn. */
export interface Wiring {
  readonly fed: number;
  readonly constants: readonly NdArray[];
  readonly parts: readonly { readonly inputs: readonly number[]; readonly outputs: readonly number[] }[];
  /** The results. */
  readonly outputs: readonly number[];
}

/** What runs the parts of a function, in order. */
export interface Parts {
  readonly engine: EngineDefinition;
  readonly executables: readonly Executable[];
  /** The last of these, where that is one of kernels. */
  readonly kernels: FusedExecutable | undefined;
}

/**
 * Compiles the parts of a graph, which run as one. What goes in and comes out again passes by the engine.
 *
 * @param fused What is run after the stages. Default nothing.
 * @param programs What compiles the stages of the engine by way of programs. Default: it does so by itself.
 */
export async function compileStages(
  graph: FunctionGraph,
  stages: readonly Stage[],
  engine: EngineDefinition,
  target: ComputeTarget,
  fused?: FusedStage,
  programs?: EnginePrograms,
): Promise<CompiledStages> {
  const executables: Executable[] = [];
  const made: EngineProgram[] = [];
  const compileOnEngine = async (part: FunctionGraph): Promise<Executable> => {
    if (programs === undefined) return await engine.compile(part, target);
    const program = await programs.lower(part, target);
    made.push(program);
    return await programs.open(part.name, program, target, () => part);
  };
  const program = fused && fusedProgram(fused);
  let kernels: FusedExecutable | undefined;
  try {
    for (const stage of stages) {
      const part = graphOf(stage, graph);
      executables.push(
        stage.on === 'host' ? compileOnHost(part, { rounding: 'each op', on: 'host' }) : await compileOnEngine(part),
      );
    }
    kernels = fused && program && runKernels(graph.name, program, fused.memory, () => fused.kernels);
    if (kernels !== undefined) executables.push(kernels);
  } catch (error) {
    await disposeOf(executables);
    throw error;
  }
  const wiring = wiringOf(graph, fused === undefined ? stages : [...stages, fused]);
  return {
    executable: runParts(graph.name, wiring, { engine, executables, kernels }),
    wiring,
    programs: made,
    kernels: program,
  };
}

/** A stage as a graph of its own. */
export function graphOf({ inputs, outputs }: Stage, { name, state }: FunctionGraph): FunctionGraph {
  return { name, inputs, outputs, ...(state && { state }) };
}

/** Runs parts as one function. */
export function runParts(name: string, wiring: Wiring, { engine, executables, kernels }: Parts): StagedExecutable {
  const { parts, constants, outputs: results } = wiring;
  const ofKernels = kernels && new Map(at(parts, -1).inputs.map((value, position) => [value, position]));
  const placeFor = (value: number): StoredValue | undefined => {
    const position = ofKernels?.get(value);
    return position === undefined ? undefined : kernels?.placeFor(position);
  };

  /** Runs the parts one after the other; `visit` is given each with its inputs, before it is run. */
  const runAll = async (
    fed: readonly (NdArray | StoredValue)[],
    visit?: (executable: Executable, inputs: readonly (NdArray | StoredValue)[]) => Promise<void>,
  ): Promise<StoredValue[]> => {
    const values = [...fed, ...constants];
    const made: StoredValue[] = [];
    try {
      for (const [part, executable] of executables.entries()) {
        const { inputs, outputs } = at(parts, part);
        const given = inputs.map((value) => at(values, value));
        await visit?.(executable, given);
        const places = executable === kernels ? [] : outputs.map(placeFor);
        made.push(...places.filter((place) => place !== undefined));
        const gave = await executable.run(given, places);
        made.push(...gave);
        values.push(...gave);
      }
      return results.map((result) => {
        const value = at(values, result);
        return value instanceof StoredValue ? value.retain() : HostValue.copyOf(value);
      });
    } finally {
      for (const value of made) value.release();
    }
  };

  return {
    run: (values) => runAll(values),
    async profile(values, runs) {
      const calls: KernelCall[] = [];
      const last = await runAll(values, async (executable, inputs) => {
        if (executable.profile === undefined) {
          throw new Error(`${name}: the engine ${engine.name} does not tell what its ops take; profile it on another`);
        }
        calls.push(...(await executable.profile(inputs, runs)));
      });
      for (const result of last) result.release();
      return calls;
    },
    dispose: () => disposeOf(executables),
    sources: executables.flatMap(({ source }) => source ?? []),
  };
}

/** Disposes of all. */
export async function disposeOf(executables: readonly Executable[]): Promise<void> {
  await Promise.all(executables.map((executable) => executable.dispose()));
}

/** Numbers the values of a graph that parts compute. */
function wiringOf(graph: FunctionGraph, parts: readonly Pick<Stage, 'inputs' | 'outputs'>[]): Wiring {
  const numbers = new Map<Variable, number>(graph.inputs.map((input, position) => [input, position]));
  const number = (variable: Variable): number => {
    numbers.set(variable, numbers.size);
    return numbers.size - 1;
  };
  const numberOf = (variable: Variable): number => {
    const known = numbers.get(variable);
    if (known === undefined) throw new Error(`${graph.name}: ${describe(variable)} has no value`);
    return known;
  };
  const constants = new Set(graph.outputs.filter((output) => output instanceof Constant));
  for (const constant of constants) number(constant);
  const wired = parts.map(({ inputs, outputs }) => ({ inputs: inputs.map(numberOf), outputs: outputs.map(number) }));
  return {
    fed: graph.inputs.length,
    constants: [...constants].map(({ value }) => value),
    parts: wired,
    outputs: graph.outputs.map(numberOf),
  };
}
