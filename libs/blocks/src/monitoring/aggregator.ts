import {
  naming,
  StateKind,
  StateMismatch,
  type Json,
  type NdArray,
  type Stateful,
  type VersionedState,
} from '@longrun/serialization';
import type { Variable } from '@longrun/tensor';

import type { LogValue } from '../log/log-value.js';
import { ShapeChanged, type Aggregation } from './aggregation.js';
import { aggregationSchemeOf, type AggregationScheme } from './aggregation-scheme.js';
import { MonitoredQuantity } from './monitored-quantity.js';

/** What a record is made of: a variable, or what is not computed by the graph. */
export type Monitored = Variable | MonitoredQuantity;

/** Makes one record of many batches (Blocks: `Aggregator`). */
export class Aggregator implements Stateful {
  readonly name: string;
  readonly scheme: AggregationScheme;
  #aggregation: Aggregation;
  #isEmpty = true;

  /** @param name that of the record */
  constructor(name: string, monitored: Monitored) {
    this.name = name;
    this.scheme = monitored instanceof MonitoredQuantity ? schemeOf(monitored) : aggregationSchemeOf(monitored);
    this.#aggregation = this.scheme.start();
  }

  /** What has to be computed for each batch. */
  get requires(): readonly Variable[] {
    return this.scheme.requires;
  }

  /** True when there was no batch since the last `reset()`. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Forgets all batches. */
  reset(): void {
    this.#aggregation = this.scheme.start();
    this.#isEmpty = true;
  }

  /** Adds a batch: the values of `requires`, and how many examples they come from. */
  add(values: readonly NdArray[], examples: number): void {
    try {
      this.#aggregation.add(values, examples);
    } catch (error) {
      if (error instanceof ShapeChanged) error.message = `${this.name} ${error.message}`;
      throw error;
    }
    this.#isEmpty = false;
  }

  /** What came of the batches so far. */
  readOut(): LogValue {
    if (this.#isEmpty) throw new Error(`${this.name}: there is no value yet, as there was no batch`);
    return this.#aggregation.readOut();
  }

  state(): VersionedState {
    return {
      ...AGGREGATOR.head,
      scheme: this.scheme.name,
      aggregation: this.#isEmpty ? null : this.#aggregation.state(),
    };
  }

  restore(state: VersionedState): void {
    const read = AGGREGATOR.read(state, `Aggregator of ${this.name}`);
    if (read['scheme'] !== this.scheme.name) {
      throw new StateMismatch(
        `Aggregator of ${this.name}: the saved state is that of ${JSON.stringify(read['scheme'])}, but this one is ${this.scheme.name}; ` +
          'monitor the variable as when the state was saved',
      );
    }
    this.reset();
    const saved = read['aggregation'] ?? null;
    if (saved === null) return;
    this.#aggregation.restore(saved);
    this.#isEmpty = false;
  }
}

const AGGREGATOR = new StateKind('Aggregator', {
  version: 3,
  namedSince: 2,
  migrations: [
    naming('Aggregator'),
    // There were totals only.
    {
      from: 2,
      migrate: ({ examples = null, totals = null, ...state }) => ({
        ...state,
        version: 3,
        aggregation: isEmptyList(totals) ? null : { examples, totals },
      }),
    },
  ],
});

function isEmptyList(value: Json): boolean {
  return Array.isArray(value) && value.length === 0;
}

function schemeOf(quantity: MonitoredQuantity): AggregationScheme {
  return {
    name: quantity.constructor.name,
    requires: quantity.requires,
    start: () => {
      quantity.initialize();
      return {
        add: (values) => quantity.aggregate(...values),
        readOut: () => quantity.getAggregatedValue(),
        state: () => quantity.state(),
        restore: (state) => quantity.restore(state),
      };
    },
  };
}
