import { add, type Variable } from '@longrun/tensor';

import { Gelu, type Activation } from '../activations.js';
import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { MLP } from '../mlp.js';
import { LayerNormalization } from '../normalization/layer-normalization.js';
import { MultiHeadAttention } from './multi-head-attention.js';

/** Options of {@link TransformerBlock}. */
export interface TransformerBlockOptions extends InitializableOptions {
  /** Size of each position. May be set later. */
  readonly dim?: number | undefined;
  /** Default 1. */
  readonly numHeads?: number | undefined;
  /** Size of the hidden layer. Default: four times `dim`. */
  readonly hiddenDim?: number | undefined;
  /** Of the hidden layer. Default `new Gelu()`. */
  readonly activation?: Activation | undefined;
  /** Whether each position sees itself and those before it only. Default false. */
  readonly causal?: boolean | undefined;
  /** Whether what is added is normalized before it is computed (Xiong et al., 2020), or the sum after it, as at first. Default true. */
  readonly preNorm?: boolean | undefined;
  /** Added to the variance of the normalizations. Default 1e-5. */
  readonly epsilon?: number | undefined;
}

/** What {@link TransformerBlock} is applied to. */
export interface TransformerBlockInputs {
  /** (batch, time, dim) */
  readonly input: Variable;
  /** Where there is something to attend to, (batch, time): 0 where there is not. Default: everywhere. */
  readonly mask?: Variable;
}

/**
 * A layer of a transformer (Vaswani et al., 2017): attention of each position to all, then an MLP of each, both added to what they are computed from.
 * `apply({ input, mask })` is (batch, time, dim).
 *
 * Children: `attention`, `mlp`, and the normalizations `attention_norm` and `mlp_norm`.
 */
export class TransformerBlock extends Initializable {
  readonly dim: Lazy<number>;
  /** Size of the hidden layer; four times `dim` where it is undefined. */
  hiddenDim: number | undefined;
  readonly preNorm: boolean;
  readonly attention: MultiHeadAttention;
  readonly mlp: MLP;
  readonly attentionNorm: LayerNormalization;
  readonly mlpNorm: LayerNormalization;

  constructor(options: TransformerBlockOptions = {}) {
    super(options);
    const { numHeads, causal, epsilon } = options;
    this.dim = lazy(options.dim, 'dim');
    this.hiddenDim = options.hiddenDim;
    this.preNorm = options.preNorm ?? true;
    this.attention = new MultiHeadAttention({ name: 'attention', numHeads, causal });
    this.mlp = new MLP([options.activation ?? new Gelu(), null], { name: 'mlp' });
    this.attentionNorm = new LayerNormalization({ name: 'attention_norm', epsilon });
    this.mlpNorm = new LayerNormalization({ name: 'mlp_norm', epsilon });
    for (const child of [this.attention, this.mlp, this.attentionNorm, this.mlpNorm]) this.addChild(child);
  }

  @application({ inputs: ['input', 'mask'], outputs: ['output'] })
  apply({ input, mask }: TransformerBlockInputs): Variable {
    const masked = mask === undefined ? {} : { mask };
    const attended = this.#added(input, this.attentionNorm, (queries) => this.attention.apply({ queries, ...masked }));
    return this.#added(attended, this.mlpNorm, (values) => this.mlp.apply(values));
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    const dim = this.dim.value;
    this.attention.dim.value = dim;
    for (const norm of [this.attentionNorm, this.mlpNorm]) norm.dim.value = dim;
    for (const [layer, size] of [dim, this.hiddenDim ?? 4 * dim, dim].entries()) {
      const argument = this.mlp.dims[layer];
      if (argument !== undefined) argument.value = size;
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if ((name === 'input' || name === 'output') && this.dim.isSet) return this.dim.value;
    return name === 'mask' ? 0 : super.dimensionOf(name);
  }

  #added(values: Variable, norm: LayerNormalization, compute: (values: Variable) => Variable): Variable {
    return this.preNorm ? add(values, compute(norm.apply(values))) : norm.apply(add(values, compute(values)));
  }
}
