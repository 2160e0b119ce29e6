import type { DType } from '@longrun/serialization';

import {
  add,
  and,
  arange,
  averagePool2d,
  broadcastTo,
  concatenate,
  constant,
  conv2d,
  cos,
  dimshuffle,
  div,
  dot,
  exp,
  flatten,
  ge,
  gelu,
  gt,
  index,
  layerNormalization,
  logistic,
  matmul,
  max,
  maxPool2d,
  mean,
  mul,
  oneHot,
  pow,
  rectifier,
  reshape,
  scan,
  sin,
  slice,
  softmax,
  softmaxCrossEntropy,
  split,
  sub,
  sum,
  take,
  tanh,
  transpose,
  where,
  zeros,
  type Variable,
} from '../../src/index.js';
import { present } from '../op-laws.js';

/** An input or a parameter of a network by its name. */
export type Named = (name: string) => Variable;

/** The cost of each network of make_training_goldens.py, where its definition stands. */
export const NETWORKS: Readonly<Record<string, (input: Named, parameter: Named) => Variable>> = {
  convolution,
  embedding,
  'gru with attention': gruWithAttention,
  lstm,
  pooling,
  transformer,
};

function convolution(input: Named, parameter: Named): Variable {
  const first = conv2d(input('x'), parameter('W1'), { flipFilters: false });
  const hidden = tanh(add(first, dimshuffle(parameter('b1'), ['x', 0, 'x', 'x'])));
  const second = conv2d(hidden, parameter('W2'), { flipFilters: false, strides: 2, border: 1 });
  const features = mean(rectifier(add(second, dimshuffle(parameter('b2'), ['x', 0, 'x', 'x']))), { axis: [2, 3] });
  return mean(softmaxCrossEntropy(add(dot(features, parameter('W3')), parameter('b3')), input('labels')));
}

function embedding(input: Named, parameter: Named): Variable {
  const embedded = dot(oneHot(input('words'), 6, parameter('W').dtype), parameter('W_embedding'));
  const hidden = mean(embedded, { axis: 1 });
  return mean(softmaxCrossEntropy(add(dot(hidden, parameter('W')), parameter('b')), input('labels')));
}

function gruWithAttention(input: Named, parameter: Named): Variable {
  const [batch, dim] = [2, 3];
  const { dtype } = parameter('v');
  const preprocessed = dot(input('attended'), parameter('W_attended'));
  const embedded = take(parameter('embedding'), previousRows(input('labels')), { axis: 0 });
  const [states] = scan(
    (fed, state) => {
      const energies = dot(tanh(add(preprocessed, dot(state, parameter('W_query')))), parameter('v'));
      const powers = mul(exp(sub(energies, max(energies, { axis: 0, keepdims: true }))), input('mask'));
      const weights = div(powers, sum(powers, { axis: 0, keepdims: true }));
      const glimpse = sum(mul(dimshuffle(weights, [0, 1, 'x']), input('attended')), { axis: 0 });
      const inputs = add(dot(fed, parameter('W_input')), dot(glimpse, parameter('W_context')));
      const gates = dot(state, parameter('W_gates'));
      const update = logistic(add(part(inputs, 0, dim), part(gates, 0, dim)));
      const reset = logistic(add(part(inputs, dim, 2 * dim), part(gates, dim, 2 * dim)));
      const next = tanh(add(part(inputs, 2 * dim, 3 * dim), dot(mul(state, reset), parameter('W_state'))));
      return chosen(update, next, state);
    },
    { sequences: [embedded], outputsInfo: [zeros([batch, dim], dtype)] },
  );
  return mean(softmaxCrossEntropy(dot(present(states), parameter('W_output')), input('labels')));
}

