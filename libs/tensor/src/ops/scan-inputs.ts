import type { Apply } from '../graph/apply.js';
import type { InnerGraph, Op } from '../graph/op.js';

/** What a scan does around its inner graph. A type and not an interface: the parameters of an op are a record. */
export type ScanParameters = {
  /** For each sequence, whether it is read from its end. */
  readonly backwardInputs: readonly boolean[];
  /** How many states are carried from step to step. */
  readonly states: number;
  /** For each output that is collected, whether it is written from its end. */
  readonly backwardOutputs: readonly boolean[];
  /** How many of the last steps gradients come from; null for all. */
  readonly truncateGradient: number | null;
};

/** Makes the op of a scan. */
export type MakeScan = (inner: InnerGraph, parameters: ScanParameters) => Op<'scan', ScanParameters>;

/** An application of a scan, with what its op knows. */
export interface AppliedScan {
  readonly node: Apply;
  readonly inner: InnerGraph;
  readonly parameters: ScanParameters;
  readonly makeScan: MakeScan;
}

/** The inputs of a scan or of its inner graph by what they are; the number of steps is left out. */
export interface ScanInputs<T> {
  readonly sequences: readonly T[];
  readonly states: readonly T[];
  /** The same in all steps. */
  readonly constants: readonly T[];
}

/** Tells the inputs of an inner graph apart, or those of a scan after the first. */
export function scanInputs<T>(inputs: readonly T[], { backwardInputs, states }: ScanParameters): ScanInputs<T> {
  const start = backwardInputs.length;
  return {
    sequences: inputs.slice(0, start),
    states: inputs.slice(start, start + states),
    constants: inputs.slice(start + states),
  };
}
