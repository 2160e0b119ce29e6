import { layerNormalization, type Variable } from '@longrun/tensor';

import { Constant } from '../../initialization/constant.js';
import type { Initialization } from '../../initialization/initialization.js';
import type { RandomSource } from '../../initialization/random-source.js';
import { BIAS, PARAMETER } from '../../roles.js';
import { application } from '../application.js';
import { Brick, type BrickOptions, type Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import { lazy, type Lazy } from '../lazy.js';

/** Options of {@link LayerNormalization}. */
export interface LayerNormalizationOptions extends BrickOptions {
  /** Size of the last axis. May be set later. */
  readonly dim?: number | undefined;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number | undefined;
  /** Default: 1 everywhere. */
  readonly scaleInit?: Initialization | undefined;
  /** Default: 0 everywhere. */
  readonly shiftInit?: Initialization | undefined;
}

/**
 * Normalizes the last axis of each example by its own mean and variance (Ba, Kiros and Hinton, 2016):
 * `(input - mean) / sqrt(variance + epsilon) * scale + shift`. The same in training and in evaluation.
 *
 * Parameters: `scale` (dim) PARAMETER, `shift` (dim) BIAS.
 */
export class LayerNormalization extends Brick implements Feedforward {
  readonly inputDim: Lazy<number>;
  readonly epsilon: number;
  readonly scaleInit: Initialization;
  readonly shiftInit: Initialization;

  constructor(options: LayerNormalizationOptions = {}) {
    super(options);
    this.inputDim = lazy(options.dim, 'dim');
    this.epsilon = options.epsilon ?? 1e-5;
    this.scaleInit = options.scaleInit ?? new Constant(1);
    this.shiftInit = options.shiftInit ?? new Constant(0);
  }

  /** Size of the last axis. */
  get dim(): Lazy<number> {
    return this.inputDim;
  }

  get outputDim(): Lazy<number> {
    return this.inputDim;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const [scale, shift] = [this.parameterNamed('scale'), this.parameterNamed('shift')];
    return layerNormalization(input, scale, shift, { epsilon: this.epsilon });
  }

  protected override allocateParameters(): void {
    this.parameter('scale', [this.dim.value], PARAMETER);
    this.parameter('shift', [this.dim.value], BIAS);
  }

  protected override initializeParameters(random: RandomSource): void {
    for (const [name, scheme] of [
      ['scale', this.scaleInit],
      ['shift', this.shiftInit],
    ] as const) {
      const parameter = this.parameterNamed(name);
      scheme.initialize(parameter, this.randomFor(parameter, random));
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const isKnown = (name === 'input' || name === 'output') && this.dim.isSet;
    return isKnown ? this.dim.value : super.dimensionOf(name);
  }
}
