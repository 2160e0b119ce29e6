import type { Variable } from '../graph/variable.js';
import { castToSame } from './cast-to-same.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { deadCodeInIfElse } from './dead-code-in-if-else.js';
import { deadCodeInScan } from './dead-code-in-scan.js';
import { dimshufflesInOne } from './dimshuffles-in-one.js';
import { doubleNegation } from './double-negation.js';
import { foldedConstants } from './folded-constants.js';
import { hoistedInvariants } from './hoisted-invariants.js';
import { identities } from './identities.js';
import { reshapeToSame } from './reshape-to-same.js';
import type { Rewrite } from './rewrite.js';
import { rewritten, type Rewritten } from './rewritten.js';
import { STABLE_FORMS } from './stable-forms.js';

/** Rewrites after which every engine gives the bits that it gave before. A twin is looked for last, when nothing else fits. */
export const SAME_BITS: readonly Rewrite[] = [
  identities,
  castToSame,
  reshapeToSame,
  dimshufflesInOne,
  doubleNegation,
  foldedConstants,
  deadCodeInScan,
  deadCodeInIfElse,
  hoistedInvariants,
  commonSubexpressions,
];

/** The graph as it is compiled: in stable forms, of what was written, and then without what changes nothing. */
export function rewrittenForEngine(outputs: readonly Variable[], inputs: readonly Variable[]): Rewritten {
  return rewritten(outputs, { inputs, stages: [STABLE_FORMS, SAME_BITS] });
}
