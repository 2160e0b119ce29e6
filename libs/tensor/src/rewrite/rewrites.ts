import { oneOf } from '../graph/one-of.js';
import type { Variable } from '../graph/variable.js';
import { commonFactor } from './common-factor.js';
import { castToSame } from './cast-to-same.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { deadCodeInIfElse } from './dead-code-in-if-else.js';
import { deadCodeInScan } from './dead-code-in-scan.js';
import { dimshufflesInOne } from './dimshuffles-in-one.js';
import { doubleNegation } from './double-negation.js';
import { filledOperands } from './filled-operands.js';
import { foldedConstants } from './folded-constants.js';
import { hoistedInvariants, hoistedProducts } from './hoisted-invariants.js';
import { identities } from './identities.js';
import { joinedParts } from './joined-parts.js';
import { negatedSum } from './negated-sums.js';
import { reshapeToSame } from './reshape-to-same.js';
import { liftedElementwise } from './lifted-elementwise.js';
import { liftedProducts } from './lifted-products.js';
import { gradientOfProjectedEmbedding, gradientOfProjection } from './gradients-of-projections.js';
import { projectedEmbedding } from './projected-embeddings.js';
import { rectifiedPool } from './rectified-pool.js';
import { regroupedProducts } from './regrouped-products.js';
import type { Rewrite } from './rewrite.js';
import { rewritten, type Rewritten } from './rewritten.js';
import { scansInOne } from './scans-in-one.js';
import { slopeOfSigmoid } from './slope-of-sigmoid.js';
import { slopeOfSquares } from './slope-of-squares.js';
import { sumOfDeviations } from './sum-of-deviations.js';
import { sumsAfterScan } from './sums-after-scan.js';
import { softmaxOfProduct } from './softmax-of-product.js';
import { STABLE_FORMS } from './stable-forms.js';

/** Rewrites after which every engine gives the bits that it gave before. A twin is looked for last, when nothing else fits. */
export const SAME_BITS: readonly Rewrite[] = [
  identities,
  castToSame,
  reshapeToSame,
  dimshufflesInOne,
  doubleNegation,
  filledOperands,
  foldedConstants,
  deadCodeInScan,
  deadCodeInIfElse,
  hoistedInvariants,
  rectifiedPool,
  commonSubexpressions,
];

/**
 * Rewrites of how gradients come about: nobody has said in which order they are summed, and which of their zeros are negative. They
 * may change last bits.
 */
export const LEANER_GRADIENTS: readonly Rewrite[] = [
  slopeOfSigmoid,
  slopeOfSquares,
  negatedSum,
  softmaxOfProduct,
  commonFactor,
  sumOfDeviations,
  scansInOne,
  sumsAfterScan,
  joinedParts,
  gradientOfProjection,
  gradientOfProjectedEmbedding,
  regroupedProducts,
  liftedElementwise,
];

const OTHER_BITS_NAMES = ['hoistProducts', 'liftProducts', 'projectEmbeddings'] as const;

/** Rewrites that may change last bits: for those who ask for them by name. */
const OTHER_BITS: Readonly<Record<OtherBits, readonly Rewrite[]>> = {
  hoistProducts: [hoistedProducts],
  liftProducts: [liftedProducts],
  projectEmbeddings: [projectedEmbedding],
};

/** What `compile` may be asked to rewrite though results may differ in the last bits. */
export type OtherBits = (typeof OTHER_BITS_NAMES)[number];

/**
 * The graph as it is compiled: in stable forms, of what was written, and then without what changes nothing.
 *
 * @param others Rewrites that may change last bits, by name. Default: none
 * @throws TensorTypeError naming those that there are
 */
export function rewrittenForEngine(
  outputs: readonly Variable[],
  inputs: readonly Variable[],
  others: readonly OtherBits[] = [],
): Rewritten {
  const asked = [...others].flatMap((name) => OTHER_BITS[oneOf('compile', 'rewrites', name, OTHER_BITS_NAMES)]);
  return rewritten(outputs, { inputs, stages: [STABLE_FORMS, [...asked, ...LEANER_GRADIENTS, ...SAME_BITS]] });
}
