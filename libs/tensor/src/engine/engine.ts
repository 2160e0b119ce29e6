import type { DType, NdArray } from '@longrun/serialization';

import type { Apply } from '../graph/apply.js';
import type { Op } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import type { NumericEnvironment } from './numeric-environment.js';
import type { KernelCall } from './profile.js';
import type { StoredValue } from './stored-value.js';

/** What an engine is given: one graph, forward, backward and updates together. */
export interface FunctionGraph {
  /** For error messages. */
  readonly name: string;
  /** What is fed: the function's inputs, then its shared variables. */
  readonly inputs: readonly Variable[];
  /** What is computed: outputs and new values of shared variables, each once. */
  readonly outputs: readonly Variable[];
  /** Those of the outputs that are fed again and not looked at: an engine with a memory of its own keeps them there. Default none. */
  readonly state?: ReadonlySet<Variable>;
}

/** Where a function runs: what travels from an experiment's spec to the engine. Fixed for an experiment, as the last bits depend on it. */
export interface ComputeTarget {
  /** Name of a registered engine. */
  readonly engine: string;
  /** What it computes with: `cpu`, `webgpu`, `cuda`. */
  readonly provider: string;
  /** Which one of several devices of the provider, from 0. */
  readonly device: number;
  /** Threads within one op. */
  readonly threads: number;
}

/** A graph ready to run. */
export interface Executable {
  /**
   * Computes the outputs from values for the inputs, in order: values of its own or of any other engine, which the caller keeps held
   * until it has ended. The results are new values, each with one handle, which is the caller's; when it throws there are none left.
   *
   * @param places For outputs, by their position, values on the host that nobody has looked at: an engine that can writes the outputs there,
   * and gives them as results, with one more handle. Another one passes over them.
   */
  run(
    inputs: readonly (NdArray | StoredValue)[],
    places?: readonly (StoredValue | undefined)[],
  ): Promise<readonly StoredValue[]>;
  /** Runs it `runs` times after a first time that does not count, and tells what was called. Absent where the engine cannot tell. */
  profile?(inputs: readonly (NdArray | StoredValue)[], runs: number): Promise<readonly KernelCall[]>;
  /** Frees what the engine holds outside of JavaScript. */
  dispose(): Promise<void>;
  /** Where its program is from. Absent where nothing is compiled that could be kept. */
  readonly source?: ProgramSource;
}

/** Where a program of an engine is from. */
export interface ProgramSource {
  /** `cache`: that of compiled programs on disk. */
  readonly from: 'cache' | 'compiler';
  /** Why it is not from the cache, a sentence without its full stop; of what is, undefined. */
  readonly reason?: string | undefined;
}

/** What an engine computes with: the processor, or a kind of device. */
export interface ProviderDefinition {
  /** `cpu`, `webgpu`, `cuda`. */
  readonly name: string;
  /** Whether there may be several devices of it in a machine, of which a target names one. */
  readonly hasSeveralDevices: boolean;
  /** Why it cannot be used on this machine, a sentence without its full stop; undefined when it can. Cheap: loads no engine. */
  unavailable(): string | undefined;
}

/** What kernels of WebAssembly may compute in place of an engine: with its bits. */
export interface FusionRules {
  /** Names of the providers whose values lie in the memory of this process, and that compute float32 by IEEE 754, denormals included. */
  readonly providers: ReadonlySet<string>;
  /**
   * Why the engine gives an application within its graph other bits than by itself, a sentence without its full stop; undefined where it
   * does not, whatever else uses its inputs. `isOfConstants` tells whether a variable is known before a run.
   */
  rewrites(node: Apply, isOfConstants: (variable: Variable) => boolean): string | undefined;
  /** Whether kernels take a longer way with denormals, which has the same bits. Default: where denormals make this processor slow. */
  readonly isCareful?: boolean;
}

/**
 * An engine, as the registry holds it: what runs a compiled graph. A definition is cheap to import; the engine itself is loaded by
 * `compile` alone.
 */
export interface EngineDefinition {
  /** Lower case letters, digits and dashes. */
  readonly name: string;
  /** At least one; the first that is available is used where none is asked for. */
  readonly providers: readonly ProviderDefinition[];
  /** Why it cannot be used on this machine at all, a sentence without its full stop; undefined when it can. */
  unavailable(): string | undefined;
  /** What the bits of results depend on. */
  environment(target: ComputeTarget): NumericEnvironment;
  /**
   * Why it cannot run `op` with inputs and outputs of these dtypes, in this order, a sentence without its full stop; undefined when it
   * can. Of an op with an inner graph it is asked by itself, and of each op inside. What it cannot run the host runs where that is cheap (see `partition`); else the graph cannot be compiled.
   */
  supports(op: Op, dtypes: readonly DType[]): string | undefined;
  /** Dtypes that it holds in one of less range: what has few elements of one is computed by the host. Default none. */
  readonly narrowed?: ReadonlySet<DType>;
  /** Names of ops that it leaves to the host, however many elements there are: it has no kernels for them. Default none. */
  readonly hostOps?: ReadonlySet<string>;
  /** Dtypes in which it leaves what it does not support to the host, likewise. Default none. */
  readonly hostDtypes?: ReadonlySet<DType>;
  /** Where it leaves the elementwise ends of updates to kernels of this package (see `fuse`). Default nowhere. */
  readonly fusion?: FusionRules;
  /** Makes a graph ready to run, all ops of which it supports. */
  compile(graph: FunctionGraph, target: ComputeTarget): Promise<Executable>;
}
