import {
  naming,
  StateKind,
  StateMismatch,
  type NdArray,
  type Stateful,
  type VersionedState,
} from '@longrun/serialization';
import { formatShape, type Variable } from '@longrun/tensor';

import { decodeLogValue, encodeLogValue, nested, type LogValue } from '../log/log-value.js';
import { aggregationSchemeOf, type AggregationScheme } from './aggregation-scheme.js';

/** Puts the values of one variable together, batch by batch, in float64 (Blocks: `Aggregator`). */
export class Aggregator implements Stateful {
  readonly name: string;
  readonly scheme: AggregationScheme;
  #totals: { readonly shape: readonly number[]; readonly values: readonly number[] }[] = [];
  #examples = 0;

  constructor(name: string, variable: Variable) {
    this.name = name;
    this.scheme = aggregationSchemeOf(variable);
  }

  /** What has to be computed for each batch. */
  get requires(): readonly Variable[] {
    return this.scheme.requires;
  }

  /** True when there was no batch since the last `reset()`. */
  get isEmpty(): boolean {
    return this.#totals.length === 0;
  }

  /** Forgets all batches. */
  reset(): void {
    this.#totals = [];
    this.#examples = 0;
  }

  /** Adds a batch: the values of `requires`, and how many examples they come from. */
  add(arrays: readonly NdArray[], examples: number): void {
    const weight = this.scheme.weightedByExamples ? examples : 1;
    this.#totals = arrays.map((array, at) => {
      const weighted = Array.from<number | bigint, number>(array.data, (value) => weight * Number(value));
      const total = this.#totals[at];
      if (total === undefined) return { shape: array.shape, values: weighted };
      this.#checkShape(total.shape, array.shape);
      const values = total.values.map((sofar, element) =>
        this.scheme.accumulate(sofar, weighted[element] ?? Number.NaN),
      );
      return { shape: total.shape, values };
    });
    this.#examples += examples;
  }

  /** What came of the batches so far. */
  readOut(): LogValue {
    const [first] = this.#totals;
    if (first === undefined) throw new Error(`${this.name}: there is no value yet, as there was no batch`);
    const values = first.values.map((_, element) => {
      // A scalar beside an array counts for each of its elements.
      const totals = this.#totals.map((total) => total.values[total.shape.length === 0 ? 0 : element] ?? Number.NaN);
      return this.scheme.readOut(totals, this.#examples);
    });
    return nested(first.shape, values);
  }

  state(): VersionedState {
    return {
      ...AGGREGATOR.head,
      scheme: this.scheme.name,
      examples: this.#examples,
      totals: this.#totals.map(({ shape, values }) => ({ shape: [...shape], values: values.map(encodeLogValue) })),
    };
  }

  restore(state: VersionedState): void {
    const { scheme, examples, totals } = AGGREGATOR.read(state, `Aggregator of ${this.name}`);
    if (scheme !== this.scheme.name || typeof examples !== 'number' || !Array.isArray(totals)) {
      throw new StateMismatch(
        `Aggregator of ${this.name}: the saved state is that of ${JSON.stringify(scheme)}, but this one is ${this.scheme.name}; ` +
          'monitor the variable as when the state was saved',
      );
    }
    this.#totals = totals.map((total: { shape: number[]; values: Parameters<typeof decodeLogValue>[0][] }) => ({
      shape: total.shape,
      values: total.values.map((value) => Number(decodeLogValue(value))),
    }));
    this.#examples = examples;
  }

  #checkShape(before: readonly number[], now: readonly number[]): void {
    if (formatShape(before) === formatShape(now)) return;
    throw new Error(
      `${this.name} has shape ${formatShape(now)} in this batch but had ${formatShape(before)} in those before; ` +
        'monitor a scalar, such as its mean',
    );
  }
}

const AGGREGATOR = new StateKind('Aggregator', { version: 2, namedSince: 2, migrations: [naming('Aggregator')] });

/** One aggregator for each variable. @throws Error when one has no name, or two have the same */
export function aggregatorsOf(what: string, variables: readonly Variable[]): Aggregator[] {
  const names = new Set<string>();
  return variables.map((variable) => {
    const { name } = variable;
    if (name === undefined) {
      throw new Error(`${what}: a variable has no name, which would be that of its record; set variable.name`);
    }
    if (names.has(name)) throw new Error(`${what}: two variables are named ${name}; give one another name`);
    names.add(name);
    return new Aggregator(name, variable);
  });
}
