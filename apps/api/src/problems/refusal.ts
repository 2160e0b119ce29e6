import {
  boundedFault,
  type Fault,
  type FaultOf,
  firstFaults,
  isRequestFault,
  jsonPointer,
  type Problem,
  type ProblemError,
  type ProblemKind,
  problemKinds,
  problemType,
  type Words,
  wordsOf,
} from '@longrun/contracts';
import { serviceWordsOf } from './service-words.js';

/** What a refusal can say beyond its kind and faults. */
export interface RefusalOptions {
  /** What to call the document in which the faults are. Default: the body. */
  readonly whole?: string;
  /** Response headers that belong to it, e.g. `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * A request that is answered by a problem document (RFC 9457), which is short whatever was wrong, and whoever found it. Thrown anywhere
 * below the exception filter.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: ProblemKind;
  readonly errors: readonly ProblemError[];
  readonly headers: Readonly<Record<string, string>>;

  /** Make one by {@link refusal}, which checks that the kind has such faults. */
  constructor(kind: ProblemKind, faults: readonly Fault[], options: RefusalOptions = {}) {
    const errors = errorsOf(faults, options.whole ?? 'the body');
    super(errors.map(({ detail }) => detail).join(' '), { cause: options.cause });
    this.kind = kind;
    this.errors = errors;
    this.headers = options.headers ?? {};
  }

  /** HTTP status of its kind. */
  get status(): number {
    return problemKinds[this.kind].status;
  }

  /** The document; `requestId` becomes its `instance`, under which the log has the request. */
  document(requestId: string): Problem {
    return {
      type: problemType(this.kind),
      title: problemKinds[this.kind].title,
      status: this.status,
      detail: this.message,
      instance: `urn:uuid:${requestId}`,
      errors: [...this.errors],
    };
  }
}

/** A refusal of a kind, with faults that the kind has. */
export function refusal<K extends ProblemKind>(
  kind: K,
  faults: readonly (FaultOf<K> & Fault)[],
  options?: RefusalOptions,
): Refusal {
  return new Refusal(kind, faults, options);
}

/** What the errors of a document and its detail, which says theirs again, may have together, in bytes: those that would be more are counted. */
const MAX_BYTES = 40_000;

function errorsOf(faults: readonly Fault[], whole: string): ProblemError[] {
  let bytes = 0;
  const fitting = firstFaults<Fault>(faults).findIndex((fault) => {
    const error = errorOf(fault, whole);
    bytes += Buffer.byteLength(JSON.stringify([error, error.detail]));
    return bytes > MAX_BYTES;
  });
  return firstFaults<Fault>(faults, fitting === -1 ? undefined : fitting).map((fault) => errorOf(fault, whole));
}

function errorOf(found: Fault, whole: string): ProblemError {
  const fault = boundedFault(found);
  const { path, parameter, code, facts } = fault;
  return { pointer: parameter ?? jsonPointer(path), code, facts, ...words(fault, whole) };
}

function words(fault: Fault, whole: string): Words {
  return isRequestFault(fault) ? wordsOf(fault, whole) : serviceWordsOf(fault);
}
