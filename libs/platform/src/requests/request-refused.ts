import { type FaultOf, type RequestFault, type RequestProblemKind, wordsOf } from '@longrun/contracts';

/** A request that the user has to change. Nothing was done. What to call it and how to word it is for who brought the request. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly kind: RequestProblemKind;
  /** All that is wrong. Paths lead into the spec; parameters are called as the options of the method that refused. */
  readonly faults: readonly RequestFault[];

  /** Make one by {@link refused}, which checks that the kind has such faults. */
  constructor(kind: RequestProblemKind, faults: readonly RequestFault[]) {
    super(faults.map((fault) => wordsOf(fault, 'the spec').detail).join(' '));
    this.kind = kind;
    this.faults = faults;
  }
}

/** A refusal of a kind, with faults that the kind has. */
export function refused<K extends RequestProblemKind>(
  kind: K,
  faults: readonly (FaultOf<K> & RequestFault)[],
): RequestRefused {
  return new RequestRefused(kind, faults);
}
