import { Momentum } from '@longrun/blocks';
import {
  add,
  conv2d,
  dimshuffle,
  dot,
  flatten,
  maxPool2d,
  mean,
  rectifier,
  softmaxCrossEntropy,
} from '@longrun/tensor';
import type { Network } from './network.js';

/** Convolutions of 20 and 50 filters, 500 units: LeCun et al. (1998) as Blocks' example has it. */
export const lenet: Network = {
  name: 'lenet',
  what: 'LeNet 20-50-500, momentum, batch 64',
  goal: 1,
  steps: 40,
  peers: ['default', 'channels_last'],
  parameters: {
    W1: { shape: [20, 1, 5, 5], scale: 0.2 },
    b1: { shape: [20], scale: 0 },
    W2: { shape: [50, 20, 5, 5], scale: 0.05 },
    b2: { shape: [50], scale: 0 },
    W3: { shape: [800, 500], scale: 0.05 },
    b3: { shape: [500], scale: 0 },
    W4: { shape: [500, 10], scale: 0.05 },
    b4: { shape: [10], scale: 0 },
  },
  inputs: { images: { shape: [64, 1, 28, 28] }, labels: { shape: [64], below: 10 } },
  cost(input, parameter) {
    let hidden = input('images');
    for (const layer of [1, 2]) {
      const convolved = conv2d(hidden, parameter(`W${layer}`), { flipFilters: false });
      hidden = maxPool2d(rectifier(add(convolved, dimshuffle(parameter(`b${layer}`), ['x', 0, 'x', 'x']))), {
        size: 2,
      });
    }
    hidden = rectifier(add(dot(flatten(hidden, 2), parameter('W3')), parameter('b3')));
    return mean(softmaxCrossEntropy(add(dot(hidden, parameter('W4')), parameter('b4')), input('labels')));
  },
  rule: () => new Momentum({ learningRate: 0.01, momentum: 0.9 }),
};
