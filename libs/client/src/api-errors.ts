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

/** No answer came from the API's address, or not all of one. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
  /** Nothing was reached there; it did not answer in time; or the connection was lost before the end of its answer. */
  readonly how: 'not-connected' | 'silent' | 'broken-off';

  constructor(message: string, { how, cause }: { readonly how: ApiUnreachable['how']; readonly cause?: unknown }) {
    super(message, { cause });
    this.how = how;
  }

  /** The request may have reached the API, and what it asks for been done. */
  get mayHaveArrived(): boolean {
    return this.how !== 'not-connected';
  }
}

/** The object store from which an API has files fetched did not give one, or not all of it. */
export class StoreUnreachable extends Error {
  override readonly name = 'StoreUnreachable';
  /** Nothing was reached there; the connection was lost; or it did not take the URL, which may have expired. */
  readonly how: 'not-connected' | 'broken-off' | 'refused';

  constructor(message: string, { how }: { readonly how: StoreUnreachable['how'] }) {
    super(message);
    this.how = how;
  }
}

/** Something else, or an API of another version, answers at the API's address. */
export class NotLongrun extends Error {
  override readonly name = 'NotLongrun';
}
