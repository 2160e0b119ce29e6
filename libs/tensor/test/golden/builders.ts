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
  advancedIndex: ([x, ...indices]) => room.advancedIndex(given(x), ...indices),
  all: ([x], parameters) => room.all(given(x), along(parameters)),
  and: binary(room.and),
  any: ([x], parameters) => room.any(given(x), along(parameters)),
  arange: (_, { start, stop, step, dtype }) =>
    room.arange(numberOf(start), numberOf(stop), { step: numberOf(step), dtype: dtypeOf(dtype) }),
  argmax: ([x], parameters) => room.argmax(given(x), alongOne(parameters)),
  argmin: ([x], parameters) => room.argmin(given(x), alongOne(parameters)),
  batchedDot: binary(room.batchedDot),
  batchNormalization: ([x, gamma, beta, mean, variance], { epsilon }) =>
    room.batchNormalization(given(x), given(gamma), given(beta), given(mean), given(variance), {
      epsilon: numberOf(epsilon),
    }),
  'batchNormalization of the batch': ([x, gamma, beta], { axes, epsilon }) => {
    const over = { axis: numbersOf(axes), keepdims: true };
    const [mean, variance] = [room.mean(given(x), over), room.variance(given(x), over)];
    return room.batchNormalization(given(x), given(gamma), given(beta), mean, variance, { epsilon: numberOf(epsilon) });
  },
  binaryCrossEntropy: binary(room.binaryCrossEntropy),
  'binaryCrossEntropy of logistic': ([x, targets]) => room.binaryCrossEntropy(room.logistic(given(x)), given(targets)),
  argsort: ([x], { axis }) => room.argsort(given(x), { axis: numberOf(axis) }),
  bitAnd: binary(room.bitAnd),
  bitNot: unary(room.bitNot),
  bitOr: binary(room.bitOr),
  bitXor: binary(room.bitXor),
  averagePool2d: ([x], { countPadding, ...parameters }) =>
    room.averagePool2d(given(x), { ...poolOf(parameters), countPadding: countPadding === true }),
  broadcastTo: ([x], { shape }) => room.broadcastTo(given(x), numbersOf(shape)),
  cast: ([x], { dtype }) => room.cast(given(x), dtypeOf(dtype)),
  categoricalCrossEntropy: binary(room.categoricalCrossEntropy),
  'categoricalCrossEntropy of softmax': ([x, labels]) =>
    room.categoricalCrossEntropy(room.softmax(given(x)), given(labels)),
  ceil: unary(room.ceil),
  clip: ([x], { min, max }) => room.clip(given(x), numberOf(min), numberOf(max)),
  concatenate: (parts, { axis }) => room.concatenate(parts, numberOf(axis)),
  conv2d: ([x, filters], { border, strides, dilation, groups, flipFilters }) =>
    room.conv2d(given(x), given(filters), {
      border: border === 'valid' || border === 'half' || border === 'full' ? border : pairOf(border),
      strides: pairOf(strides),
      dilation: pairOf(dilation),
      groups: numberOf(groups),
      flipFilters: flipFilters === true,
    }),
  conv2dTranspose: ([x, filters], { padding, strides, dilation, outputPadding, groups }) =>
    room.conv2dTranspose(given(x), given(filters), {
      padding: pairOf(padding),
      strides: pairOf(strides),
      dilation: pairOf(dilation),
      outputPadding: pairOf(outputPadding),
      groups: numberOf(groups),
    }),
  cos: unary(room.cos),
  cumprod: ([x], { axis }) => room.cumprod(given(x), { axis: numberOf(axis) }),
  cumsum: ([x], { axis }) => room.cumsum(given(x), { axis: numberOf(axis) }),
  diag: ([x], { offset }) => room.diag(given(x), numberOf(offset)),
  dimshuffle: ([x], { order }) => room.dimshuffle(given(x), orderOf(order)),
  div: binary(room.div),
  dot: binary(room.dot),
  elu: unary(room.elu),
  eq: binary(room.eq),
  erf: unary(room.erf),
  exp: unary(room.exp),
  expandDims: ([x], { axis }) => room.expandDims(given(x), numberOf(axis)),
  expm1: unary(room.expm1),
  eye: (_, { rows, columns, offset, dtype }) =>
    room.eye(numberOf(rows), { columns: numberOf(columns), offset: numberOf(offset), dtype: dtypeOf(dtype) }),
  fill: binary(room.fill),
  flatten: ([x], { ndim = 1 }) => room.flatten(given(x), numberOf(ndim)),
  flip: ([x], { axis }) => room.flip(given(x), { axis: numberOf(axis) }),
  floor: unary(room.floor),
  floorDiv: binary(room.floorDiv),
  ge: binary(room.ge),
  gelu: unary(room.gelu),
  gt: binary(room.gt),
  hardSigmoid: unary(room.hardSigmoid),
  identity: unary(room.identity),
  incSubtensor: ([x, value], parameters) => room.incSubtensor(given(x), given(value), rangeOf(parameters)),
  'incSubtensor at indices': ([x, value, indices]) =>
    room.incSubtensor(given(x), given(value), { indices: given(indices) }),
  index: ([x], { index, axis }) => room.index(given(x), numberOf(index), { axis: numberOf(axis) }),
  isclose: binary(room.isclose),
  isfinite: unary(room.isfinite),
  isinf: unary(room.isinf),
  isnan: unary(room.isnan),
  l2Norm: (parts) => room.l2Norm(parts),
  layerNormalization: ([x, gamma, beta], { epsilon }) =>
    room.layerNormalization(given(x), given(gamma), given(beta), { epsilon: numberOf(epsilon) }),
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
  logsumexp: ([x], parameters) => room.logsumexp(given(x), along(parameters)),
  lt: binary(room.lt),
  matmul: binary(room.matmul),
  max: ([x], parameters) => room.max(given(x), along(parameters)),
  maxPool2d: ([x], parameters) => room.maxPool2d(given(x), poolOf(parameters)),
  maximum: binary(room.maximum),
  mean: ([x], parameters) => room.mean(given(x), along(parameters)),
  min: ([x], parameters) => room.min(given(x), along(parameters)),
  minimum: binary(room.minimum),
  mod: binary(room.mod),
  mul: binary(room.mul),
  neg: unary(room.neg),
  neq: binary(room.neq),
  norm: ([x], parameters) => room.norm(given(x), along(parameters)),
  not: unary(room.not),
  'one minus logistic': ([x]) => room.sub(1, room.logistic(given(x))),
  oneHot: ([labels], { depth }) => room.oneHot(given(labels), numberOf(depth)),
  ones: (_, { shape, dtype }) => room.ones(numbersOf(shape), dtypeOf(dtype)),
  onesLike: unary(room.onesLike),
  or: binary(room.or),
  outer: binary(room.outer),
  pad: ([x], { padding, value }) =>
    room.pad(given(x), pairsOf(padding), { value: typeof value === 'boolean' ? value : numberOf(value) }),
  'pad with what is there': ([x], { padding, mode }) =>
    room.pad(given(x), pairsOf(padding), { mode: mode === 'edge' ? 'edge' : 'reflect' }),
  pick: binary(room.pick),
  pow: binary(room.pow),
  'pow of a number': ([x], { exponent }) => room.pow(given(x), numberOf(exponent)),
  prod: ([x], parameters) => room.prod(given(x), along(parameters)),
  putAlongAxis: ([x, indices, values], { axis, mode }) =>
    room.putAlongAxis(given(x), given(indices), given(values), {
      axis: numberOf(axis),
      mode: mode === 'add' ? 'add' : 'set',
    }),
  rectifier: unary(room.rectifier),
  repeat: ([x], { repeats, axis }) => room.repeat(given(x), numberOf(repeats), { axis: numberOf(axis) }),
  reshape: ([x], { shape }) => room.reshape(given(x), numbersOf(shape)),
  rightShift: binary(room.rightShift),
  round: unary(room.round),
  scatterAdd: ([x, indices, updates], { axis }) =>
    room.scatterAdd(given(x), given(indices), given(updates), { axis: numberOf(axis) }),
  setSubtensor: ([x, value], parameters) => room.setSubtensor(given(x), given(value), rangeOf(parameters)),
  'setSubtensor at indices': ([x, value, indices]) =>
    room.setSubtensor(given(x), given(value), { indices: given(indices) }),
  roll: ([x], { shift, axis }) => room.roll(given(x), numberOf(shift), { axis: numberOf(axis) }),
  sign: unary(room.sign),
  sin: unary(room.sin),
  slice: ([x], { start, stop, axis }) =>
    room.slice(given(x), numberOf(start), numberOf(stop), { axis: numberOf(axis) }),
  'slice with steps': ([x], parameters) => {
    const { start, stop, ...options } = rangeOf(parameters);
    return room.slice(given(x), start, stop, options);
  },
  softmax: unary(room.softmax),
  softmaxCrossEntropy: binary(room.softmaxCrossEntropy),
  softplus: unary(room.softplus),
  softsign: unary(room.softsign),
  sort: ([x], { axis }) => room.sort(given(x), { axis: numberOf(axis) }),
  split: ([x], { sizes, axis }) => room.split(given(x), numbersOf(sizes), numberOf(axis)),
  sqrt: unary(room.sqrt),
  square: unary(room.square),
  squeeze: ([x], { axis }) => room.squeeze(given(x), { axis: numberOf(axis) }),
  std: ([x], parameters) => room.std(given(x), along(parameters)),
  stack: (parts, { axis }) => room.stack(parts, numberOf(axis)),
  sub: binary(room.sub),
  sum: ([x], parameters) => room.sum(given(x), along(parameters)),
  take: ([x, indices], { axis }) => room.take(given(x), given(indices), { axis: numberOf(axis) }),
  takeAlongAxis: ([x, indices], { axis }) => room.takeAlongAxis(given(x), given(indices), { axis: numberOf(axis) }),
  tanh: unary(room.tanh),
  tensordot: ([a, b], { axes }) => room.tensordot(given(a), given(b), axesOf(axes)),
  tile: ([x], { repeats }) => room.tile(given(x), numbersOf(repeats)),
  topK: ([x], { k, axis }) => room.topK(given(x), numberOf(k), { axis: numberOf(axis) }),
  transpose: ([x], { axes }) => room.transpose(given(x), numbersOf(axes)),
  variance: ([x], parameters) => room.variance(given(x), along(parameters)),
  tril: ([x], { offset }) => room.tril(given(x), numberOf(offset)),
  triu: ([x], { offset }) => room.triu(given(x), numberOf(offset)),
  where: ([condition, a, b]) => room.where(given(condition), given(a), given(b)),
  zeros: (_, { shape, dtype }) => room.zeros(numbersOf(shape), dtypeOf(dtype)),
  xor: binary(room.xor),
  zerosLike: unary(room.zerosLike),
};

