import { checkCount, type IterationScheme } from './iteration-scheme.js';

/** One way to part examples into those to train on and those to validate on. */
export interface Fold<S extends IterationScheme = IterationScheme> {
  readonly train: S;
  readonly valid: S;
  /** Examples to validate on. */
  readonly validCount: number;
}

/** How strictly folds are of one size. */
export interface CrossValidationOptions {
  /** Refuse a number of examples that the folds do not divide; else their sizes differ by one at most. Default true. */
  readonly strict?: boolean;
}

/**
 * Parts examples into folds that lie one after the other, of which each in turn is validated on, and the others are trained on (Fuel:
 * `cross_validation`).
 *
 * @param schemeOf the scheme of some examples: `(examples) => new SequentialScheme(examples, 128)`
 * @param examplesCount how many examples there are
 * @param foldsCount how many folds, at least 2
 * @throws RangeError for examples that the folds do not divide, unless `strict` is false
 */
export function crossValidation<S extends IterationScheme>(
  schemeOf: (examples: Uint32Array) => S,
  examplesCount: number,
  foldsCount: number,
  options: CrossValidationOptions = {},
): readonly Fold<S>[] {
  checkCount('crossValidation', 'examplesCount', examplesCount, 0);
  checkCount('crossValidation', 'foldsCount', foldsCount, 2);
  if ((options.strict ?? true) && examplesCount % foldsCount !== 0) {
    throw new RangeError(
      `crossValidation: ${examplesCount} examples do not divide into ${foldsCount} folds; take another number of folds, or strict: false`,
    );
  }
  const examples = Uint32Array.from({ length: examplesCount }, (_, i) => i);
  return Array.from({ length: foldsCount }, (_, fold) => {
    const begin = Math.floor((examplesCount * fold) / foldsCount);
    const end = Math.floor((examplesCount * (fold + 1)) / foldsCount);
    return {
      train: schemeOf(examples.filter((example) => example < begin || example >= end)),
      valid: schemeOf(examples.slice(begin, end)),
      validCount: end - begin,
    };
  });
}
