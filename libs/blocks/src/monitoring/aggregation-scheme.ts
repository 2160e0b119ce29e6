import { constant, div, exp, graphInputs, identity, tagKey, type Variable } from '@longrun/tensor';

import { isInput } from '../graph/computation-graph.js';
import { RunningTotals, Stacked, type Aggregation, type TotalsRule } from './aggregation.js';

/** How the values of a variable in many batches become one (Blocks: `AggregationScheme`). Programs may make their own, with {@link aggregatedBy}. */
export interface AggregationScheme {
  /** Saved with what it aggregates: the state of another scheme is refused. */
  readonly name: string;
  /** What has to be computed for each batch. */
  readonly requires: readonly Variable[];
  /** Begins: nothing has been added yet. */
  start(): Aggregation;
}

const AGGREGATION_SCHEME = tagKey<AggregationScheme>('aggregationScheme');

/** The scheme attached to `variable`. Default: the mean over examples, or the value itself where no data matter. */
export function aggregationSchemeOf(variable: Variable): AggregationScheme {
  const attached = variable.tag.get(AGGREGATION_SCHEME);
  if (attached !== undefined) return attached;
  return graphInputs([variable]).some(isInput) ? exampleMean(variable) : dataIndependent(variable);
}

/** Attaches a scheme to `variable`, which it gives back. */
export function aggregatedBy(variable: Variable, scheme: AggregationScheme): Variable {
  variable.tag.set(AGGREGATION_SCHEME, scheme);
  return variable;
}

/** The value itself, for what does not depend on data: any batch gives the same. */
export function dataIndependent(variable: Variable): AggregationScheme {
  return totals('dataIndependent', [variable], { accumulate: last, weightedByExamples: false, readOut: only });
}

/**
 * The mean over all examples: each batch counts by its examples. (Blocks' default took the mean over batches, in which a short
 * last batch counted as much as the others.)
 */
export function exampleMean(variable: Variable): AggregationScheme {
  return totals('exampleMean', [variable], {
    accumulate: add,
    weightedByExamples: true,
    readOut: ([total = Number.NaN], examples) => total / examples,
  });
}

/**
 * `sum(numerator) / sum(denominator)` over batches (Blocks: `aggregation.mean`). The default denominator, 1, makes it the mean
 * over batches.
 */
export function batchMean(numerator: Variable, denominator: Variable | number = 1): Variable {
  const rule: TotalsRule = {
    accumulate: add,
    weightedByExamples: false,
    readOut: ([above = Number.NaN, below = Number.NaN]) => above / below,
  };
  return aggregatedBy(div(numerator, denominator), totals('batchMean', operands(numerator, denominator), rule));
}

/** `exp(sum(negativeLogLikelihood) / sum(examples))` over batches (Blocks: `aggregation.perplexity`). */
export function perplexity(negativeLogLikelihood: Variable, examples: Variable | number): Variable {
  const rule: TotalsRule = {
    accumulate: add,
    weightedByExamples: false,
    readOut: ([above = Number.NaN, below = Number.NaN]) => Math.exp(above / below),
  };
  const scheme = totals('perplexity', operands(negativeLogLikelihood, examples), rule);
  return aggregatedBy(exp(div(negativeLogLikelihood, examples)), scheme);
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

/** The values of all batches, along a new first axis (Blocks: `aggregation.concatenate`). They are kept, and saved, until they are read. */
export function batchConcatenate(variable: Variable): Variable {
  return copied(variable, { name: 'batchConcatenate', requires: [variable], start: () => new Stacked() });
}

function keeping(name: string, variable: Variable, accumulate: TotalsRule['accumulate']): Variable {
  return copied(variable, totals(name, [variable], { accumulate, weightedByExamples: false, readOut: only }));
}

/** A copy of its own for the scheme, under the same name. */
function copied(variable: Variable, scheme: AggregationScheme): Variable {
  const copy = identity(variable);
  copy.name = variable.name;
  return aggregatedBy(copy, scheme);
}

function totals(name: string, requires: readonly Variable[], rule: TotalsRule): AggregationScheme {
  return { name, requires, start: () => new RunningTotals(rule) };
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
