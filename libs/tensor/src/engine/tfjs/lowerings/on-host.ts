import type { TfjsLowerings } from './lowering.js';

/** Ops that the host computes, for TensorFlow.js has no kernels for them or they are not lowered to those that it has. */
export const onHost = {
  arange: 'host',
  bitAnd: 'host',
  bitNot: 'host',
  bitOr: 'host',
  bitXor: 'host',
  broadcastTo: 'host',
  ceil: 'host',
  cos: 'host',
  erf: 'host',
  expm1: 'host',
  floor: 'host',
  floorDiv: 'host',
  leftShift: 'host',
  log1p: 'host',
  matmul: 'host',
  mod: 'host',
  putAlongAxis: 'host',
  rightShift: 'host',
  round: 'host',
  sin: 'host',
  softsign: 'host',
  take: 'host',
  takeAlongAxis: 'host',
  xor: 'host',
} satisfies Partial<TfjsLowerings>;
