import type { Problem } from '@longrun/contracts';

/** The API refused a request and said why. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** No answer came from the API's address. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
  /** The request may have reached the API, and what it asks for been done. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, { mayHaveArrived = false, cause }: { mayHaveArrived?: boolean; cause?: unknown }) {
    super(message, { cause });
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** Something else, or an API of another version, answers at the API's address. */
export class NotLongrun extends Error {
  override readonly name = 'NotLongrun';
}
