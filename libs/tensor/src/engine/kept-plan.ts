import { decodeSafetensors, encodeSafetensors, ndarray, type NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { SharedVariable } from '../graph/shared-variable.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import type { AskedFunction } from './asked-function.js';
import { CompileCache } from './compile-cache.js';
import type { Executable, FunctionGraph } from './engine.js';
import { programsFor } from './engine-registry.js';
import type { EngineProgram, EnginePrograms } from './engine-program.js';
import { runKernels } from './fusion/fused-executable.js';
import type { FusedProgram } from './fusion/fused-program.js';
import { memoryFor } from './fusion/state-memory.js';
import { GraphText, MOST_BYTES, Untold } from './graph-text.js';
import { ownCode } from './own-code.js';
import type { Plan, PlannedLayout } from './plan.js';
import {
  disposeOf,
  graphOf,
  runParts,
  type CompiledStages,
  type StagedExecutable,
  type Wiring,
} from './staged-executable.js';

/** A graph of fewer applications is planned as fast as a plan is read. */
const LEAST_APPLICATIONS = 32;

/** A function that was planned by this process or another, ready to run. */
export interface FoundPlan {
  readonly layout: PlannedLayout;
  readonly executable: StagedExecutable;
}

/**
 * Where the plan of a function is kept: by all that planning goes by. What cannot be told apart in words is not kept, nor what the host runs a part of,
 * as ops of the host are code.
 */
export class PlaceOfPlan {
  readonly #cache: CompileCache;
  /** Of this library. */
  readonly #code: string;
  readonly #asked: AskedFunction;
  readonly #key: string;
  readonly #variables: readonly Variable[];
  readonly programs: EnginePrograms;

  private constructor(
    cache: CompileCache,
    code: string,
    asked: AskedFunction,
    text: GraphText,
    programs: EnginePrograms,
  ) {
    this.#cache = cache;
    this.#code = code;
    this.#asked = asked;
    this.#key = keyOf(code, text);
    this.#variables = text.variables;
    this.programs = programs;
  }

  /** The place, or why there is none: a sentence without its full stop. */
  static async for(asked: AskedFunction, cache: CompileCache): Promise<PlaceOfPlan | string> {
    const programs = programsFor(asked.target);
    if (programs === undefined)
      return `what is planned for ${asked.target.engine} on ${asked.target.provider} cannot be kept`;
    const { length } = asked.order;
    if (length < LEAST_APPLICATIONS) return `it has ${length} applications, of ${LEAST_APPLICATIONS} that are worth it`;
    // What the disk has is on its way while the graph is told, and so is the engine.
    const reading = Promise.all([cache.unusable(), ownCode(), programs.load()]);
    const text = told(asked);
    const [unusable, code] = await reading;
    if (unusable !== undefined) return unusable;
    if (code === undefined) return 'it is not known of which version this code is';
    return typeof text === 'string' ? text : new PlaceOfPlan(cache, code, asked, text, programs);
  }

  /**
   * What is kept here, ready to run; undefined where there is nothing that can be.
   *
   * @param plan for what a plan that is kept does not tell
   */
  async find(plan: () => Plan): Promise<FoundPlan | undefined> {
    const bytes = await this.#cache.find(this.#key);
    if (bytes === undefined) return undefined;
    try {
      return await this.#open(decoded(bytes), plan);
    } catch {
      await this.#cache.remove(this.#key);
      return undefined;
    }
  }

  /** Keeps a plan. Returns why not, a sentence without its full stop; undefined where it is kept. */
  async keep(plan: Plan, { wiring, programs, kernels }: CompiledStages): Promise<string | undefined> {
    const { stages, layout, lacksMemory } = plan;
    if (stages.some(({ on }) => on === 'host')) return 'the host runs a part of it';
    if (lacksMemory) return 'there was not address space enough for its kernels';
    const text = told(this.#asked);
    if (typeof text === 'string' || keyOf(this.#code, text) !== this.#key) {
      return 'its graph was changed while it was compiled';
    }
    const { reads, ...positions } = layout;
    const numbers = new Map(this.#variables.map((variable, number) => [variable, number]));
    const bytes = encoded({
      layout: { ...positions, reads: reads.map((read) => numbers.get(read) ?? -1) },
      wiring,
      programs,
      kernels,
    });
    if (bytes.length > MOST_BYTES) return `it takes ${bytes.length} bytes, of ${MOST_BYTES} at most`;
    return (await this.#cache.unwritable()) ?? (await this.#cache.keep(this.#key, bytes));
  }

  async #open(
    { layout, wiring, programs, kernels: fused }: KeptPlan,
    plan: () => Plan,
  ): Promise<FoundPlan | undefined> {
    const { name, engine, target } = this.#asked;
    const reads = layout.reads.map((number) => at(this.#variables, number));
    if (!reads.every((read) => read instanceof SharedVariable)) throw new Error('the plan reads what is not shared');
    const executables: Executable[] = [];
    try {
      for (const [stage, program] of programs.entries()) {
        const graph = (): FunctionGraph => graphOf(at(plan().stages, stage), plan().graph);
        executables.push(await this.programs.open(name, program, target, graph));
      }
      const memory = fused && memoryFor(fused.needs);
      if (fused !== undefined && memory === undefined) {
        await disposeOf(executables);
        return undefined;
      }
      const kernels = fused && memory && runKernels(name, fused, memory, () => plan().fused?.kernels ?? []);
      if (kernels !== undefined) executables.push(kernels);
      return { layout: { ...layout, reads }, executable: runParts(name, wiring, { engine, executables, kernels }) };
    } catch (error) {
      await disposeOf(executables);
      throw error;
    }
  }
}

/** Tells plans from what else is kept. */
const LAYOUT = 'longrun plan 1';

function keyOf(code: string, { words }: GraphText): string {
  return CompileCache.keyOf([LAYOUT, code, ...words]);
}

/** What a function is in words, or why it cannot be told. */
function told(asked: AskedFunction): GraphText | string {
  try {
    return textOf(asked);
  } catch (error) {
    if (error instanceof Untold) return error.message;
    throw error;
  }
}

/** All that planning and lowering go by, in words. @throws Untold */
function textOf(asked: AskedFunction): GraphText {
  const { name, inputs, outputs, updates, computed, watches, onUnusedInput, rewrites, floatX, engine, target } = asked;
  const values = watches.map((watch) => watch.values);
  const all = [...computed, ...values.flat()];
  const order = watches.length === 0 ? asked.order : toposort(all, { blockers: inputs, inside: true });
  const text = new GraphText(inputs, order);
  text.add(JSON.stringify([text.numbersOf(all), text.numbersOf(updates.map(([variable]) => variable))]));
  const counts = [outputs, values.map(({ length }) => length)];
  text.add(JSON.stringify([name, counts, onUnusedInput, rewrites, floatX, target, engine.environment(target)]));
  return text;
}

/** A plan as it is kept. */
interface KeptPlan {
  /** Shared variables that are read have the numbers of {@link GraphText}. */
  readonly layout: Omit<PlannedLayout, 'reads'> & { readonly reads: readonly number[] };
  readonly wiring: Wiring;
  readonly programs: readonly EngineProgram[];
  readonly kernels: FusedProgram | undefined;
}

/** As a safetensors file: JSON, and arrays. */
function encoded({ layout, wiring, programs, kernels }: KeptPlan): Uint8Array {
  const arrays = new Map<string, NdArray>();
  const put = (array: NdArray): string => {
    const name = String(arrays.size);
    arrays.set(name, array);
    return name;
  };
  const bytesOf = (bytes: Uint8Array): string => put(ndarray('uint8', [bytes.length], bytes));
  const plan: Written = {
    layout,
    wiring: { ...wiring, constants: wiring.constants.map(put) },
    programs: programs.map(({ bytes, facts }) => ({ bytes: bytesOf(bytes), facts })),
    kernels: kernels && { ...kernels, module: bytesOf(kernels.module), constants: kernels.constants.map(put) },
  };
  return encodeSafetensors(arrays, { plan: JSON.stringify(plan) });
}

/** A plan with names of arrays in the place of arrays. */
interface Written extends Pick<KeptPlan, 'layout'> {
  readonly wiring: Omit<Wiring, 'constants'> & { readonly constants: readonly string[] };
  readonly programs: readonly { readonly bytes: string; readonly facts: string }[];
  readonly kernels:
    | (Omit<FusedProgram, 'module' | 'constants'> & { readonly module: string; readonly constants: readonly string[] })
    | undefined;
}

/** @throws InvalidSafetensors, Error where it was not {@link encoded} */
function decoded(bytes: Uint8Array): KeptPlan {
  const { tensors, metadata } = decodeSafetensors(bytes);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key has the version of the code that wrote it, and a hash of what it wrote
  const { layout, wiring, programs, kernels } = JSON.parse(metadata['plan'] ?? '') as Written;
  const arrayOf = (name: string): NdArray => {
    const array = tensors.get(name);
    if (array === undefined) throw new Error(`the plan has no array ${name}`);
    return array;
  };
  const bytesOf = (name: string): Uint8Array => {
    const { data } = arrayOf(name);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  };
  return {
    layout,
    wiring: { ...wiring, constants: wiring.constants.map(arrayOf) },
    programs: programs.map(({ bytes: array, facts }) => ({ bytes: bytesOf(array), facts })),
    kernels: kernels && { ...kernels, module: bytesOf(kernels.module), constants: kernels.constants.map(arrayOf) },
  };
}
