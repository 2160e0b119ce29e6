import { Scale } from '@longrun/blocks';
import {
  add,
  at,
  concatenate,
  dimshuffle,
  dot,
  logistic,
  mean,
  mul,
  scan,
  slice,
  softmax,
  softmaxCrossEntropy,
  split,
  sub,
  sum,
  take,
  tanh,
  type Variable,
  zeros,
} from '@longrun/tensor';
import type { Named, Network } from './network.js';

const [TIME, BATCH, DIM, WORDS] = [30, 32, 256, 96];

/** Translates: a GRU reads, another writes and attends to what was read (Bahdanau et al., 2015). Gates as PyTorch has them. */
export const gru: Network = {
  name: 'gru',
  what: 'GRU encoder-decoder with attention, T 30, batch 32, hidden 256, SGD',
  goal: 1.1,
  steps: 10,
  peers: ['default'],
  parameters: {
    embedding: { shape: [WORDS, DIM], scale: 1 },
    read_W_input: { shape: [DIM, 3 * DIM], scale: 0.06 },
    read_W_state: { shape: [DIM, 3 * DIM], scale: 0.06 },
    read_b_input: { shape: [3 * DIM], scale: 0.06 },
    read_b_state: { shape: [3 * DIM], scale: 0.06 },
    W_attended: { shape: [DIM, DIM], scale: 0.06 },
    W_query: { shape: [DIM, DIM], scale: 0.06 },
    v: { shape: [DIM], scale: 0.06 },
    write_W_input: { shape: [2 * DIM, 3 * DIM], scale: 0.06 },
    write_W_state: { shape: [DIM, 3 * DIM], scale: 0.06 },
    write_b_input: { shape: [3 * DIM], scale: 0.06 },
    write_b_state: { shape: [3 * DIM], scale: 0.06 },
    W_output: { shape: [DIM, WORDS], scale: 0.06 },
  },
  inputs: { source: { shape: [TIME, BATCH], below: WORDS }, target: { shape: [TIME, BATCH], below: WORDS } },
  cost(input, parameter) {
    const begin = zeros([BATCH, DIM], 'float32');
    const embedded = (words: Variable): Variable => take(parameter('embedding'), words, { axis: 0 });
    const projected = add(dot(embedded(input('source')), parameter('read_W_input')), parameter('read_b_input'));
    const read = scan((inputs, state) => next(inputs, state, parameter, 'read'), {
      sequences: [projected],
      outputsInfo: [begin],
    });
    const attended = at(read, 0);
    const keys = dot(attended, parameter('W_attended'));
    const target = input('target');
    // The word before each, and none before the first.
    const before = concatenate([zeros([1, BATCH], 'int64'), slice(target, 0, TIME - 1)]);
    const states = scan(
      (word, state) => {
        const energies = dot(tanh(add(keys, dot(state, parameter('W_query')))), parameter('v'));
        const weights = dimshuffle(softmax(dimshuffle(energies, [1, 0])), [1, 0, 'x']);
        const glimpse = sum(mul(weights, attended), { axis: 0 });
        const inputs = dot(concatenate([word, glimpse], 1), parameter('write_W_input'));
        return next(add(inputs, parameter('write_b_input')), state, parameter, 'write');
      },
      { sequences: [embedded(before)], outputsInfo: [begin] },
    );
    return mean(softmaxCrossEntropy(dot(at(states, 0), parameter('W_output')), target));
  },
  rule: () => new Scale({ learningRate: 0.1 }),
};

/** The next state of one of the two, from what its inputs add to its gates. */
function next(inputs: Variable, state: Variable, parameter: Named, name: string): Variable {
  const own = split(add(dot(state, parameter(`${name}_W_state`)), parameter(`${name}_b_state`)), [DIM, DIM, DIM], 1);
  const fed = split(inputs, [DIM, DIM, DIM], 1);
  const reset = logistic(add(at(fed, 0), at(own, 0)));
  const update = logistic(add(at(fed, 1), at(own, 1)));
  const fresh = tanh(add(at(fed, 2), mul(reset, at(own, 2))));
  return add(mul(sub(1, update), fresh), mul(update, state));
}
