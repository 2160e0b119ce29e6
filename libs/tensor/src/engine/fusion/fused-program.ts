import type { NdArray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import { Constant } from '../../graph/constant.js';
import { isAllKnown } from '../../graph/tensor-type.js';
import type { Variable } from '../../graph/variable.js';
import { CAREFUL_FUNCTIONS } from './careful-ops.js';
import type { FusedStage } from './fuse.js';
import { kernelFunction, structureOf, type Kernel } from './kernel.js';
import { encodeModule, type WasmFunction } from './module-encoding.js';
import { ADD_ROWS, COPY_ROWS, rowsFunction } from './row-functions.js';
import { tableOf } from './row-update.js';
import { regionBytes, type MemoryNeeds } from './state-memory.js';

/** The kernels of a stage as data: what runs them knows no graph. Values are numbered: the inputs of the stage in order, then the constants. */
export interface FusedProgram {
  /** Of WebAssembly: the functions of kernels and those that they call. */
  readonly module: Uint8Array;
  readonly kernels: readonly KernelProgram[];
  readonly constants: readonly NdArray[];
  /** Shapes of the inputs that an engine may write to the memory of kernels; null of others. */
  readonly places: readonly (readonly number[] | null)[];
  readonly needs: MemoryNeeds;
  /** As `FusionRules` has it: undefined where the processor decides that runs it. */
  readonly isCareful: boolean | undefined;
}

/** One pass over arrays of one shape. */
export interface KernelProgram {
  /** Name of its function in the module. Kernels that do the same share one. */
  readonly function: string;
  readonly shape: readonly number[];
  /** What it reads, of the shape: numbers of values, or of what it is made of. */
  readonly arrays: readonly (number | RowsProgram)[];
  /** Numbers of what it reads, of one element. */
  readonly scalars: readonly number[];
  /** How many arrays it writes. */
  readonly outputs: number;
  /** Name of the function that computes some rows of it, where it gives a table anew with other rows here and there (see `tableOf`); null where it does not. */
  readonly ofRows: string | null;
}

/** An array that is made of rows: numbers of both. */
export interface RowsProgram {
  readonly indices: number;
  readonly rows: number;
}

/** Writes the program of a stage. */
export function fusedProgram(stage: FusedStage): FusedProgram {
  const { kernels, scattered, inputs, needs, isCareful } = stage;
  const numbers = new Map<Variable, number>(inputs.map((input, position) => [input, position]));
  const constants: NdArray[] = [];
  const numberOf = (variable: Variable): number => {
    const known = numbers.get(variable);
    if (known !== undefined) return known;
    if (!(variable instanceof Constant)) throw new Error(`${variable.toString()} is no input of the kernels`);
    constants.push(variable.value);
    numbers.set(variable, numbers.size);
    return numbers.size - 1;
  };
  const functions = new Map<string, WasmFunction>();
  const functionOf = (kernel: Kernel): WasmFunction => {
    const structure = structureOf(kernel);
    const made = functions.get(structure) ?? kernelFunction(`kernel${functions.size}`, kernel);
    functions.set(structure, made);
    return made;
  };
  const tables = kernels.map((kernel) => tableOf(kernel, scattered));
  const programs = kernels.map((kernel, index): KernelProgram => {
    const { shape, arrays, scalars, outputs } = kernel;
    return {
      function: functionOf(kernel).name,
      shape,
      arrays: arrays.map((array) => {
        const made = scattered.get(array);
        return made === undefined ? numberOf(array) : { indices: numberOf(made.indices), rows: numberOf(made.rows) };
      }),
      scalars: scalars.map(numberOf),
      outputs: outputs.length,
      ofRows: tables[index] === undefined ? null : `rows ${index}`,
    };
  });
  const compiled = [...CAREFUL_FUNCTIONS, ...functions.values()];
  const ofRows = kernels.flatMap((kernel, index) => {
    const table = tables[index];
    if (table === undefined) return [];
    const position = compiled.indexOf(functionOf(kernel));
    return [rowsFunction(`rows ${index}`, at(compiled, position), position, kernel.arrays.indexOf(table))];
  });
  return {
    module: encodeModule([...compiled, ...ofRows, ADD_ROWS, COPY_ROWS]),
    kernels: programs,
    constants,
    places: placesOf(stage),
    needs,
    isCareful,
  };
}

/** Rows take no more room than the array that is made of them, which is not written. */
function placesOf({ kernels, scattered, inputs }: FusedStage): (readonly number[] | null)[] {
  const read = kernels.flatMap(({ arrays, scalars }) => [...arrays, ...scalars]);
  const shapes = new Map(read.map((input) => [input, input.shape.map(Number)]));
  for (const [array, { rows }] of scattered) {
    if (!isAllKnown(rows.shape)) continue;
    const shape = rows.shape.map(Number);
    if (regionBytes(shape) <= regionBytes(array.shape.map(Number))) shapes.set(rows, shape);
  }
  return inputs.map((input) => shapes.get(input) ?? null);
}
