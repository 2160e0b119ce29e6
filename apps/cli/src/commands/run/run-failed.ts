import type { SpecError } from '../../spec-file.js';

/** A program cannot be trained with what it was given, which is to be written otherwise; the message says what. */
export class UnusableRun extends Error {
  override readonly name = 'UnusableRun';
  /** What is wrong with each parameter; none where the message says it all. */
  readonly errors: readonly SpecError[];

  constructor(message: string, { errors = [], ...options }: ErrorOptions & { errors?: readonly SpecError[] } = {}) {
    super(message, options);
    this.errors = errors;
  }
}

/** Training cannot go on, or not from what is there; the message says what to do. */
export class RunFailed extends Error {
  override readonly name = 'RunFailed';
}
