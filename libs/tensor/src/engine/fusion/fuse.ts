import { sizeOf } from '@longrun/serialization';

import { Constant } from '../../graph/constant.js';
import type { Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { ComputeTarget, EngineDefinition, FunctionGraph } from '../engine.js';
import { fusible, type UnfusedUpdate } from './fusible.js';
import { CAREFUL_FUNCTIONS } from './careful-ops.js';
import type { Kernel } from './kernel.js';
import { encodeModule } from './module-encoding.js';
import { scatteredRows, type ScatteredRows } from './scattered-rows.js';
import { memoryFor, regionBytes, type MemoryNeeds, type StateMemory } from './state-memory.js';
import { canRun, MOST_BYTES } from './web-assembly.js';

/** The part of a graph that kernels compute, after all else. */
export interface FusedStage {
  readonly kernels: readonly Kernel[];
  /** Arrays of kernels that are not given but made of rows. */
  readonly scattered: ReadonlyMap<Variable, ScatteredRows>;
  /** What the kernels and these rows need from the graph's inputs and from the stages before. Constants they have themselves. */
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  readonly needs: MemoryNeeds;
  /** As much of that as there is. */
  readonly memory: StateMemory;
  /** As `FusionRules` has it. */
  readonly isCareful: boolean | undefined;
}

/** A graph without the updates that kernels compute. */
export interface Fusion {
  /** What the engine and the host are left with: it also gives what the kernels need. */
  readonly rest: FunctionGraph;
  /** Undefined where there is nothing to fuse. */
  readonly fused: FusedStage | undefined;
  readonly unfused: readonly UnfusedUpdate[];
  /** Whether there is no memory for kernels where there could be. */
  readonly lacksMemory: boolean;
}

/**
 * Takes out of a graph what kernels compute, where the engine allows it: new values of shared variables that are elementwise of arrays of one
 * known shape and of scalars, in float32. Their bits are those that the engine would give.
 */
export function fuse(graph: FunctionGraph, engine: EngineDefinition, target: ComputeTarget): Fusion {
  const { fusion: rules } = engine;
  if (rules?.providers.has(target.provider) !== true) {
    return { rest: graph, fused: undefined, unfused: [], lacksMemory: false };
  }
  const found = fusible(graph, rules);
  const { needs, memory, kernels, left, reason } = reserved(found.kernels);
  const unfused = [...found.unfused, ...left.flatMap(({ outputs }) => outputs.map((output) => ({ output, reason })))];
  if (needs === undefined || memory === undefined) {
    return { rest: graph, fused: undefined, unfused, lacksMemory: needs !== undefined };
  }

  const outputs = new Set(kernels.flatMap((kernel) => kernel.outputs));
  const others = graph.outputs.filter((output) => !outputs.has(output));
  const given = new Set(graph.inputs);
  const scattered = scatteredIn(kernels, others, graph);
  const inputs = new Set(
    kernels
      .flatMap(({ arrays, scalars }) => [...arrays, ...scalars])
      .flatMap((input) => partsOf(input, scattered))
      .filter((input) => !(input instanceof Constant)),
  );
  const needed = [...inputs].filter((input) => !given.has(input));
  return {
    rest: { ...graph, outputs: [...new Set([...others, ...needed])] },
    fused: {
      kernels,
      scattered,
      inputs: [...inputs],
      outputs: [...outputs],
      needs,
      memory,
      isCareful: rules.isCareful,
    },
    unfused,
    lacksMemory: false,
  };
}

/** The arrays of kernels that are made of rows, and that nothing of the engine needs, which is left with `others` of the outputs. */
function scatteredIn(
  kernels: readonly Kernel[],
  others: readonly Variable[],
  { inputs: given }: FunctionGraph,
): ReadonlyMap<Variable, ScatteredRows> {
  const scalars = new Set(kernels.flatMap((kernel) => kernel.scalars));
  const arrays = [...new Set([...kernels.flatMap((kernel) => kernel.arrays), ...scalars])];
  const found = new Map<Variable, ScatteredRows>();
  for (const array of arrays) {
    const rows = given.includes(array) || scalars.has(array) ? undefined : scatteredRows(array);
    if (rows !== undefined) found.set(array, rows);
  }
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const ofEngine = [...others, ...arrays.flatMap((array) => partsOf(array, found))];
    const computed = toposort(ofEngine, { blockers: given }).flatMap((node) => node.outputs);
    for (const variable of [...ofEngine, ...computed]) found.delete(variable);
  }
  return found;
}

