import { StateMismatch, type Json, type NdArray } from '@longrun/serialization';
import { formatShape } from '@longrun/tensor';
import { z } from 'zod';

import { decodeLogValue, encodeLogValue, nested, type LogValue } from '../log/log-value.js';

/** What has come of the batches since it began: of arrays of any shape, in float64. */
export interface Aggregation {
  /** Adds a batch: the values of what the scheme requires, and how many examples they come from. */
  add(values: readonly NdArray[], examples: number): void;
  /** What came of them. Only once there was a batch. */
  readOut(): LogValue;
  /** What to go on from, as JSON. */
  state(): Json;
  /** Takes back what `state()` gave. @throws StateMismatch for what it never gave */
  restore(state: Json): void;
}

/** How {@link RunningTotals} are made and read. */
export interface TotalsRule {
  /** How an element of a batch is put together with what there was before: a sum, or the like. */
  readonly accumulate: (total: number, value: number) => number;
  /** Whether each batch counts once for each of its examples. */
  readonly weightedByExamples: boolean;
  /** The result, from the totals of what is required and the number of examples, element by element. */
  readonly readOut: (totals: readonly number[], examples: number) => number;
}

/** An array of totals for each variable, of its shape, whatever the number of batches. */
export class RunningTotals implements Aggregation {
  readonly #rule: TotalsRule;
  #totals: readonly Elements[] = [];
  #examples = 0;

  constructor(rule: TotalsRule) {
    this.#rule = rule;
  }

  add(arrays: readonly NdArray[], examples: number): void {
    const { accumulate, weightedByExamples } = this.#rule;
    const weight = weightedByExamples ? examples : 1;
    this.#totals = arrays.map((array, at) => {
      const batch = elementsOf(array, weight);
      const total = this.#totals[at];
      if (total === undefined) return batch;
      checkShape(total.shape, batch.shape);
      const values = total.values.map((before, element) => accumulate(before, batch.values[element] ?? Number.NaN));
      return { shape: total.shape, values };
    });
    this.#examples += examples;
  }

  readOut(): LogValue {
    const [first = NOTHING] = this.#totals;
    const values = first.values.map((_, element) => {
      // A scalar beside an array counts for each of its elements.
      const totals = this.#totals.map((total) => total.values[total.shape.length === 0 ? 0 : element] ?? Number.NaN);
      return this.#rule.readOut(totals, this.#examples);
    });
    return nested(first.shape, values);
  }

  state(): Json {
    return { examples: this.#examples, totals: this.#totals.map(encoded) };
  }

  restore(state: Json): void {
    const { examples, totals } = parsed(SavedTotals, state);
    this.#totals = totals.map(decoded);
    this.#examples = examples;
  }
}

/** The values of all batches, along a new first axis. Its state grows with them. */
export class Stacked implements Aggregation {
  #batches: readonly Elements[] = [];

  add([array]: readonly NdArray[]): void {
    if (array === undefined) return;
    const batch = elementsOf(array);
    const [first] = this.#batches;
    if (first !== undefined) checkShape(first.shape, batch.shape);
    this.#batches = [...this.#batches, batch];
  }

  readOut(): LogValue {
    return this.#batches.map(({ shape, values }) => nested(shape, values));
  }

  state(): Json {
    return this.#batches.map(encoded);
  }

  restore(state: Json): void {
    this.#batches = parsed(z.array(SavedElements), state).map(decoded);
  }
}

/** The elements of an array in row-major order. */
interface Elements {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

const NOTHING: Elements = { shape: [0], values: [] };

const SavedElements = z.object({ shape: z.array(z.int().nonnegative()), values: z.array(z.json()) });

const SavedTotals = z.object({ examples: z.number(), totals: z.array(SavedElements) });

function elementsOf({ shape, data }: NdArray, weight = 1): Elements {
  return { shape, values: Array.from<number | bigint, number>(data, (value) => weight * Number(value)) };
}

function encoded({ shape, values }: Elements): Json {
  return { shape: [...shape], values: values.map(encodeLogValue) };
}

function decoded({ shape, values }: z.infer<typeof SavedElements>): Elements {
  return { shape, values: values.map((value) => Number(decodeLogValue(value))) };
}

function parsed<S extends z.ZodType>(schema: S, state: Json): z.output<S> {
  const { data, success } = schema.safeParse(state);
  if (success) return data;
  throw new StateMismatch('an aggregation cannot have this state; the checkpoint is damaged');
}

function checkShape(before: readonly number[], now: readonly number[]): void {
  if (formatShape(before) === formatShape(now)) return;
  throw new ShapeChanged(before, now);
}

/** Values of one variable have another shape in a batch than in those before. */
export class ShapeChanged extends Error {
  constructor(before: readonly number[], now: readonly number[]) {
    super(
      `has shape ${formatShape(now)} in this batch but had ${formatShape(before)} in those before; ` +
        'monitor a scalar, such as its mean',
    );
  }
}
