import { ndarray } from '@longrun/serialization';

import {
  add,
  averagePool2d,
  constant,
  conv2d,
  dimshuffle,
  div,
  dot,
  exp,
  fill,
  flatten,
  logistic,
  max,
  maxPool2d,
  mean,
  mul,
  oneHot,
  rectifier,
  reshape,
  slice,
  softmaxCrossEntropy,
  sub,
  sum,
  tanh,
  type Variable,
} from '../../src/index.js';

/** An input or a parameter of a network by its name. */
export type Named = (name: string) => Variable;

/** The cost of each network of make_training_goldens.py, where its definition stands. */
export const NETWORKS: Readonly<Record<string, (input: Named, parameter: Named) => Variable>> = {
  convolution,
  embedding,
  'gru with attention': gruWithAttention,
  lstm,
  pooling,
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

/** Unrolled, as the LSTM. */
function gruWithAttention(input: Named, parameter: Named): Variable {
  const [steps, batch, dim, classes] = [3, 2, 3, 5];
  const { dtype } = parameter('v');
  const preprocessed = dot(input('attended'), parameter('W_attended'));
  let state: Variable = constant(ndarray(dtype, [batch, dim]));
  let previous: Variable = constant(ndarray('int64', [batch]));
  const costs: Variable[] = [];
  for (let step = 0; step < steps; step += 1) {
    const energies = dot(tanh(add(preprocessed, dot(state, parameter('W_query')))), parameter('v'));
    const powers = mul(exp(sub(energies, max(energies, { axis: 0, keepdims: true }))), input('mask'));
    const weights = div(powers, sum(powers, { axis: 0, keepdims: true }));
    const glimpse = sum(mul(dimshuffle(weights, [0, 1, 'x']), input('attended')), { axis: 0 });
    const fed = dot(dot(oneHot(previous, classes, dtype), parameter('embedding')), parameter('W_input'));
    const inputs = add(fed, dot(glimpse, parameter('W_context')));
    const gates = dot(state, parameter('W_gates'));
    const update = logistic(add(part(inputs, 0, dim), part(gates, 0, dim)));
    const reset = logistic(add(part(inputs, dim, 2 * dim), part(gates, dim, 2 * dim)));
    const next = tanh(add(part(inputs, 2 * dim, 3 * dim), dot(mul(state, reset), parameter('W_state'))));
    state = chosen(update, next, state);
    previous = row(input('labels'), step);
    costs.push(mean(softmaxCrossEntropy(dot(state, parameter('W_output')), previous)));
  }
  return div(
    costs.reduce((a, b) => add(a, b)),
    steps,
  );
}

/** Unrolled: what a scan of the same steps must equal. */
function lstm(input: Named, parameter: Named): Variable {
  const [steps, dim] = [5, 4];
  const like = dot(row(input('x'), 0), parameter('W_input'));
  let state = fill(part(like, 0, dim), parameter('initial_state'));
  let cells = fill(part(like, 0, dim), parameter('initial_cells'));
  for (let step = 0; step < steps; step += 1) {
    const inputs = add(dot(row(input('x'), step), parameter('W_input')), parameter('b'));
    const gates = add(inputs, dot(state, parameter('W_state')));
    const into = logistic(add(part(gates, 0, dim), mul(cells, parameter('W_cell_to_in'))));
    const forget = logistic(add(part(gates, dim, 2 * dim), mul(cells, parameter('W_cell_to_forget'))));
    const next = add(mul(forget, cells), mul(into, tanh(part(gates, 2 * dim, 3 * dim))));
    const out = logistic(add(part(gates, 3 * dim, 4 * dim), mul(next, parameter('W_cell_to_out'))));
    const keep = dimshuffle(row(input('mask'), step), [0, 'x']);
    state = chosen(keep, mul(out, tanh(next)), state);
    cells = chosen(keep, next, cells);
  }
  return mean(softmaxCrossEntropy(dot(state, parameter('W_output')), input('labels')));
}

function pooling(input: Named, parameter: Named): Variable {
  const convolved = (x: Variable, name: string): Variable => tanh(conv2d(x, parameter(name), { flipFilters: false }));
  const hidden = maxPool2d(convolved(input('x'), 'W1'), { size: 2 });
  const features = flatten(averagePool2d(convolved(hidden, 'W2'), { size: 2 }), 2);
  return mean(softmaxCrossEntropy(dot(features, parameter('W3')), input('labels')));
}

/** `x[step]` */
function row(x: Variable, step: number): Variable {
  return reshape(slice(x, step, step + 1), x.shape.slice(1).map(Number));
}

/** Columns of a matrix. */
function part(x: Variable, start: number, stop: number): Variable {
  return slice(x, start, stop, { axis: 1 });
}

/** `mask * next + (1 - mask) * before` */
function chosen(mask: Variable, next: Variable, before: Variable): Variable {
  return add(mul(mask, next), mul(sub(1, mask), before));
}
