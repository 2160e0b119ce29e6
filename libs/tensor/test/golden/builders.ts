import { isDType, type DType } from '@longrun/serialization';

import * as room from '../../src/index.js';
import type { Variable } from '../../src/index.js';
import type { GoldenParameter, GoldenParameters } from './op-golden.js';

/** Builds what a golden is of, from the golden's inputs and parameters. */
export type Builder = (inputs: Variable[], parameters: GoldenParameters) => Variable | readonly Variable[];

/** How each golden is built of the ops of this room: one line for each. */
export const BUILDERS: Readonly<Record<string, Builder>> = {
  abs: unary(room.abs),
  add: binary(room.add),
  and: binary(room.and),
  argmax: ([x], parameters) => room.argmax(given(x), alongOne(parameters)),
  bitAnd: binary(room.bitAnd),
  bitNot: unary(room.bitNot),
  bitOr: binary(room.bitOr),
  bitXor: binary(room.bitXor),
  cast: ([x], { dtype }) => room.cast(given(x), dtypeOf(dtype)),
  categoricalCrossEntropy: binary(room.categoricalCrossEntropy),
  'categoricalCrossEntropy of softmax': ([x, labels]) =>
    room.categoricalCrossEntropy(room.softmax(given(x)), given(labels)),
  ceil: unary(room.ceil),
  clip: ([x], { min, max }) => room.clip(given(x), numberOf(min), numberOf(max)),
  concatenate: (parts, { axis }) => room.concatenate(parts, numberOf(axis)),
  cos: unary(room.cos),
  dimshuffle: ([x], { order }) => room.dimshuffle(given(x), orderOf(order)),
  div: binary(room.div),
  dot: binary(room.dot),
  elu: unary(room.elu),
  eq: binary(room.eq),
  erf: unary(room.erf),
  exp: unary(room.exp),
  expm1: unary(room.expm1),
  fill: binary(room.fill),
  flatten: ([x], { ndim = 1 }) => room.flatten(given(x), numberOf(ndim)),
  floor: unary(room.floor),
  floorDiv: binary(room.floorDiv),
  ge: binary(room.ge),
  gelu: unary(room.gelu),
  gt: binary(room.gt),
  hardSigmoid: unary(room.hardSigmoid),
  identity: unary(room.identity),
  isclose: binary(room.isclose),
  isfinite: unary(room.isfinite),
  isinf: unary(room.isinf),
  isnan: unary(room.isnan),
  le: binary(room.le),
  leakyRectifier: ([x], { alpha }) => room.leakyRectifier(given(x), numberOf(alpha)),
  leftShift: binary(room.leftShift),
  log: unary(room.log),
  'log of logistic': ([x]) => room.log(room.logistic(given(x))),
  'log of one minus logistic': ([x]) => room.log(room.sub(1, room.logistic(given(x)))),
  'log of softmax': ([x]) => room.log(room.softmax(given(x))),
  log1p: unary(room.log1p),
  logistic: unary(room.logistic),
  logSoftmax: unary(room.logSoftmax),
  lt: binary(room.lt),
  max: ([x], parameters) => room.max(given(x), along(parameters)),
  maximum: binary(room.maximum),
  mean: ([x], parameters) => room.mean(given(x), along(parameters)),
  minimum: binary(room.minimum),
  mod: binary(room.mod),
  mul: binary(room.mul),
  neg: unary(room.neg),
  neq: binary(room.neq),
  not: unary(room.not),
  'one minus logistic': ([x]) => room.sub(1, room.logistic(given(x))),
  oneHot: ([labels], { depth }) => room.oneHot(given(labels), numberOf(depth)),
  onesLike: unary(room.onesLike),
  or: binary(room.or),
  pick: binary(room.pick),
  pow: binary(room.pow),
  'pow of a number': ([x], { exponent }) => room.pow(given(x), numberOf(exponent)),
  rectifier: unary(room.rectifier),
  reshape: ([x], { shape }) => room.reshape(given(x), numbersOf(shape)),
  rightShift: binary(room.rightShift),
  round: unary(room.round),
  sign: unary(room.sign),
  sin: unary(room.sin),
  slice: ([x], { start, stop, axis }) =>
    room.slice(given(x), numberOf(start), numberOf(stop), { axis: numberOf(axis) }),
  softmax: unary(room.softmax),
  softmaxCrossEntropy: binary(room.softmaxCrossEntropy),
  softplus: unary(room.softplus),
  softsign: unary(room.softsign),
  sqrt: unary(room.sqrt),
  square: unary(room.square),
  sub: binary(room.sub),
  sum: ([x], parameters) => room.sum(given(x), along(parameters)),
  tanh: unary(room.tanh),
  transpose: ([x], { axes }) => room.transpose(given(x), numbersOf(axes)),
  where: ([condition, a, b]) => room.where(given(condition), given(a), given(b)),
  xor: binary(room.xor),
  zerosLike: unary(room.zerosLike),
};

