import type { Variable } from '@longrun/tensor';

import { Activation } from '../activations.js';
import { application } from '../application.js';
import type { BrickOptions } from '../brick.js';
import { MLP, type MLPOptions } from '../mlp.js';
import { BatchNormalization, type BatchNormalizationOptions } from './batch-normalization.js';

/** Options of {@link BatchNormalizedMLP}. */
export interface BatchNormalizedMLPOptions
  extends MLPOptions, Pick<BatchNormalizationOptions, 'epsilon' | 'meanOnly' | 'learnScale' | 'learnShift'> {
  /** Whether the linear transformations have biases, which the normalization takes away again. Default false. */
  readonly useBias?: boolean | undefined;
}

/** An {@link MLP} with a batch normalization before each activation: `batch_norm_activation_0`, ... (Blocks: `BatchNormalizedMLP`). */
export class BatchNormalizedMLP extends MLP {
  readonly #plain: readonly (Activation | null)[];
  readonly #normalized: readonly NormalizedActivation[];

  constructor(activations: readonly (Activation | null)[], options: BatchNormalizedMLPOptions = {}) {
    const { epsilon, meanOnly, learnScale, learnShift } = options;
    const normalized = activations.map(
      (activation, layer) =>
        new NormalizedActivation(activation, {
          name: `batch_norm_activation_${layer}`,
          normalization: { epsilon, meanOnly, learnScale, learnShift },
        }),
    );
    super(normalized, options);
    this.useBias = options.useBias ?? false;
    this.#plain = [...activations];
    this.#normalized = normalized;
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    for (const [layer, { normalization }] of this.#normalized.entries()) {
      const dim = this.dims[layer + 1];
      if (dim !== undefined) normalization.inputDim.value = dim.value;
    }
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.#plain, options];
  }
}

/** Options of {@link NormalizedActivation}. */
interface NormalizedActivationOptions extends BrickOptions {
  readonly normalization: BatchNormalizationOptions;
}

/** A batch normalization, and the activation that follows, if any. */
class NormalizedActivation extends Activation {
  readonly normalization: BatchNormalization;
  readonly activation: Activation | null;

  constructor(activation: Activation | null, options: NormalizedActivationOptions) {
    super(options);
    this.normalization = new BatchNormalization({ ...options.normalization, name: 'batchnormalization' });
    this.activation = activation;
    this.addChild(this.normalization);
    if (activation !== null) this.addChild(activation);
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    const normalized = this.normalization.apply(input);
    return this.activation === null ? normalized : this.activation.apply(normalized);
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.activation, options];
  }
}
