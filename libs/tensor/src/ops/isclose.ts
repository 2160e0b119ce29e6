import { checkArguments, checkOption } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { and } from './and.js';
import { toFloat } from './cast.js';
import { eq } from './eq.js';
import { isfinite } from './isfinite.js';
import { isnan } from './isnan.js';
import { le } from './le.js';
import { mul } from './mul.js';
import { or } from './or.js';
import { sub } from './sub.js';

/** Options of {@link isclose}. */
export interface IscloseOptions {
  /** How far the two may be apart, as a part of `|b|`. Default 1e-5. */
  readonly relativeTolerance?: number;
  /** How far they may be apart beyond that. Default 1e-8. */
  readonly absoluteTolerance?: number;
  /** Whether NaN is close to NaN. Default false. */
  readonly equalNan?: boolean;
}

/** True where `|a - b| <= absoluteTolerance + relativeTolerance * |b|`, broadcasting, as in NumPy; infinities are close to themselves only. */
export function isclose(a: Variable, b: Variable, options: IscloseOptions = {}): Variable {
  checkArguments('isclose', ['a', a, 'variable'], ['b', b, 'variable'], ['options', options, 'options']);
  checkOption('isclose', 'relativeTolerance', options.relativeTolerance, 'number');
  checkOption('isclose', 'absoluteTolerance', options.absoluteTolerance, 'number');
  const { relativeTolerance = 1e-5, absoluteTolerance = 1e-8, equalNan = false } = options;
  // Differences of unsigned integers would wrap.
  const [first, second] = [toFloat(a), toFloat(b)];
  const allowed = add(mul(abs(second), relativeTolerance), absoluteTolerance);
  const near = and(isfinite(second), le(abs(sub(first, second)), allowed));
  const close = or(eq(first, second), near);
  return equalNan ? or(close, and(isnan(first), isnan(second))) : close;
}
