import {
  add,
  arange,
  cast,
  concatenate,
  cos,
  dimension,
  dimshuffle,
  exp,
  mul,
  sin,
  type Variable,
} from '@longrun/tensor';

import { application } from '../application.js';
import { Brick, type BrickOptions, type Dimension } from '../brick.js';
import { lazy, type Lazy } from '../lazy.js';

/** Options of {@link SinusoidalPositions}. */
export interface SinusoidalPositionsOptions extends BrickOptions {
  /** Size of each position, an even number. May be set later. */
  readonly dim?: number | undefined;
  /** The longest wave, in positions, divided by 2 pi. Default 10,000. */
  readonly base?: number | undefined;
}

/**
 * Adds to each position of (batch, time, dim) waves of its number in all lengths (Vaswani et al., 2017): sines in the first half of `dim`, cosines in the
 * other. There is no longest sequence.
 */
export class SinusoidalPositions extends Brick {
  readonly dim: Lazy<number>;
  readonly base: number;

  constructor(options: SinusoidalPositionsOptions = {}) {
    super(options);
    this.dim = lazy(options.dim, 'dim');
    this.base = options.base ?? 10_000;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const half = this.dim.value / 2;
    if (!Number.isInteger(half)) {
      throw new Error(
        `${this.uniquePath}: dim is ${this.dim.value}; give an even number, for as many sines as cosines`,
      );
    }
    const rates = exp(mul(cast(arange(0, half), input.dtype), -Math.log(this.base) / half));
    const positions = cast(arange(0, dimension(input, 1)), input.dtype);
    const angles = mul(dimshuffle(positions, [0, 'x']), dimshuffle(rates, ['x', 0]));
    return add(input, dimshuffle(concatenate([sin(angles), cos(angles)], 1), ['x', 0, 1]));
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const isKnown = (name === 'input' || name === 'output') && this.dim.isSet;
    return isKnown ? this.dim.value : super.dimensionOf(name);
  }
}
