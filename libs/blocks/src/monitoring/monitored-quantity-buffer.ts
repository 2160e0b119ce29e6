import { checkIdentity, type Json, type NdArray } from '@longrun/serialization';
import type { Variable } from '@longrun/tensor';

import type { LogValue } from '../log/log-value.js';
import { savedPart } from '../main-loop/saved-part.js';
import { Aggregator, type Monitored } from './aggregator.js';

/** All that is monitored in one place, put together batch by batch (Blocks: `MonitoredQuantityBuffer`, `AggregationBuffer`). */
export class MonitoredQuantityBuffer {
  /** What has to be computed for each batch, each once. */
  readonly requires: readonly Variable[];
  readonly #owner: string;
  readonly #aggregators: readonly Aggregator[];

  /**
   * @param owner who monitors, for errors
   * @param quantities what is monitored: variables, and what no graph computes
   * @throws Error when something has no name, or two have the same
   */
  constructor(owner: string, quantities: readonly Monitored[]) {
    this.#owner = owner;
    this.#aggregators = aggregatorsOf(owner, quantities);
    this.requires = [...new Set(this.#aggregators.flatMap(({ requires }) => requires))];
  }

  /** Forgets all batches. */
  initialize(): void {
    for (const aggregator of this.#aggregators) aggregator.reset();
  }

  /** Adds a batch: the value of each of `requires`, and how many examples they come from. */
  aggregate(valueOf: (variable: Variable) => NdArray, examples: number): void {
    for (const aggregator of this.#aggregators) aggregator.add(aggregator.requires.map(valueOf), examples);
  }

  /** What came of the batches since `initialize()`, by name; nothing where there was none. */
  getAggregatedValues(): Map<string, LogValue> {
    const filled = this.#aggregators.filter((aggregator) => !aggregator.isEmpty);
    return new Map(filled.map((aggregator) => [aggregator.name, aggregator.readOut()]));
  }

  /** The state of each aggregator, by name. */
  state(): { readonly [name: string]: Json } {
    return Object.fromEntries(this.#aggregators.map((aggregator) => [aggregator.name, aggregator.state()]));
  }

  /** Takes back what `state()` gave. @throws StateMismatch when it is of others */
  restore(saved: Json): void {
    const variables = Object.keys(saved ?? {}).toSorted();
    const names = this.#aggregators.map(({ name }) => name).toSorted();
    checkIdentity(this.#owner, { version: 1, variables }, 'variables', names, REMEDY);
    for (const aggregator of this.#aggregators) aggregator.restore(savedPart(this.#owner, saved, aggregator.name));
  }
}

const REMEDY = 'monitor the variables that were monitored when it was saved';

function aggregatorsOf(owner: string, monitored: readonly Monitored[]): Aggregator[] {
  const names = new Set<string>();
  return monitored.map((one) => {
    const { name } = one;
    if (name === undefined) {
      throw new Error(`${owner}: a variable has no name, which would be that of its record; set variable.name`);
    }
    if (names.has(name)) throw new Error(`${owner}: two variables are named ${name}; give one another name`);
    names.add(name);
    return new Aggregator(name, one);
  });
}
