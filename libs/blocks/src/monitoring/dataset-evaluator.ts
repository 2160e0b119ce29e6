import type { NdArray } from '@longrun/serialization';
import type { DataStream } from '@longrun/fuel';
import type { SharedVariable, Variable } from '@longrun/tensor';

import { EventLoopBreaks } from '../event-loop.js';
import { compileBatchFunction, type BatchFunction, type ComputeOptions } from '../graph/batch-function.js';
import type { LogValue } from '../log/log-value.js';
import { aggregatorsOf, type Aggregator } from './aggregator.js';

/** Options of {@link DatasetEvaluator}. */
export interface DatasetEvaluatorOptions {
  /** New values of shared variables with each batch. Default none. */
  readonly updates?: ReadonlyMap<SharedVariable, Variable>;
}

/** Computes variables over a whole pass of a data stream (Blocks: `DatasetEvaluator`). */
export class DatasetEvaluator {
  readonly variables: readonly Variable[];
  readonly #aggregators: readonly Aggregator[];
  readonly #required: readonly Variable[];
  readonly #updates: ReadonlyMap<SharedVariable, Variable>;
  #function: Promise<BatchFunction> | undefined;

  /** @throws Error when a variable has no name, or two have the same */
  constructor(variables: readonly Variable[], options: DatasetEvaluatorOptions = {}) {
    this.variables = [...variables];
    this.#aggregators = aggregatorsOf('DatasetEvaluator', variables);
    this.#required = [...new Set(this.#aggregators.flatMap(({ requires }) => requires))];
    this.#updates = options.updates ?? new Map<SharedVariable, Variable>();
  }

  /**
   * The aggregated values, by name, from the batches left in the present epoch of `stream`; then starts its next epoch.
   *
   * @throws Error when the stream has no batches
   */
  async evaluate(stream: DataStream, options: ComputeOptions = {}): Promise<Map<string, LogValue>> {
    this.#function ??= compileBatchFunction({
      ...options,
      name: 'DatasetEvaluator',
      outputs: this.#required,
      updates: this.#updates,
      onUnusedSources: 'ignore',
    });
    const compiled = await this.#function;
    for (const aggregator of this.#aggregators) aggregator.reset();
    await this.#aggregate(compiled, stream);
    await stream.nextEpoch();
    return new Map(this.#aggregators.map((aggregator) => [aggregator.name, aggregator.readOut()]));
  }

  async #aggregate(compiled: BatchFunction, stream: DataStream): Promise<void> {
    const breaks = new EventLoopBreaks();
    let batches = 0;
    for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
      const values = await compiled.run(batch);
      const examples = compiled.examplesIn(batch, stream);
      const valueOf = new Map(this.#required.map((variable, at) => [variable, values[at]]));
      for (const aggregator of this.#aggregators) aggregator.add(valuesOf(aggregator, valueOf), examples);
      batches += 1;
      await breaks.takeIfDue();
    }
    if (batches === 0) {
      throw new Error(
        'DatasetEvaluator: the data stream gave no batches; give it examples, and a stream of its own that nothing else reads',
      );
    }
  }
}

/** The values that an aggregator requires. */
export function valuesOf(aggregator: Aggregator, valueOf: ReadonlyMap<Variable, NdArray | undefined>): NdArray[] {
  return aggregator.requires.map((variable) => {
    const value = valueOf.get(variable);
    if (value === undefined) throw new Error(`${aggregator.name}: ${variable.toString()} was not computed`);
    return value;
  });
}
