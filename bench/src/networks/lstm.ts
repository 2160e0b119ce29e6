import { Scale } from '@longrun/blocks';
import {
  add,
  at,
  dot,
  logistic,
  mean,
  mul,
  scan,
  softmaxCrossEntropy,
  split,
  take,
  tanh,
  zeros,
} from '@longrun/tensor';
import type { Network } from './network.js';

const [TIME, BATCH, DIM, WORDS] = [50, 32, 256, 96];

/** A model of the next character: an LSTM without peepholes, as PyTorch has it. */
export const lstm: Network = {
  name: 'lstm',
  what: 'LSTM language model, T 50, batch 32, hidden 256, SGD',
  goal: 1.1,
  steps: 20,
  peers: ['default'],
  parameters: {
    embedding: { shape: [WORDS, DIM], scale: 1 },
    W_input: { shape: [DIM, 4 * DIM], scale: 0.06 },
    W_state: { shape: [DIM, 4 * DIM], scale: 0.06 },
    b: { shape: [4 * DIM], scale: 0.06 },
    W_output: { shape: [DIM, WORDS], scale: 0.06 },
    b_output: { shape: [WORDS], scale: 0 },
  },
  inputs: { words: { shape: [TIME, BATCH], below: WORDS }, next: { shape: [TIME, BATCH], below: WORDS } },
  cost(input, parameter) {
    const embedded = take(parameter('embedding'), input('words'), { axis: 0 });
    const projected = add(dot(embedded, parameter('W_input')), parameter('b'));
    const begin = zeros([BATCH, DIM], 'float32');
    const states = scan(
      (...variables) => {
        const [inputs, state, cells] = [at(variables, 0), at(variables, 1), at(variables, 2)];
        const gates = split(add(inputs, dot(state, parameter('W_state'))), [DIM, DIM, DIM, DIM], 1);
        const [into, forget, next, out] = [at(gates, 0), at(gates, 1), at(gates, 2), at(gates, 3)];
        const after = add(mul(logistic(forget), cells), mul(logistic(into), tanh(next)));
        return [mul(logistic(out), tanh(after)), after];
      },
      { sequences: [projected], outputsInfo: [begin, begin] },
    );
    const logits = add(dot(at(states, 0), parameter('W_output')), parameter('b_output'));
    return mean(softmaxCrossEntropy(logits, input('next')));
  },
  rule: () => new Scale({ learningRate: 0.1 }),
};

/** The same, where the last bits may be others: the words are projected before they are taken. */
export const projectedLstm: Network = {
  ...lstm,
  name: 'lstm_projected',
  what: `${lstm.what}, words projected first`,
  goal: 0.95,
  rewrites: ['projectEmbeddings'],
};
