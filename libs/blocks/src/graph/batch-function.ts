import type { NdArray } from '@longrun/serialization';
import { denseOf, type Batch, type DataStream } from '@longrun/fuel';
import {
  ancestors,
  compile,
  graphInputs,
  type CompiledFunction,
  type ComputeOptions,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';

import { BrickProfile, type ProfileOptions } from './brick-profile.js';
import { inputsByName, isInput } from './computation-graph.js';
import { inputExpectations, type InputExpectation } from './input-expectations.js';

/** What to do with sources of a batch that the graph does not use. */
export type OnUnusedSources = 'raise' | 'warn' | 'ignore';

/** Options of {@link compileBatchFunction}. */
export interface BatchFunctionOptions extends ComputeOptions {
  /** Who asks, for errors. */
  readonly name: string;
  readonly outputs: readonly Variable[];
  /** Default none. */
  readonly updates?: ReadonlyMap<SharedVariable, Variable>;
  /** Default 'raise'. */
  readonly onUnusedSources?: OnUnusedSources;
}

/** A compiled function whose inputs are the sources of a batch, matched by name. */
export class BatchFunction {
  readonly name: string;
  readonly compiled: CompiledFunction;
  readonly #expectations: readonly InputExpectation[];
  #onUnusedSources: OnUnusedSources;

  constructor(
    compiled: CompiledFunction,
    expectations: readonly InputExpectation[],
    options: { readonly name: string; readonly onUnusedSources: OnUnusedSources },
  ) {
    this.name = options.name;
    this.compiled = compiled;
    this.#expectations = expectations;
    this.#onUnusedSources = options.onUnusedSources;
  }

  /**
   * Computes the outputs for a batch and then makes the updates.
   *
   * @throws Error when sources and inputs do not match, when an array does not fit its input, or a source is ragged; nothing is updated then
   */
  async run(batch: Batch): Promise<NdArray[]> {
    return this.compiled.run(this.#inputsFrom(batch));
  }

  /** What the ops of a run for this batch take, which is run some times for that and updates nothing: by brick. @throws Error where the engine does not tell */
  async profile(batch: Batch, options: ProfileOptions = {}): Promise<BrickProfile> {
    return new BrickProfile(await this.compiled.profile(this.#inputsFrom(batch), options));
  }

  /**
   * How many examples a batch of `stream` has: the size of the axis labelled `batch` of the first input, the first axis where
   * there are no labels; 1 for a single example, or where there is no input.
   */
  examplesIn(batch: Batch, stream: Pick<DataStream, 'axisLabels' | 'producesExamples'>): number {
    const [first] = this.#expectations;
    if (first === undefined || stream.producesExamples) return 1;
    const labelled = stream.axisLabels?.get(first.source)?.indexOf('batch') ?? 0;
    const column = batch.columns.get(first.source);
    return column === undefined ? 1 : (denseOf(column, this.name).shape[Math.max(0, labelled)] ?? 1);
  }

  #inputsFrom(batch: Batch): NdArray[] {
    const inputs: NdArray[] = [];
    for (const expectation of this.#expectations) {
      const column = batch.columns.get(expectation.source);
      if (column === undefined) throw new Error(this.#sourceMissing(expectation.source, batch));
      const array = denseOf(column, `${this.name}: the source ${expectation.source}`);
      expectation.check(array);
      inputs.push(array);
    }
    if (batch.columns.size > this.#expectations.length) this.#unusedSources(batch);
    return inputs;
  }

  #sourceMissing(source: string, batch: Batch): string {
    return (
      `${this.name}: the graph has an input named ${source} but the batch has no such source; ` +
      `its sources are ${[...batch.columns.keys()].join(', ') || 'none'}. ` +
      'Give the input the name of a source, or rename the sources of the stream'
    );
  }

  #unusedSources(batch: Batch): void {
    if (this.#onUnusedSources === 'ignore') return;
    const used = new Set(this.#expectations.map(({ source }) => source));
    const unused = [...batch.columns.keys()].filter((source) => !used.has(source));
    const message =
      `${this.name}: the batch has sources that the graph does not use: ${unused.join(', ')}; ` +
      `its inputs are ${[...used].join(', ') || 'none'}. ` +
      "Leave them out with the option sources of the dataset, or set onUnusedSources to 'ignore'";
    if (this.#onUnusedSources === 'raise') throw new Error(message);
    this.#onUnusedSources = 'ignore';
    process.emitWarning(message, 'UnusedSourcesWarning');
  }
}

/** Compiles what `outputs` and `updates` depend on. */
export async function compileBatchFunction(options: BatchFunctionOptions): Promise<BatchFunction> {
  const { name, outputs, updates = new Map<SharedVariable, Variable>() } = options;
  // Annotations are left out of the inputs: what only an auxiliary variable needs is not needed here.
  const results = [...outputs, ...updates.values()];
  const inputs = [...inputsByName(graphInputs(results).filter(isInput))];
  const compiled = await compile({
    name,
    inputs: inputs.map(([, variable]) => variable),
    outputs,
    updates,
    engine: options.engine,
    provider: options.provider,
    device: options.device,
    threads: options.threads,
  });
  return new BatchFunction(compiled, inputExpectations(inputs, ancestors(results)), {
    name,
    onUnusedSources: options.onUnusedSources ?? 'raise',
  });
}
