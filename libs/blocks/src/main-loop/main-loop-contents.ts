import type { NdArray, VersionedState } from '@longrun/serialization';

/** The arrays of a main loop, by name. */
export interface MainLoopArrays {
  /** What is saved with the model, by path: `/mlp/linear_0.W`. */
  readonly parameters: ReadonlyMap<string, NdArray>;
  /** All else that training writes: `/mlp/linear_0.W:adam.mean`, `adam.time`. */
  readonly algorithm: ReadonlyMap<string, NdArray>;
}

/** What a main loop goes on from: its `state()` and its `arrays()`. */
export interface MainLoopContents extends MainLoopArrays {
  readonly state: VersionedState;
}

/** How a main loop goes on from a state. */
export interface MainLoopRestoring {
  /**
   * The state is that of another run, which may have ended there: that it has finished is taken back, with what extensions wrote to the log in
   * `afterTraining`, and hyperparameters that are built with other values than there have these. Null, and by default: it is one of its own.
   */
  readonly fork?: { readonly otherDatasets: boolean } | null;
}
