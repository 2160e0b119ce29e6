import type { Activation } from './activations.js';
import type { Brick, BrickOptions } from './brick.js';
import type { Feedforward } from './feedforward.js';
import { FeedforwardSequence } from './feedforward-sequence.js';
import type { InitializableOptions } from './initializable.js';
import { lazy, type Lazy } from './lazy.js';
import { Linear } from './linear.js';

/** Options of {@link MLP}. */
export interface MLPOptions extends InitializableOptions {
  /** Size of the input, then of each layer: `activations.length + 1` numbers. Undefined ones may be set later. */
  readonly dims?: readonly (number | undefined)[] | undefined;
  /** What is copied for the linear part of each layer. Default: a `Linear`. */
  readonly prototype?: Brick & Feedforward;
}

/**
 * A multi-layer perceptron: linear transformations `linear_0`, `linear_1`, ... each followed by its activation.
 *
 * `mlp.apply(input (batch, dims[0]))` is `(batch, dims.at(-1))`.
 */
export class MLP extends FeedforwardSequence {
  readonly activations: readonly (Activation | null)[];
  readonly linearTransformations: readonly (Brick & Feedforward)[];
  /** The sizes, as arguments that may be set until `allocate()`. */
  readonly dims: readonly Lazy<number>[];

  /**
   * @param activations one for each layer; null for none
   * @throws Error when there are not `activations.length + 1` dims
   */
  constructor(activations: readonly (Activation | null)[], options: MLPOptions = {}) {
    const prototype = options.prototype ?? new Linear();
    const linears = activations.map((_, layer) => prototype.copy(`${prototype.name}_${layer}`));
    super(
      linears.flatMap((linear, layer) => [linear, activations[layer] ?? null]).filter((brick) => brick !== null),
      options,
    );
    const dims = options.dims ?? Array.from({ length: activations.length + 1 }, () => undefined);
    if (dims.length !== activations.length + 1) {
      const { fault, remedy } = dimsMismatch(dims.length, activations.length);
      throw new Error(`MLP: ${fault}; ${remedy}`);
    }
    this.activations = [...activations];
    this.linearTransformations = linears;
    this.dims = dims.map((dim, at) => lazy(dim, `dims[${at}]`));
  }

  override get inputDim(): Lazy<number> {
    return this.#dimAt(0);
  }

  override get outputDim(): Lazy<number> {
    return this.#dimAt(this.dims.length - 1);
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.activations, options];
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    for (const [layer, linear] of this.linearTransformations.entries()) {
      linear.inputDim.value = this.#dimAt(layer).value;
      linear.outputDim.value = this.#dimAt(layer + 1).value;
    }
  }

  #dimAt(index: number): Lazy<number> {
    const dim = this.dims[index];
    if (dim === undefined) throw new Error(`${this.uniquePath} has no layer ${index}`);
    return dim;
  }
}

/** Says that an MLP has not as many dims as it needs, and how many to give. */
export function dimsMismatch(dims: number, activations: number): { readonly fault: string; readonly remedy: string } {
  return {
    fault: `dims has ${dims} entries but there are ${activations} activations`,
    remedy: 'give activations.length + 1 dims',
  };
}
