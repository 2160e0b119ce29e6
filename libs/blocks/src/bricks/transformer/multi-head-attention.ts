import {
  arange,
  commonShape,
  dimension,
  dimshuffle,
  div,
  expandDims,
  formatShape,
  identity,
  le,
  matmul,
  neq,
  reshape,
  softmax,
  transpose,
  where,
  type Variable,
} from '@longrun/tensor';

import { application } from '../application.js';
import { currentCall } from '../application-call.js';
import type { Dimension } from '../brick.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { Linear } from '../linear.js';

/** Options of {@link MultiHeadAttention}. */
export interface MultiHeadAttentionOptions extends InitializableOptions {
  /** Size of what attends and of what comes out; a multiple of `numHeads`. May be set later. */
  readonly dim?: number | undefined;
  /** How many heads look at different things. Default 1. */
  readonly numHeads?: number | undefined;
  /** Size of what is attended to. Default: `dim`. */
  readonly attendedDim?: number | undefined;
  /** Whether each position sees itself and those before it only. Default false. */
  readonly causal?: boolean | undefined;
}

/** What {@link MultiHeadAttention} is applied to. */
export interface AttentionInputs {
  /** What attends, (batch, time, dim). */
  readonly queries: Variable;
  /** What is attended to, (batch, attended time, attendedDim). Default: the queries. */
  readonly attended?: Variable;
  /** Where there is something to attend to, (batch, attended time): 0 where there is not. Default: everywhere. */
  readonly mask?: Variable;
}

/**
 * Scaled dot-product attention by several heads (Vaswani et al., 2017): `apply({ queries, attended, mask })` is (batch, time, dim).
 *
 * Children: the linear transformations `query`, `key`, `value` and `output`. Auxiliary: `attention_weights` (batch, heads, time, attended time). A position that
 * may attend to nothing at all attends to everything evenly.
 */
export class MultiHeadAttention extends Initializable {
  readonly dim: Lazy<number>;
  /** Size of what is attended to; `dim` where it is undefined. */
  attendedDim: number | undefined;
  readonly numHeads: number;
  readonly causal: boolean;
  readonly query = new Linear({ name: 'query' });
  readonly key = new Linear({ name: 'key' });
  readonly value = new Linear({ name: 'value' });
  readonly output = new Linear({ name: 'output' });

  constructor(options: MultiHeadAttentionOptions = {}) {
    super(options);
    this.dim = lazy(options.dim, 'dim');
    this.attendedDim = options.attendedDim;
    this.numHeads = options.numHeads ?? 1;
    this.causal = options.causal ?? false;
    if (!Number.isInteger(this.numHeads) || this.numHeads < 1) {
      throw new Error(`${this.uniquePath}: there cannot be ${this.numHeads} heads; give a whole number of at least 1`);
    }
    for (const child of [this.query, this.key, this.value, this.output]) this.addChild(child);
  }

  @application({ inputs: ['queries', 'attended', 'mask'], outputs: ['output'] })
  apply({ queries, attended = queries, mask }: AttentionInputs): Variable {
    if (mask !== undefined && commonShape(mask.shape, attended.shape.slice(0, 2)) === undefined) {
      throw new Error(
        `${currentCall().application.toString()}: mask has shape ${formatShape(mask.shape)} but what is attended to has shape ` +
          `${formatShape(attended.shape)}; give a mask of its (batch, attended time)`,
      );
    }
    const query = this.#heads(this.query.apply(queries));
    const [key, value] = [this.key, this.value].map((linear) => this.#heads(linear.apply(attended)));
    if (key === undefined || value === undefined) throw new Error('two transformations gave fewer results');
    const scores = div(matmul(query, transpose(key, [0, 1, 3, 2])), Math.sqrt(this.#headDim));
    const weights = softmax(this.#allowed(scores, mask));
    currentCall().addAuxiliaryVariable(identity(weights), { name: 'attention_weights' });
    const [batch, time] = [dimension(queries, 0), dimension(queries, 1)];
    const joined = reshape(transpose(matmul(weights, value), [0, 2, 1, 3]), [batch, time, this.dim.value]);
    return this.output.apply(joined);
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    const dim = this.dim.value;
    if (dim % this.numHeads !== 0) {
      throw new Error(
        `${this.uniquePath}: ${this.numHeads} heads cannot share a size of ${dim}; give a dim that is a multiple of numHeads`,
      );
    }
    const attendedDim = this.attendedDim ?? dim;
    for (const [linear, inputDim] of [
      [this.query, dim],
      [this.key, attendedDim],
      [this.value, attendedDim],
      [this.output, dim],
    ] as const) {
      linear.inputDim.value = inputDim;
      linear.outputDim.value = dim;
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if ((name === 'queries' || name === 'output') && this.dim.isSet) return this.dim.value;
    if (name === 'attended' && this.dim.isSet) return this.attendedDim ?? this.dim.value;
    return name === 'mask' ? 0 : super.dimensionOf(name);
  }

  get #headDim(): number {
    return this.dim.value / this.numHeads;
  }

  /** (batch, heads, time, dim / heads) of (batch, time, dim). */
  #heads(values: Variable): Variable {
    const sizes = [dimension(values, 0), dimension(values, 1), this.numHeads, this.#headDim];
    return transpose(reshape(values, sizes), [0, 2, 1, 3]);
  }

  /** The scores, so low that they count for nothing where there is nothing to see, and alike where there is nothing anywhere. */
  #allowed(scores: Variable, mask: Variable | undefined): Variable {
    let allowed = scores;
    if (mask !== undefined) allowed = where(neq(dimshuffle(mask, [0, 'x', 'x', 1]), 0), allowed, NOTHING);
    if (!this.causal) return allowed;
    const [seen, now] = [arange(0, dimension(scores, 3)), arange(0, dimension(scores, 2))];
    const isPast = le(dimshuffle(seen, ['x', 'x', 'x', 0]), expandDims(dimshuffle(now, ['x', 'x', 0]), 3));
    return where(isPast, allowed, NOTHING);
  }
}

/** Lower than any score, and finite: the softmax of nothing else is even, and not NaN. */
const NOTHING = -1e30;
