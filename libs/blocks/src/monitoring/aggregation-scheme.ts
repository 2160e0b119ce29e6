import { constant, div, exp, graphInputs, identity, tagKey, type Variable } from '@longrun/tensor';

import { isInput } from '../graph/computation-graph.js';

/** How the values of a variable in many batches become one (Blocks: `AggregationScheme`). */
export interface AggregationScheme {
  readonly name: string;
  /** What has to be computed for each batch. */
  readonly requires: readonly Variable[];
  /** How the numbers of a batch are put together with those before: sums, or the like. */
  readonly accumulate: (total: number, value: number) => number;
  /** Whether values are counted once for each example of their batch. */
  readonly weightedByExamples: boolean;
  /** The result, from the totals of what is required and the number of examples, element by element. */
  readonly readOut: (totals: readonly number[], examples: number) => number;
}

const AGGREGATION_SCHEME = tagKey<AggregationScheme>('aggregationScheme');

/** The scheme attached to `variable`. Default: the mean over examples, or the value itself where no data matter. */
export function aggregationSchemeOf(variable: Variable): AggregationScheme {
  const attached = variable.tag.get(AGGREGATION_SCHEME);
  if (attached !== undefined) return attached;
  return graphInputs([variable]).some(isInput) ? exampleMean(variable) : dataIndependent(variable);
}

/** The value itself, for what does not depend on data: any batch gives the same. */
export function dataIndependent(variable: Variable): AggregationScheme {
  return {
    ...exampleMean(variable),
    name: 'dataIndependent',
    weightedByExamples: false,
    accumulate: last,
    readOut: only,
  };
}

/**
 * The mean over all examples: each batch counts by its examples. (Blocks' default took the mean over batches, in which a short
 * last batch counted as much as the others.)
 */
export function exampleMean(variable: Variable): AggregationScheme {
  return {
    name: 'exampleMean',
    requires: [variable],
    accumulate: add,
    weightedByExamples: true,
    readOut: ([total = Number.NaN], examples) => total / examples,
  };
}

/**
 * `sum(numerator) / sum(denominator)` over batches (Blocks: `aggregation.mean`). The default denominator, 1, makes it the mean
 * over batches.
 */
export function batchMean(numerator: Variable, denominator: Variable | number = 1): Variable {
  return tagged(div(numerator, denominator), {
    name: 'batchMean',
    requires: operands(numerator, denominator),
    accumulate: add,
    weightedByExamples: false,
    readOut: ([above = Number.NaN, below = Number.NaN]) => above / below,
  });
}

/** `exp(sum(negativeLogLikelihood) / sum(examples))` over batches (Blocks: `aggregation.perplexity`). */
export function perplexity(negativeLogLikelihood: Variable, examples: Variable | number): Variable {
  return tagged(exp(div(negativeLogLikelihood, examples)), {
    name: 'perplexity',
    requires: operands(negativeLogLikelihood, examples),
    accumulate: add,
    weightedByExamples: false,
    readOut: ([above = Number.NaN, below = Number.NaN]) => Math.exp(above / below),
  });
}

/** The value in the last batch (Blocks: `aggregation.take_last`). */
export function takeLast(variable: Variable): Variable {
  return keeping('takeLast', variable, last);
}

/** Elementwise minimum over batches. */
export function batchMinimum(variable: Variable): Variable {
  return keeping('batchMinimum', variable, Math.min);
}

/** Elementwise maximum over batches. */
export function batchMaximum(variable: Variable): Variable {
  return keeping('batchMaximum', variable, Math.max);
}

function keeping(name: string, variable: Variable, accumulate: AggregationScheme['accumulate']): Variable {
  return tagged(
    identity(variable),
    {
      name,
      requires: [variable],
      accumulate,
      weightedByExamples: false,
      readOut: only,
    },
    variable.name,
  );
}

function tagged(variable: Variable, scheme: AggregationScheme, name?: string): Variable {
  variable.name = name;
  variable.tag.set(AGGREGATION_SCHEME, scheme);
  return variable;
}

function operands(above: Variable, below: Variable | number): Variable[] {
  return [above, typeof below === 'number' ? identity(constant(below)) : below];
}

function add(total: number, value: number): number {
  return total + value;
}

function last(_total: number, value: number): number {
  return value;
}

function only([total = Number.NaN]: readonly number[]): number {
  return total;
}
