import type { Variable } from '@longrun/tensor';

/** One thing that a selection asks of a variable. */
export interface Criterion {
  /** As it prints: `has the role WEIGHT`. */
  readonly text: string;
  /** Why a variable does not meet it: `it has the roles OUTPUT`; undefined where it does. */
  objection(variable: Variable): string | undefined;
}

/** What every variable meets. */
export const ANY: Criterion = { text: 'any variable', objection: () => undefined };

/** Meets both. */
export function both(first: Criterion, second: Criterion): Criterion {
  if (first === ANY) return second;
  if (second === ANY) return first;
  return new Both(first, second);
}

/** Meets one of the two, or both. */
export function either(first: Criterion, second: Criterion): Criterion {
  return {
    text: `(${first.text}, or ${second.text})`,
    objection: (variable) => {
      const faults = [first.objection(variable), second.objection(variable)];
      return faults.includes(undefined) ? undefined : [...new Set(faults)].join(', and ');
    },
  };
}

/** Does not meet it. */
export function not(criterion: Criterion): Criterion {
  return {
    text: `not (${criterion.text})`,
    objection: (variable) => (criterion.objection(variable) === undefined ? 'it is one' : undefined),
  };
}

/** The criteria that all have to be met, one by one. */
export function partsOf(criterion: Criterion): readonly Criterion[] {
  return criterion instanceof Both ? [...partsOf(criterion.first), ...partsOf(criterion.second)] : [criterion];
}

class Both implements Criterion {
  readonly first: Criterion;
  readonly second: Criterion;

  constructor(first: Criterion, second: Criterion) {
    this.first = first;
    this.second = second;
  }

  get text(): string {
    return `${this.first.text}, ${this.second.text}`;
  }

  objection(variable: Variable): string | undefined {
    return this.first.objection(variable) ?? this.second.objection(variable);
  }
}
