import { at } from '../arrays/at.js';
import { checkArguments, checkOption, shown } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { oneOf } from '../graph/one-of.js';
import { isKnown, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { add } from './add.js';
import { arange } from './arange.js';
import { broadcastTo } from './broadcast-to.js';
import { concatenate } from './concatenate.js';
import { dimension } from './dimension.js';
import { mod } from './division.js';
import { maximum } from './maximum.js';
import { minimum } from './minimum.js';
import { mul } from './mul.js';
import { sub } from './sub.js';
import { take } from './take.js';

const PAD_MODES = ['constant', 'edge', 'reflect'] as const;

/** What {@link pad} puts around x. */
export type PadMode = (typeof PAD_MODES)[number];

/** Options of {@link pad}. */
export interface PadOptions {
  /**
   * What stands around x. 'constant', the default: `value`. 'edge': the element at the edge. 'reflect': what lies behind the edge,
   * mirrored, without the edge itself, over and over where the padding is longer.
   */
  readonly mode?: PadMode;
  /** What a 'constant' padding is made of. Default 0, or false. */
  readonly value?: number | boolean;
}

/** NumPy's `pad`: x with so many elements put before and after it along each axis, a pair for each or one number for all. */
export function pad(
  x: Variable,
  padding: number | readonly (readonly [before: number, after: number])[],
  options: PadOptions = {},
): Variable {
  checkArguments('pad', ['x', x, 'variable'], ['padding', padding, 'padding'], ['options', options, 'options']);
  const { value = 0 } = options;
  checkOption('pad', 'value', typeof value === 'boolean' ? Number(value) : value, 'number');
  const mode = oneOf('pad', 'mode', options.mode ?? 'constant', PAD_MODES);
  const pairs = typeof padding === 'number' ? x.shape.map(() => [padding, padding] as const) : padding;
  if (
    pairs.length !== x.ndim ||
    pairs.some((pair) => pair.length !== 2) ||
    pairs.flat().some((size) => !Number.isInteger(size) || size < 0)
  ) {
    throw new TensorTypeError(
      `pad: ${describe(x)} cannot be padded by ${shown(padding)}; give a pair of integers of 0 or more for each axis`,
    );
  }
  return pairs.reduce((padded, [before, after], axis) => {
    if (before === 0 && after === 0) return padded;
    if (mode !== 'constant') return take(padded, places(padded, axis, before, after, mode), { axis });
    const side = (size: number): Variable[] => {
      const sizes = padded.shape.map((_, own) => (own === axis ? size : dimension(padded, own)));
      return size === 0 ? [] : [broadcastTo(constant(Number(value), padded.dtype), sizes)];
    };
    return concatenate([...side(before), padded, ...side(after)], axis);
  }, x);
}

/** The index of the element that stands at each place of a padded axis. */
function places(
  x: Variable,
  axis: number,
  before: number,
  after: number,
  mode: Exclude<PadMode, 'constant'>,
): Variable {
  const [known, size] = [at(x.shape, axis), dimension(x, axis)];
  const outside = arange(-before, isKnown(known) ? known + after : add(size, after));
  const last = sub(size, 1);
  if (mode === 'edge') return maximum(minimum(outside, last), 0);
  const period = maximum(mul(last, 2), 1);
  const inside = mod(outside, period);
  return minimum(inside, sub(period, inside));
}
