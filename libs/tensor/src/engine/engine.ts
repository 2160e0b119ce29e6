import type { NdArray } from '@longrun/serialization';

import type { Variable } from '../graph/variable.js';
import type { NumericEnvironment } from './environment.js';
import type { StoredValue } from './stored-value.js';

/** What runs a compiled graph; see architecture.md. */
export type EngineName = 'onnxruntime' | 'reference';

/** What an engine is given: one graph, forward, backward and updates together. */
export interface FunctionGraph {
  /** For error messages. */
  readonly name: string;
  /** What is fed: the function's inputs, then its shared variables. */
  readonly inputs: readonly Variable[];
  /** What is computed: outputs and new values of shared variables, each once. */
  readonly outputs: readonly Variable[];
}

/** A graph ready to run. */
export interface Executable {
  readonly environment: NumericEnvironment;
  /**
   * Computes the outputs from values for the inputs, in order: values of its own or of any other engine, which the caller keeps held
   * until it has ended. The results are new values, each with one handle, which is the caller's; when it throws there are none left.
   */
  run(inputs: readonly (NdArray | StoredValue)[]): Promise<readonly StoredValue[]>;
  /** Frees what the engine holds outside of JavaScript. */
  dispose(): Promise<void>;
}

/** Options of every engine. */
export interface EngineOptions {
  /** Threads for one op. */
  readonly threads: number;
}
