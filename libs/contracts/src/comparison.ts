import { z } from 'zod';

import { ExperimentId, Sha256 } from './ids.js';
import { Json } from './json.js';
import { ExperimentStatus } from './status.js';

/** One of two experiments that are compared. */
const Compared = z.object({
  id: ExperimentId,
  name: z.string(),
  status: ExperimentStatus,
  /** Of its final parameters; null where it has none. */
  parametersSha256: Sha256.nullable(),
});

/** In what two experiments that have ended differ, bit for bit. What one of them has not is left out or null. */
const Differences = z.object({
  /** Log rows by step that were compared; those that the clock on the wall says aside. */
  rows: z.int().min(0),
  /** Where the logs part; null where they are equal. */
  log: z.object({ step: z.int().min(0), record: z.string(), a: Json.optional(), b: Json.optional() }).nullable(),
  /** Names of the parameters that differ, where the logs are equal and the final parameters are not. */
  parameters: z.array(z.string()),
  /** Files that the programs have written and that are not the same: their SHA-256. */
  outputs: z.array(z.object({ name: z.string(), a: Sha256.nullable(), b: Sha256.nullable() })),
});

/** How the results of two experiments compare, as they are stored. */
export const ExperimentComparison = z.object({
  a: Compared,
  b: Compared,
  /**
   * `identical`: both have succeeded, with the same parameters, log and outputs, bit for bit. `undecided`: one of them has not ended. `incomparable`: nothing
   * differs, but one of them has not succeeded.
   */
  verdict: z.enum(['identical', 'different', 'incomparable', 'undecided']),
  /** Null while it is undecided. */
  differences: Differences.nullable(),
  /**
   * In what the numeric environments and the libraries differ: the values of the attempts of each, in their order, each once. Bits repeat only where there is
   * nothing.
   */
  environment: z.array(z.object({ name: z.string(), a: z.array(Json), b: z.array(Json) })),
});
export type ExperimentComparison = z.infer<typeof ExperimentComparison>;

/** The query of a comparison. */
export const ComparisonQuery = z.strictObject({
  /** The id of the other experiment. */
  with: ExperimentId,
});
export type ComparisonQuery = z.infer<typeof ComparisonQuery>;
