import type { NdArray } from '@longrun/serialization';
import type { DataStream } from '@longrun/fuel';
import { describe, type ComputeOptions, type SharedVariable, type Variable } from '@longrun/tensor';

import { EventLoopBreaks } from '../main-loop/event-loop.js';
import { compileBatchFunction, type BatchFunction } from '../graph/batch-function.js';
import type { LogValue } from '../log/log-value.js';
import type { Monitored } from './aggregator.js';
import { MonitoredQuantityBuffer } from './monitored-quantity-buffer.js';

/** Options of {@link DatasetEvaluator}. */
export interface DatasetEvaluatorOptions {
  /** New values of shared variables with each batch. Default none. */
  readonly updates?: ReadonlyMap<SharedVariable, Variable>;
  /** Those of `updates` that have after each evaluation the value that they had before it, and so need not be saved. Default none. */
  readonly transient?: readonly SharedVariable[];
}

/** Options of {@link DatasetEvaluator.evaluate}. */
export interface EvaluateOptions extends ComputeOptions {
  /** Called with each batch. */
  readonly onBatch?: () => void;
}

/** Computes variables over a whole pass of a data stream (Blocks: `DatasetEvaluator`). */
export class DatasetEvaluator {
  readonly variables: readonly Monitored[];
  readonly #buffer: MonitoredQuantityBuffer;
  readonly #updates: ReadonlyMap<SharedVariable, Variable>;
  readonly #transient: ReadonlySet<SharedVariable>;
  #function: Promise<BatchFunction> | undefined;

  /** @throws Error when a variable has no name, or two have the same, or when a transient one has no update */
  constructor(variables: readonly Monitored[], options: DatasetEvaluatorOptions = {}) {
    this.variables = [...variables];
    this.#buffer = new MonitoredQuantityBuffer('DatasetEvaluator', variables);
    this.#updates = options.updates ?? new Map<SharedVariable, Variable>();
    this.#transient = new Set(options.transient ?? []);
    for (const variable of this.#transient) {
      if (this.#updates.has(variable)) continue;
      throw new Error(
        `DatasetEvaluator: the transient ${describe(variable)} has no update; leave it out, or give it one`,
      );
    }
  }

  /** What it updates and does not set back: to be saved by whoever evaluates while training. */
  get updatedVariables(): readonly SharedVariable[] {
    return [...this.#updates.keys()].filter((variable) => !this.#transient.has(variable));
  }

  /** What it updates and sets back after each evaluation. */
  get transientVariables(): readonly SharedVariable[] {
    return [...this.#transient];
  }

  /**
   * The aggregated values, by name, from the batches left in the present epoch of `stream`; then starts its next epoch.
   *
   * @throws Error when the stream has no batches
   */
  async evaluate(stream: DataStream, options: EvaluateOptions = {}): Promise<Map<string, LogValue>> {
    const { onBatch, ...computeOptions } = options;
    this.#function ??= compileBatchFunction({
      ...computeOptions,
      name: 'DatasetEvaluator',
      outputs: this.#buffer.requires,
      updates: this.#updates,
      onUnusedSources: 'ignore',
    });
    const compiled = await this.#function;
    this.#buffer.initialize();
    const before = [...this.#transient].map((variable) => ({ variable, value: variable.pin() }));
    try {
      await this.#aggregate(compiled, stream, onBatch);
    } finally {
      for (const { variable, value } of before) {
        variable.setValue(value);
        value.release();
      }
    }
    await stream.nextEpoch();
    return this.#buffer.getAggregatedValues();
  }

  async #aggregate(compiled: BatchFunction, stream: DataStream, onBatch?: () => void): Promise<void> {
    const breaks = new EventLoopBreaks();
    let batches = 0;
    for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
      const values = await compiled.run(batch);
      const valueOf = new Map(this.#buffer.requires.map((variable, at) => [variable, values[at]]));
      this.#buffer.aggregate(
        (variable) => computed(variable, valueOf.get(variable)),
        compiled.examplesIn(batch, stream),
      );
      batch.release();
      batches += 1;
      onBatch?.();
      await breaks.takeIfDue();
    }
    if (batches === 0) {
      throw new Error(
        'DatasetEvaluator: the data stream gave no batches; give it examples, and a stream of its own that nothing else reads',
      );
    }
  }
}

function computed(variable: Variable, value: NdArray | undefined): NdArray {
  if (value !== undefined) return value;
  throw new Error(`DatasetEvaluator: ${describe(variable)} was not computed`);
}