/**
 * Goldens of what is not here yet. An op that comes is exported, and must then be built above; of what an op that is here cannot do
 * yet, `missing` is what fails until it can.
 */
export const NOT_YET_THERE: Readonly<Record<string, { readonly missing?: () => unknown }>> = {
  'categoricalCrossEntropy of distributions': {
    missing: () => room.categoricalCrossEntropy(room.matrix('probabilities'), room.matrix('targets')),
  },
};

/** Ops that no golden is of, and why. */
export const WITHOUT_GOLDENS: Readonly<Record<string, string>> = {
  convOutputShape: 'a shape and no value',
  dimension: 'a size and no value',
  poolOutputShape: 'a shape and no value',
  ifElse: 'it is of its branches: see random-scans.test.ts and if-else.test.ts',
  randomBinomial: 'as randomUniform',
  randomBits: 'the words are those of libs/serialization, whose tests have the known answers: see random-bits.test.ts',
  randomMultinomial: 'as randomUniform',
  randomNormal: 'as randomUniform',
  randomPermutation: 'as randomUniform',
  randomState: 'no variable',
  randomUniform: 'numbers of libs/serialization in another form: see random-distributions.test.ts',
  scan: 'it is of its step: see random-scans.test.ts and scan.test.ts',
  stopGradient: 'its value is that of identity, and it has no gradient: see elementwise.test.ts and grad.test.ts',
  scanCheckpoints: 'it is compared with scan: see scan-checkpoints.test.ts',
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

/** A parameter that is a list of numbers. */
export function numbersOf(parameter: GoldenParameter | undefined): number[] {
  if (Array.isArray(parameter)) return parameter.map(numberOf);
  throw new Error(`The parameter ${JSON.stringify(parameter)} of a golden is not a list of numbers`);
}

function pairOf(parameter: GoldenParameter | undefined): room.Pair {
  const [rows, columns] = numbersOf(parameter);
  return [given(rows), given(columns)];
}

function poolOf({ size, strides, padding, ignoreBorder }: GoldenParameters): room.PoolOptions {
  return {
    size: pairOf(size),
    strides: pairOf(strides),
    padding: pairOf(padding),
    ignoreBorder: ignoreBorder === true,
  };
}

function orderOf(parameter: GoldenParameter | undefined): (number | 'x')[] {
  if (Array.isArray(parameter)) return parameter.map((axis) => (axis === 'x' ? axis : numberOf(axis)));
  throw new Error(`The parameter ${JSON.stringify(parameter)} of a golden is not a list of axes`);
}

/** How many axes, or those of either operand. */
function axesOf(parameter: GoldenParameter | undefined): number | [number[], number[]] {
  if (!Array.isArray(parameter)) return numberOf(parameter);
  const [ofA, ofB] = parameter;
  return [numbersOf(ofA), numbersOf(ofB)];
}

/** A slice of one axis. */
function rangeOf({ start, stop, step, axis }: GoldenParameters): {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number;
  readonly axis: number;
} {
  const boundOf = (bound: GoldenParameter | undefined): number | null => (bound === null ? null : numberOf(bound));
  return { start: boundOf(start), stop: boundOf(stop), step: numberOf(step), axis: numberOf(axis) };
}

/** How much is put before and after each axis. */
function pairsOf(parameter: GoldenParameter | undefined): [number, number][] {
  if (!Array.isArray(parameter)) throw new Error('The padding of a golden is not a list of pairs');
  return parameter.map((pair) => {
    const [before, after] = numbersOf(pair);
    return [given(before), given(after)];
  });
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
