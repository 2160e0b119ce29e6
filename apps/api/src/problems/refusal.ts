import type { Problem, ProblemError } from '@longrun/contracts';

/** What can be wrong with a request, or with us: status and title of each kind of problem document. */
export const problemKinds = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'invalid-parameter': { status: 400, title: 'A query parameter, path parameter or header is not valid' },
  unauthenticated: { status: 401, title: 'A valid bearer token is required' },
  'unknown-route': { status: 404, title: 'Nothing is served here' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The method is not served here' },
  conflict: { status: 409, title: 'The request contradicts what is there' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'invalid-request': { status: 422, title: 'The request cannot be carried out' },
  'internal-error': { status: 500, title: 'Something failed on our side' },
  unavailable: { status: 503, title: 'The service cannot answer now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKind = keyof typeof problemKinds;

/** Whether a word names a kind of problem. */
export function isProblemKind(word: string): word is ProblemKind {
  return Object.hasOwn(problemKinds, word);
}

/** What a refusal can say beyond its kind. */
export interface RefusalOptions {
  /** One sentence about this occurrence. Default: the details of the errors. */
  readonly detail?: string;
  /** What is wrong, one entry each, with a pointer and a remedy. */
  readonly errors: readonly ProblemError[];
  /** Response headers that belong to it, e.g. `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A request that is answered by a problem document (RFC 9457). Thrown anywhere below the exception filter. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: ProblemKind;
  readonly errors: readonly ProblemError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: ProblemKind, options: RefusalOptions) {
    super(options.detail ?? options.errors.map((error) => error.detail).join(' '), { cause: options.cause });
    this.kind = kind;
    this.errors = options.errors.map(({ pointer, detail, remedy }) => ({ pointer, detail, remedy }));
    this.headers = options.headers ?? {};
  }

  /** HTTP status of its kind. */
  get status(): number {
    return problemKinds[this.kind].status;
  }

  /** The document; `requestId` becomes its `instance`, under which the log has the request. */
  document(requestId: string): Problem {
    return {
      type: `/problems/${this.kind}`,
      title: problemKinds[this.kind].title,
      status: this.status,
      detail: this.message,
      instance: `urn:uuid:${requestId}`,
      errors: [...this.errors],
    };
  }
}