/** What an array of kernels is made of; itself, where that is not rows. */
function partsOf(array: Variable, scattered: ReadonlyMap<Variable, ScatteredRows>): Variable[] {
  const made = scattered.get(array);
  return made === undefined ? [array] : [made.indices, made.rows];
}

/** How many elements all updates together have at least: below, a memory of their own costs more than it gains. */
const LEAST_ELEMENTS = 256;

/** How many values of each update there is room for at least: that before a step, and that after it. */
const LEAST_VALUES = 2;

/** And where there is address space enough: two more, which snapshots may hold. */
const WANTED_VALUES = 4;

interface Reserved {
  readonly needs?: MemoryNeeds | undefined;
  readonly memory: StateMemory | undefined;
  readonly kernels: readonly Kernel[];
  /** Kernels that there is no memory for, and why. */
  readonly left: readonly Kernel[];
  readonly reason: string;
}

/** Memory for as many kernels, from the first one on, as it can be had for. */
function reserved(kernels: readonly Kernel[]): Reserved {
  const elements = kernels.reduce((sum, { shape, outputs }) => sum + sizeOf(shape) * outputs.length, 0);
  if (elements < LEAST_ELEMENTS) {
    const reason = `all such updates together have ${elements} elements, of ${LEAST_ELEMENTS} that are worth a kernel`;
    return { memory: undefined, kernels: [], left: kernels, reason };
  }
  if (!canRun(encodeModule(CAREFUL_FUNCTIONS))) {
    return { memory: undefined, kernels: [], left: kernels, reason: 'WebAssembly has no vectors on this processor' };
  }
  let count = kernels.length;
  while (count > 0 && bytesFor(kernels.slice(0, count), LEAST_VALUES) > MOST_BYTES) count -= 1;
  const [fitting, left] = [kernels.slice(0, count), kernels.slice(count)];
  const needs = count === 0 ? undefined : needsOf(fitting);
  const memory = needs && memoryFor(needs);
  if (needs !== undefined && memory !== undefined)
    return { needs, memory, kernels: fitting, left, reason: 'WebAssembly has 4 GiB of memory' };
  return { needs, memory, kernels: [], left: kernels, reason: 'there is not address space enough' };
}

function needsOf(kernels: readonly Kernel[]): MemoryNeeds {
  const ownBytes = Math.max(...kernels.map(kernelBytes));
  const valueBytes = [WANTED_VALUES, LEAST_VALUES].map(
    (values) => Math.min(MOST_BYTES, bytesFor(kernels, values)) - ownBytes,
  );
  return { ownBytes, valueBytes };
}

/** For so many values of each output, one of each input that the engine gives, and what the largest kernel needs itself. */
function bytesFor(kernels: readonly Kernel[], values: number): number {
  const ofOutputs = kernels.reduce((sum, { shape, outputs }) => sum + outputs.length * regionBytes(shape), 0);
  const inputs = new Set(kernels.flatMap(({ arrays, scalars }) => [...arrays, ...scalars]));
  const ofInputs = [...inputs].reduce(
    (sum, input) => sum + (input.owner === null ? 0 : regionBytes(input.shape.map(Number))),
    0,
  );
  return Math.max(...kernels.map(kernelBytes)) + values * ofOutputs + ofInputs;
}

/** What a kernel needs of its own: for inputs that lie elsewhere, and for outputs where there is no room. */
function kernelBytes({ shape, arrays, outputs }: Kernel): number {
  return (arrays.length + outputs.length) * regionBytes(shape);
}
