import { AdamW } from '@longrun/blocks';
import {
  add,
  arange,
  dimshuffle,
  dot,
  ge,
  gelu,
  layerNormalization,
  matmul,
  mean,
  mul,
  reshape,
  slice,
  softmax,
  softmaxCrossEntropy,
  take,
  type Variable,
  where,
} from '@longrun/tensor';
import type { Network } from './network.js';

const [BATCH, TIME, DIM, HEADS, LAYERS, WORDS] = [16, 128, 256, 8, 4, 96];

/** A model of the next character: blocks that are normalized before, causal attention, learned positions. */
export const transformer: Network = {
  name: 'transformer',
  what: 'transformer, 4 layers, d 256, T 128, batch 16, AdamW',
  goal: 1,
  steps: 3,
  peers: ['default', 'fused'],
  parameters: {
    embedding: { shape: [WORDS, DIM], scale: 0.05 },
    positions: { shape: [TIME, DIM], scale: 0.05 },
    ...Object.assign({}, ...Array.from({ length: LAYERS }, (_, layer) => ofLayer(layer))),
    W_output: { shape: [DIM, WORDS], scale: 0.1 },
  },
  inputs: { words: { shape: [BATCH, TIME], below: WORDS }, next: { shape: [BATCH, TIME], below: WORDS } },
  cost(input, parameter) {
    const apart = (x: Variable): Variable => dimshuffle(reshape(x, [BATCH, TIME, HEADS, DIM / HEADS]), [0, 2, 1, 3]);
    const isSeen = ge(dimshuffle(arange(0, TIME), [0, 'x']), arange(0, TIME));
    let hidden = add(take(parameter('embedding'), input('words'), { axis: 0 }), parameter('positions'));
    for (let layer = 0; layer < LAYERS; layer += 1) {
      const own = (name: string): Variable => parameter(`${name}_${layer}`);
      const projected = dot(normalized(hidden), own('W_qkv'));
      const part = (at: number): Variable => apart(slice(projected, at * DIM, (at + 1) * DIM, { axis: 2 }));
      const scores = mul(matmul(part(0), dimshuffle(part(1), [0, 1, 3, 2])), Math.sqrt(HEADS / DIM));
      const mixed = matmul(softmax(where(isSeen, scores, -1e9)), part(2));
      const joined = reshape(dimshuffle(mixed, [0, 2, 1, 3]), [BATCH, TIME, DIM]);
      hidden = add(hidden, dot(joined, own('W_mixed')));
      const up = gelu(add(dot(normalized(hidden), own('W_up')), own('b_up')));
      hidden = add(hidden, add(dot(up, own('W_down')), own('b_down')));
    }
    return mean(softmaxCrossEntropy(dot(normalized(hidden), parameter('W_output')), input('next')));
  },
  rule: () => new AdamW({ learningRate: 0.0003, epsilon: 1e-8, weightDecay: 0.01 }),
};

function normalized(x: Variable): Variable {
  return layerNormalization(x, 1, 0);
}

function ofLayer(layer: number): Network['parameters'] {
  return {
    [`W_qkv_${layer}`]: { shape: [DIM, 3 * DIM], scale: 0.1 },
    [`W_mixed_${layer}`]: { shape: [DIM, DIM], scale: 0.1 },
    [`W_up_${layer}`]: { shape: [DIM, 4 * DIM], scale: 0.1 },
    [`b_up_${layer}`]: { shape: [4 * DIM], scale: 0 },
    [`W_down_${layer}`]: { shape: [4 * DIM, DIM], scale: 0.05 },
    [`b_down_${layer}`]: { shape: [DIM], scale: 0 },
  };
}
