import { ndarray, sizeOf, type NdArray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import { formatShape, formatType, TensorTypeError } from '../../graph/tensor-type.js';
import { describe } from '../../graph/variable.js';
import type { Executable } from '../engine.js';
import { repeat, type KernelCall } from '../profile.js';
import { elementsOf, HostValue, type StoredValue } from '../stored-value.js';
import { denormalsAreSlow } from './denormals.js';
import type { FusedProgram, KernelProgram } from './fused-program.js';
import type { Kernel } from './kernel.js';
import { ADD_ROWS, COPY_ROWS } from './row-functions.js';
import { RowUpdate } from './row-update.js';
import { addRows } from './scattered-rows.js';
import { onHost, regionBytes, RegionValue, type StateMemory } from './state-memory.js';
import { functionsOf, type WebAssemblyFunction } from './web-assembly.js';

/** Kernels ready to run. */
export interface FusedExecutable extends Executable {
  /** Where an engine may write the input at a position, so that it need not be copied; undefined where that makes no difference. */
  placeFor(position: number): StoredValue | undefined;
}

/**
 * Makes the program of kernels ready to run in a memory of such needs.
 *
 * @param kernelsOf what they are of, for errors and profiles
 * @throws CompileError where WebAssembly has no vectors on this processor
 */
export function runKernels(
  name: string,
  program: FusedProgram,
  memory: StateMemory,
  kernelsOf: () => readonly Kernel[],
): FusedExecutable {
  const { constants, places } = program;
  const kernels = readyKernels(program, memory);

  /** Computes the outputs of the kernel at a position into `results`. */
  const runKernel = (
    position: number,
    valueOf: (position: number) => NdArray | RegionValue,
    results: StoredValue[],
  ): void => {
    const { kernel, call, update } = at(kernels, position);
    const { shape, arrays, scalars, outputs } = kernel;
    const numbers = scalars.map((scalar) => Number(onHost(valueOf(scalar)).data[0]));
    const updated = update?.run(valueOf, numbers);
    if (updated !== undefined) {
      results.push(updated);
      return;
    }
    const [elements, bytes] = [sizeOf(shape), regionBytes(shape)];
    // One kernel after the other has the memory from 0 on: it is done with it before anything else runs.
    const own = (array: number): NdArray<'float32'> => ndarray('float32', shape, memory.view(array * bytes, elements));
    const addresses = arrays.map((read, array) => {
      if (typeof read !== 'number') {
        const { data } = own(array);
        data.fill(0);
        addRows(onHost(valueOf(read.indices)), onHost(valueOf(read.rows)), shape, data);
        return array * bytes;
      }
      const value = valueOf(read);
      if (value instanceof RegionValue) return value.address;
      const { data } = value;
      if (!(data instanceof Float32Array) || data.length !== elements) {
        const variable = describe(at(at(kernelsOf(), position).arrays, array));
        throw new TensorTypeError(
          `${name}: ${variable} is ${formatType(value)} when it is run; it must be float32 ${formatShape(shape)}`,
        );
      }
      own(array).data.set(data);
      return array * bytes;
    });
    const written = Array.from({ length: outputs }, (_, output) => memory.place(shape) ?? own(arrays.length + output));
    const targets = written.map((place, output) =>
      place instanceof RegionValue ? place.address : (arrays.length + output) * bytes,
    );
    call(bytes, ...addresses, ...targets, ...numbers);
    results.push(...written.map((place) => (place instanceof RegionValue ? place : HostValue.copyOf(place))));
  };

  const run = async (
    values: readonly (NdArray | StoredValue)[],
    observe?: (position: number, timeMs: number) => void,
  ): Promise<StoredValue[]> => {
    const known: (NdArray | RegionValue)[] = [];
    for (const value of values) {
      const found = value instanceof RegionValue && value.memory === memory ? value : elementsOf(value);
      known.push(found instanceof Promise ? await found : found);
    }
    const all = [...known, ...constants];
    const results: StoredValue[] = [];
    try {
      for (const position of kernels.keys()) {
        const begun = performance.now();
        runKernel(position, (value) => at(all, value), results);
        observe?.(position, performance.now() - begun);
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
      const record = (position: number, timeMs: number): void =>
        void calls.push(callOf(at(kernelsOf(), position), timeMs));
      await repeat(runs, async (counts) => await run(values, counts ? record : undefined));
      return calls;
    },
    placeFor(position) {
      const shape = places[position];
      return shape === null || shape === undefined ? undefined : memory.place(shape);
    },
    dispose: async () => undefined,
  };
}

/** A kernel and the function that computes it. */
interface ReadyKernel {
  readonly kernel: KernelProgram;
  readonly call: WebAssemblyFunction;
  /** What computes it where it changes some rows only. */
  readonly update: RowUpdate | undefined;
}

function readyKernels({ module, kernels, isCareful }: FusedProgram, memory: StateMemory): ReadyKernel[] {
  const calls = functionsOf(module, memory.linear, isCareful ?? denormalsAreSlow());
  const callNamed = (name: string): WebAssemblyFunction => {
    const call = calls.get(name);
    if (call === undefined) throw new Error(`The module of kernels has no ${name}`);
    return call;
  };
  return kernels.map((kernel) => {
    const call = callNamed(kernel.function);
    if (kernel.ofRows === null) return { kernel, call, update: undefined };
    const callRows = callNamed(kernel.ofRows);
    const ofAll = { addRows: callNamed(ADD_ROWS.name), copyRows: callNamed(COPY_ROWS.name) };
    return { kernel, call, update: new RowUpdate(kernel, memory, { call, callRows, ...ofAll }) };
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
