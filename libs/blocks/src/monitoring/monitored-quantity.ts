import type { Json, NdArray } from '@longrun/serialization';
import type { Variable } from '@longrun/tensor';

import type { LogValue } from '../log/log-value.js';

/**
 * Something that is monitored but not computed by the graph: a BLEU score, a histogram (Blocks: `MonitoredQuantity`). It is given to monitoring
 * extensions and evaluators among the variables.
 *
 * Of training that is killed between two records, `state()` is all that is left of the batches before.
 */
export abstract class MonitoredQuantity {
  /** That of its record. */
  readonly name: string;
  /** What is computed for each batch and given to `aggregate`. Default none. */
  readonly requires: readonly Variable[];

  constructor(options: { readonly name: string; readonly requires?: readonly Variable[] }) {
    this.name = options.name;
    this.requires = options.requires ?? [];
  }

  /** Begins anew: forgets all batches. */
  abstract initialize(): void;

  /** Adds a batch: the values of `requires`, in their order. */
  abstract aggregate(...values: readonly NdArray[]): void;

  /** What came of the batches since `initialize()`. */
  abstract getAggregatedValue(): LogValue;

  /** What it remembers of the batches since `initialize()`. */
  abstract state(): Json;

  /** Takes back what `state()` gave. */
  abstract restore(state: Json): void;
}