function lstm(input: Named, parameter: Named): Variable {
  const [batch, dim] = [3, 4];
  const first = (name: string): Variable => broadcastTo(parameter(name), [batch, dim]);
  const [states] = scan(
    (x, mask, state, cells) => {
      const inputs = add(dot(x, parameter('W_input')), parameter('b'));
      const gates = add(inputs, dot(present(state), parameter('W_state')));
      const into = logistic(add(part(gates, 0, dim), mul(present(cells), parameter('W_cell_to_in'))));
      const forget = logistic(add(part(gates, dim, 2 * dim), mul(present(cells), parameter('W_cell_to_forget'))));
      const next = add(mul(forget, present(cells)), mul(into, tanh(part(gates, 2 * dim, 3 * dim))));
      const out = logistic(add(part(gates, 3 * dim, 4 * dim), mul(next, parameter('W_cell_to_out'))));
      const keep = dimshuffle(present(mask), [0, 'x']);
      return [chosen(keep, mul(out, tanh(next)), present(state)), chosen(keep, next, present(cells))];
    },
    {
      sequences: [input('x'), input('mask')],
      outputsInfo: [first('initial_state'), first('initial_cells')],
    },
  );
  const last = index(present(states), -1);
  return mean(softmaxCrossEntropy(dot(last, parameter('W_output')), input('labels')));
}

function pooling(input: Named, parameter: Named): Variable {
  const convolved = (x: Variable, name: string): Variable => tanh(conv2d(x, parameter(name), { flipFilters: false }));
  const hidden = maxPool2d(convolved(input('x'), 'W1'), { size: 2 });
  const features = flatten(averagePool2d(convolved(hidden, 'W2'), { size: 2 }), 2);
  return mean(softmaxCrossEntropy(dot(features, parameter('W3')), input('labels')));
}

function transformer(input: Named, parameter: Named): Variable {
  const [batch, time, dim, heads] = [3, 5, 6, 2];
  const { dtype } = parameter('W_output');
  const normalized = (x: Variable, name: string): Variable =>
    layerNormalization(x, parameter(`${name}_gain`), parameter(`${name}_bias`));
  const apart = (x: Variable): Variable => dimshuffle(reshape(x, [batch, time, heads, dim / heads]), [0, 2, 1, 3]);
  const isCausal = ge(dimshuffle(arange(0, time), [0, 'x']), arange(0, time));
  const isSeen = and(isCausal, dimshuffle(gt(input('mask'), 0), [0, 'x', 'x', 1]));
  let hidden = add(take(parameter('W_embedding'), input('words'), { axis: 0 }), positions(time, dim, dtype));
  for (const block of ['block1', 'block2']) {
    const projected = dot(normalized(hidden, `${block}_norm1`), parameter(`${block}_W_qkv`));
    const [query, key, value] = split(projected, [dim, dim, dim], 2).map(apart);
    const scores = div(matmul(present(query), transpose(present(key), [0, 1, 3, 2])), Math.sqrt(dim / heads));
    const mixed = matmul(softmax(where(isSeen, scores, -1e9)), present(value));
    const together = reshape(dimshuffle(mixed, [0, 2, 1, 3]), [batch, time, dim]);
    hidden = add(hidden, dot(together, parameter(`${block}_W_mixed`)));
    const up = add(dot(normalized(hidden, `${block}_norm2`), parameter(`${block}_W_up`)), parameter(`${block}_b_up`));
    hidden = add(hidden, add(dot(gelu(up), parameter(`${block}_W_down`)), parameter(`${block}_b_down`)));
  }
  const costs = softmaxCrossEntropy(dot(normalized(hidden, 'norm'), parameter('W_output')), input('labels'));
  return div(sum(mul(costs, input('mask'))), sum(input('mask')));
}

/** Sines and cosines of the places in a sequence, (time, dim). */
function positions(time: number, dim: number, dtype: DType): Variable {
  const [places, waves] = [arange(0, time, { dtype }), arange(0, dim / 2, { dtype })];
  const angles = div(dimshuffle(places, [0, 'x']), pow(constant(10_000, dtype), div(waves, dim / 2)));
  return concatenate([sin(angles), cos(angles)], 1);
}

/** What stands before each of the rows; zeros before the first. */
function previousRows(x: Variable): Variable {
  return concatenate([zeros([1, ...x.shape.slice(1).map(Number)], x.dtype), slice(x, 0, -1)]);
}

/** Columns of a matrix. */
function part(x: Variable, start: number, stop: number): Variable {
  return slice(x, start, stop, { axis: 1 });
}

/** `mask * next + (1 - mask) * before` */
function chosen(mask: Variable, next: Variable, before: Variable): Variable {
  return add(mul(mask, next), mul(sub(1, mask), before));
}
