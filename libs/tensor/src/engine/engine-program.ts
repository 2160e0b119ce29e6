import type { ComputeTarget, Executable, FunctionGraph } from './engine.js';

/** What an engine has made of a graph, as data: another process can go on from it. */
export interface EngineProgram {
  readonly bytes: Uint8Array;
  /** What else the engine has to know, as JSON. */
  readonly facts: string;
}

/** What an engine's `compile` does, in two steps. */
export interface EnginePrograms {
  /** Loads what they need: who knows that they will be asked for can have that done meanwhile. */
  load(): Promise<void>;
  lower(graph: FunctionGraph, target: ComputeTarget): Promise<EngineProgram>;
  /**
   * Makes a program ready to run.
   *
   * @param graphOf What it was made of, for errors and profiles.
   */
  open(name: string, program: EngineProgram, target: ComputeTarget, graphOf: () => FunctionGraph): Promise<Executable>;
}