/**
 * Goldens of what is not here yet. An op that comes is exported, and must then be built above; of what an op that is here cannot do
 * yet, `missing` is what fails until it can.
 */
export const NOT_YET_THERE: Readonly<Record<string, { readonly missing?: () => unknown }>> = {
  advancedIndex: {},
  all: {},
  any: {},
  arange: {},
  argmin: {},
  argsort: {},
  averagePool2d: {},
  batchedDot: {},
  batchNormalization: {},
  'batchNormalization of the batch': {},
  binaryCrossEntropy: {},
  'binaryCrossEntropy of logistic': {},
  broadcastTo: {},
  'categoricalCrossEntropy of distributions': {
    missing: () => room.categoricalCrossEntropy(room.matrix('probabilities'), room.matrix('targets')),
  },
  conv2d: {},
  conv2dTranspose: {},
  cumprod: {},
  cumsum: {},
  diag: {},
  expandDims: {},
  eye: {},
  flip: {},
  'incSubtensor at indices': {},
  incSubtensor: {},
  index: {},
  l2Norm: {},
  norm: {},
  layerNormalization: {},
  logsumexp: {},
  matmul: {},
  maxPool2d: {},
  min: {},
  ones: {},
  outer: {},
  pad: {},
  'pad with what is there': {},
  prod: {},
  repeat: {},
  roll: {},
  scatterAdd: {},
  setSubtensor: {},
  'setSubtensor at indices': {},
  'slice with steps': { missing: () => room.slice(room.vector('x'), -2, -1) },
  sort: {},
  split: {},
  squeeze: {},
  stack: {},
  std: {},
  take: {},
  takeAlongAxis: {},
  tensordot: {},
  tile: {},
  topK: {},
  tril: {},
  triu: {},
  variance: {},
  zeros: {},
};

/** Ops that no golden is of, and why. */
export const WITHOUT_GOLDENS: Readonly<Record<string, string>> = {
  dimension: 'a size and no value',
  ifElse: 'its laws are those of its branches: see if-else.test.ts',
  scan: 'its laws are those of its steps: see scan.test.ts',
};

function unary(op: (x: Variable) => Variable): Builder {
  return ([x]) => op(given(x));
}

function binary(op: (a: Variable, b: Variable) => Variable): Builder {
  return ([a, b]) => op(given(a), given(b));
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A golden has fewer inputs or parameters than its builder takes');
  return value;
}

function numberOf(parameter: GoldenParameter | undefined): number {
  if (typeof parameter === 'number') return parameter;
  throw new Error(`The parameter ${JSON.stringify(parameter)} of a golden is not a number`);
}

function numbersOf(parameter: GoldenParameter | undefined): number[] {
  if (Array.isArray(parameter)) return parameter.map(numberOf);
  throw new Error(`The parameter ${JSON.stringify(parameter)} of a golden is not a list of numbers`);
}

function orderOf(parameter: GoldenParameter | undefined): (number | 'x')[] {
  if (Array.isArray(parameter)) return parameter.map((axis) => (axis === 'x' ? axis : numberOf(axis)));
  throw new Error(`The parameter ${JSON.stringify(parameter)} of a golden is not a list of axes`);
}

/** The options of a reduction. */
function along({ axis, keepdims }: GoldenParameters): room.ReductionOptions {
  if (axis === undefined) return { keepdims: keepdims === true };
  return { axis: typeof axis === 'number' ? axis : numbersOf(axis), keepdims: keepdims === true };
}

function alongOne({ axis, keepdims }: GoldenParameters): room.ArgmaxOptions {
  return { axis: numberOf(axis), keepdims: keepdims === true };
}

function dtypeOf(parameter: GoldenParameter | undefined): DType {
  if (typeof parameter === 'string' && isDType(parameter)) return parameter;
  throw new Error(`The parameter ${JSON.stringify(parameter)} of a golden is not a dtype`);
}
