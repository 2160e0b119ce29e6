import { add, dot, sqrt, square, sum, type Variable } from '@longrun/tensor';

import { BIAS, WEIGHT } from '../roles.js';
import { application } from './application.js';
import type { Dimension } from './brick.js';
import type { Feedforward } from './feedforward.js';
import type { InitializableOptions } from './initializable.js';
import { lazy, type Lazy } from './lazy.js';
import { LinearLike } from './linear-like.js';

/** Options of {@link Linear}. */
export interface LinearOptions extends InitializableOptions {
  /** Size of the last axis of the input. May be set later. */
  readonly inputDim?: number | undefined;
  /** Size of the last axis of the output. May be set later. */
  readonly outputDim?: number | undefined;
}

/**
 * Affine transformation of the last axis: `output = input · W + b`.
 *
 * Parameters: `W` (inputDim, outputDim) WEIGHT; `b` (outputDim) BIAS, absent when `useBias` is false.
 * Auxiliary: `W_norm`, `b_norm`, their L2 norms.
 */
export class Linear extends LinearLike implements Feedforward {
  readonly inputDim: Lazy<number>;
  readonly outputDim: Lazy<number>;

  constructor(options: LinearOptions = {}) {
    super(options);
    this.inputDim = lazy(options.inputDim, 'inputDim');
    this.outputDim = lazy(options.outputDim, 'outputDim');
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const product = dot(input, this.W);
    return this.useBias ? add(product, this.b) : product;
  }

  protected override allocateParameters(): void {
    const weights = this.parameter('W', [this.inputDim.value, this.outputDim.value], WEIGHT);
    this.addAuxiliaryVariable(norm(weights), { name: 'W_norm' });
    if (!this.useBias) return;
    const bias = this.parameter('b', [this.outputDim.value], BIAS);
    this.addAuxiliaryVariable(norm(bias), { name: 'b_norm' });
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'input' && this.inputDim.isSet) return this.inputDim.value;
    if (name === 'output' && this.outputDim.isSet) return this.outputDim.value;
    return super.dimensionOf(name);
  }
}

function norm(variable: Variable): Variable {
  return sqrt(sum(square(variable)));
}
