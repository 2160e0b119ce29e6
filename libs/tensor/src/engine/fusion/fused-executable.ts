import { ndarray, sizeOf, type NdArray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import { Constant } from '../../graph/constant.js';
import { formatShape, formatType, isAllKnown, TensorTypeError } from '../../graph/tensor-type.js';
import { describe, type Variable } from '../../graph/variable.js';
import type { Executable } from '../engine.js';
import { repeat, type KernelCall } from '../profile.js';
import { elementsOf, HostValue, type StoredValue } from '../stored-value.js';
import { CAREFUL_FUNCTIONS } from './careful-ops.js';
import type { FusedStage } from './fuse.js';
import { kernelFunction, structureOf, type Kernel } from './kernel.js';
import { encodeModule, type WasmFunction } from './module-encoding.js';
import { ADD_ROWS, COPY_ROWS, rowsFunction } from './row-functions.js';
import { RowUpdate, tableOf } from './row-update.js';
import { addRows } from './scattered-rows.js';
import { onHost, regionBytes, RegionValue } from './state-memory.js';
import { functionsOf, type WebAssemblyFunction } from './web-assembly.js';

/** Kernels ready to run. */
export interface FusedExecutable extends Executable {
  /** Where an engine may write a value that the kernels need, so that it need not be copied; undefined where that makes no difference. */
  placeFor(variable: Variable): StoredValue | undefined;
}

/** Compiles the kernels of a stage to one module of WebAssembly. */
export function compileFused(name: string, stage: FusedStage): FusedExecutable {
  const { scattered, inputs, memory } = stage;
  const programs = programsOf(stage);
  const shapes = shapesOf(stage);

  /** Computes the outputs of a kernel into `results`. */
  const runProgram = (
    { kernel, call, update }: Program,
    valueOf: (variable: Variable) => NdArray | RegionValue,
    results: StoredValue[],
  ): void => {
    const { shape, arrays, scalars, outputs } = kernel;
    const numbers = scalars.map((scalar) => Number(onHost(valueOf(scalar)).data[0]));
    const updated = update?.run(valueOf, numbers);
    if (updated !== undefined) {
      results.push(updated);
      return;
    }
    const [elements, bytes] = [sizeOf(shape), regionBytes(shape)];
    // One kernel after the other has the memory from 0 on: it is done with it before anything else runs.
    const own = (position: number): NdArray<'float32'> =>
      ndarray('float32', shape, memory.view(position * bytes, elements));
    const addresses = arrays.map((array, position) => {
      const made = scattered.get(array);
      if (made !== undefined) {
        const { data } = own(position);
        data.fill(0);
        addRows(onHost(valueOf(made.indices)), onHost(valueOf(made.rows)), shape, data);
        return position * bytes;
      }
      const value = valueOf(array);
      if (value instanceof RegionValue) return value.address;
      const { data } = value;
      if (!(data instanceof Float32Array) || data.length !== elements) {
        throw new TensorTypeError(
          `${name}: ${describe(array)} is ${formatType(value)} when it is run; it must be float32 ${formatShape(shape)}`,
        );
      }
      own(position).data.set(data);
      return position * bytes;
    });
    const places = outputs.map((_, position) => memory.place(shape) ?? own(arrays.length + position));
    const written = places.map((place, position) =>
      place instanceof RegionValue ? place.address : (arrays.length + position) * bytes,
    );
    call(bytes, ...addresses, ...written, ...numbers);
    results.push(...places.map((place) => (place instanceof RegionValue ? place : HostValue.copyOf(place))));
  };

  const run = async (
    values: readonly (NdArray | StoredValue)[],
    observe?: (kernel: Kernel, timeMs: number) => void,
  ): Promise<StoredValue[]> => {
    const known = new Map<Variable, NdArray | RegionValue>();
    for (const [position, input] of inputs.entries()) {
      const value = at(values, position);
      const found = value instanceof RegionValue && value.memory === memory ? value : elementsOf(value);
      known.set(input, found instanceof Promise ? await found : found);
    }
    const valueOf = (variable: Variable): NdArray | RegionValue => {
      const value = variable instanceof Constant ? variable.value : known.get(variable);
      if (value === undefined) throw new Error(`${name}: ${describe(variable)} has no value`);
      return value;
    };
    const results: StoredValue[] = [];
    try {
      for (const program of programs) {
        const begun = performance.now();
        runProgram(program, valueOf, results);
        observe?.(program.kernel, performance.now() - begun);
      }
    } catch (error) {
      for (const value of results) value.release();
      throw error;
    }
    return results;
  };

  return {
    run: async (values) => await run(values),
    async profile(values, runs) {
      const calls: KernelCall[] = [];
      const record = (kernel: Kernel, timeMs: number): void => void calls.push(callOf(kernel, timeMs));
      await repeat(runs, async (counts) => await run(values, counts ? record : undefined));
      return calls;
    },
    placeFor(variable) {
      const shape = shapes.get(variable);
      return shape === undefined ? undefined : memory.place(shape);
    },
    dispose: async () => undefined,
  };
}

/** What an engine may write to the memory of kernels, with its shape. Rows take no more room than the array that is made of them, which is not written. */
function shapesOf({ kernels, scattered }: FusedStage): ReadonlyMap<Variable, readonly number[]> {
  const inputs = kernels.flatMap(({ arrays, scalars }) => [...arrays, ...scalars]);
  const shapes = new Map(inputs.map((input) => [input, input.shape.map(Number)]));
  for (const [array, { rows }] of scattered) {
    if (!isAllKnown(rows.shape)) continue;
    const shape = rows.shape.map(Number);
    if (regionBytes(shape) <= regionBytes(array.shape.map(Number))) shapes.set(rows, shape);
  }
  return shapes;
}

/** A kernel and the function that computes it. */
interface Program {
  readonly kernel: Kernel;
  readonly call: WebAssemblyFunction;
  /** What computes it where it changes some rows only. */
  readonly update: RowUpdate | undefined;
}

/** Kernels that do the same share a function. */
function programsOf({ kernels, scattered, memory }: FusedStage): Program[] {
  const functions = new Map<string, WasmFunction>();
  const names = kernels.map((kernel) => {
    const structure = structureOf(kernel);
    const made = functions.get(structure) ?? kernelFunction(`kernel${functions.size}`, kernel);
    functions.set(structure, made);
    return made.name;
  });
  const compiled = [...CAREFUL_FUNCTIONS, ...functions.values()];
  const ofRows = kernels.flatMap((kernel, index) => {
    const table = tableOf(kernel, scattered);
    if (table === undefined) return [];
    const position = compiled.findIndex(({ name }) => name === names[index]);
    return [rowsFunction(`rows ${index}`, at(compiled, position), position, kernel.arrays.indexOf(table))];
  });
  const calls = functionsOf(encodeModule([...compiled, ...ofRows, ADD_ROWS, COPY_ROWS]), memory.linear);
  const callNamed = (name: string): WebAssemblyFunction => {
    const call = calls.get(name);
    if (call === undefined) throw new Error(`The module of kernels has no ${name}`);
    return call;
  };
  return kernels.map((kernel, index) => {
    const call = callNamed(at(names, index));
    if (tableOf(kernel, scattered) === undefined) return { kernel, call, update: undefined };
    const callRows = callNamed(`rows ${index}`);
    const ofAll = { addRows: callNamed(ADD_ROWS.name), copyRows: callNamed(COPY_ROWS.name) };
    return { kernel, call, update: new RowUpdate(kernel, scattered, memory, { call, callRows, ...ofAll }) };
  });
}

function callOf({ shape, outputs }: Kernel, timeMs: number): KernelCall {
  const parts = [...new Set(outputs.map(({ owner }) => owner?.origin.part?.()))];
  return {
    op: outputs.map(({ owner }) => String(owner)).join('; '),
    part: parts.length === 1 ? parts[0] : undefined,
    kernel: 'WebAssembly',
    on: 'fused',
    timeMs,
    outputBytes: outputs.length * sizeOf(shape) * Float32Array.BYTES_PER_ELEMENT,
  };
}
