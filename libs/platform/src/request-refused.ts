import type { ProblemError } from '@longrun/contracts';

/** What a refusal says; the fields of a problem document (RFC 9457). */
export interface Refusal {
  /** HTTP status, 4xx. */
  readonly status: number;
  /** Names the kind of refusal, `/problems/<kind>`. */
  readonly type: string;
  readonly title: string;
  /** The sentence, with the value in it and what to do. */
  readonly detail: string;
  readonly errors?: readonly ProblemError[];
}

/** A request that the user has to change. Nothing was done. */
export class RequestRefused extends Error implements Refusal {
  override readonly name = 'RequestRefused';
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly ProblemError[];

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.status = refusal.status;
    this.type = refusal.type;
    this.title = refusal.title;
    this.detail = refusal.detail;
    this.errors = refusal.errors ?? [];
  }
}

/** 404: nothing has this id or name. */
export function notFound(what: string, id: string): RequestRefused {
  return new RequestRefused({
    status: 404,
    type: '/problems/not-found',
    title: 'Not found',
    detail: `There is no ${what} ${JSON.stringify(id)}; list them to see which there are`,
  });
}

/** 422: the body is well-formed, but what it says cannot be. */
export function unprocessable(errors: readonly ProblemError[]): RequestRefused {
  return new RequestRefused({
    status: 422,
    type: '/problems/invalid-request',
    title: 'The request cannot be carried out',
    detail: errors.map((error) => `${error.pointer}: ${error.detail}; ${error.remedy}`).join('. '),
    errors,
  });
}

/** 409: it contradicts what is there already. */
export function conflict(detail: string, errors: readonly ProblemError[] = []): RequestRefused {
  return new RequestRefused({ status: 409, type: '/problems/conflict', title: 'Conflict', detail, errors });
}
