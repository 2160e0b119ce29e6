import type { Variable } from '@longrun/tensor';

/** The second argument of a recurrent application. */
export interface RecurrentCallOptions {
  /** False for one step alone, of inputs without the axis of time, to which all states are given. Default true. */
  readonly iterate?: boolean | undefined;
  /** Goes through the sequences from their end; what comes out is in their order all the same. Default false. */
  readonly reverse?: boolean | undefined;
  /** What comes out of the states begins with their initial values, at the end of time with `reverse`. Default false. */
  readonly returnInitialStates?: boolean | undefined;
  /** How many steps to make. Default: as many as the sequences have; needed where there are none. */
  readonly nSteps?: number | Variable | undefined;
  /** How many sequences there are side by side, to make initial states of. Default: as the sequences have it; needed where there are none. */
  readonly batchSize?: number | Variable | undefined;
  /** Gradients come from that many of the last steps only (Blocks: `scan_kwargs`). Default: from all. */
  readonly truncateGradient?: number | undefined;
}
