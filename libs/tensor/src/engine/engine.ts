import type { NdArray } from '@longrun/serialization';

import type { Variable } from '../graph/variable.js';
import type { NumericEnvironment } from './environment.js';

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
  /** Computes the outputs from values for the inputs, in order. The results are fresh arrays, never written again. */
  run(values: readonly NdArray[]): Promise<readonly NdArray[]>;
  /** Frees what the engine holds outside of JavaScript. */
  dispose(): Promise<void>;
}

/** Options of every engine. */
export interface EngineOptions {
  /** Threads for one op. */
  readonly threads: number;
}
