import type { Json, NdArray } from '@longrun/serialization';
import type { Batch, DataStream } from '@longrun/fuel';
import { ancestors, SharedVariable, type ComputeOptions, type Variable } from '@longrun/tensor';

import { compileBatchFunction, type BatchFunction, type OnUnusedSources } from '../graph/batch-function.js';
import type { BrickProfile, ProfileOptions } from '../graph/brick-profile.js';
import { ALGORITHM_STATE, hasRoles } from '../roles.js';
import type { TrainingAlgorithm } from './training-algorithm.js';

/** Options of {@link UpdatesAlgorithm}. */
export interface UpdatesAlgorithmOptions {
  /** New values of shared variables with each batch. */
  readonly updates?: Iterable<readonly [SharedVariable, Variable]>;
  /** What to do with sources of the stream that the graph does not use. Default 'raise'. */
  readonly onUnusedSources?: OnUnusedSources;
}

/**
 * An algorithm that updates shared variables with each batch (Blocks: `UpdatesAlgorithm`). The sources of the batch are
 * matched with the inputs of the graph by name.
 */
export class UpdatesAlgorithm implements TrainingAlgorithm {
  readonly #updates = new Map<SharedVariable, Variable>();
  readonly #onUnusedSources: OnUnusedSources;
  readonly #observed = new Map<Variable, NdArray | undefined>();
  #function: BatchFunction | undefined;

  constructor(options: UpdatesAlgorithmOptions = {}) {
    this.#onUnusedSources = options.onUnusedSources ?? 'raise';
    this.addUpdates(options.updates ?? []);
  }

  /** New values of shared variables with each batch. */
  get updates(): ReadonlyMap<SharedVariable, Variable> {
    return this.#updates;
  }

  get parameters(): readonly SharedVariable[] {
    return [...this.#updates.keys()].filter((variable) => !hasRoles(variable, [ALGORITHM_STATE]));
  }

  get outputs(): readonly Variable[] {
    return [...this.#updates.values()];
  }

  get sharedVariables(): readonly SharedVariable[] {
    const computed = ancestors([...this.#updates.values(), ...this.#observed.keys()]);
    return [...new Set([...this.#updates.keys(), ...computed])].filter(
      (variable) => variable instanceof SharedVariable,
    );
  }

  /** Adds updates. @throws Error after `initialize()`, or for a variable that has another update */
  addUpdates(updates: Iterable<readonly [SharedVariable, Variable]>): void {
    this.#requireNotInitialized('addUpdates');
    for (const [variable, value] of updates) {
      if ((this.#updates.get(variable) ?? value) !== value)
        throw new Error(`${variable.toString()} has another update already; give each variable one`);
      this.#updates.set(variable, value);
    }
  }

  identity(): Json {
    return { algorithm: 'UpdatesAlgorithm' };
  }

  async initialize(options: ComputeOptions): Promise<void> {
    if (this.#function !== undefined) return;
    this.#function = await compileBatchFunction({
      ...options,
      name: this.constructor.name,
      outputs: [...this.#observed.keys()],
      updates: this.#updates,
      onUnusedSources: this.#onUnusedSources,
    });
  }

  async processBatch(batch: Batch): Promise<void> {
    const values = await this.#compiled().run(batch);
    for (const [at, variable] of [...this.#observed.keys()].entries()) this.#observed.set(variable, values[at]);
  }

  async profile(batch: Batch, options: ProfileOptions = {}): Promise<BrickProfile> {
    return await this.#compiled().profile(batch, options);
  }

  observe(variables: readonly Variable[]): void {
    this.#requireNotInitialized('observe');
    for (const variable of variables) this.#observed.set(variable, undefined);
  }

  observed(variable: Variable): NdArray {
    const value = this.#observed.get(variable);
    if (value !== undefined) return value;
    throw new Error(
      `${variable.toString()} was not observed, or there was no batch yet; call observe() before initialize()`,
    );
  }

  examplesIn(batch: Batch, stream: Pick<DataStream, 'axisLabels' | 'producesExamples'>): number {
    return this.#compiled().examplesIn(batch, stream);
  }

  #compiled(): BatchFunction {
    if (this.#function !== undefined) return this.#function;
    throw new Error(`${this.constructor.name} is not initialized; call initialize() first`);
  }

  #requireNotInitialized(method: string): void {
    if (this.#function === undefined) return;
    throw new Error(
      `${this.constructor.name}.${method}: the function is compiled already; call it before initialize()`,
    );
  }
}
