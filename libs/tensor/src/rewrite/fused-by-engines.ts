import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { Variable } from '../graph/variable.js';
import { isScalar } from './pattern.js';

/**
 * Whether an engine may compute a variable together with what uses it, with other last bits, where that is next to it and nothing else uses it: a
 * product of matrices or a convolution, a reciprocal, an `erf`, also behind what moves elements, scales or shifts them. Rewrites that keep bits
 * bring nothing next to one, and take no use of one away.
 */
export function isFusedByEngines(variable: Variable, reach = 4): boolean {
  const { owner } = variable;
  if (owner === null) return false;
  if (PRODUCTS.has(owner.op.name) || owner.op.name === 'erf' || isReciprocal(variable)) return true;
  // Further back, all that is looked through is taken for one.
  if (reach === 0) return true;
  return LOOKED_THROUGH.has(owner.op.name) && owner.inputs.some((input) => isFusedByEngines(input, reach - 1));
}

/**
 * Whether an engine may compute a variable together with an op that uses it and another operand, if that is simple: it is a product of matrices or a
 * convolution, an `erf` or a reciprocal, behind what moves elements or combines them with constants.
 */
export function isNextToProduct(variable: Variable): boolean {
  for (let one: Variable | undefined = variable; one !== undefined;) {
    const owner: Apply | null = one.owner;
    if (owner === null) return false;
    if (PRODUCTS.has(owner.op.name) || owner.op.name === 'erf' || isReciprocal(one)) return true;
    if (!LOOKED_THROUGH.has(owner.op.name)) return false;
    const [first, ...others]: readonly Variable[] = MOVING.has(owner.op.name)
      ? owner.inputs.slice(0, 1)
      : owner.inputs.filter((input) => !isOfConstants(input));
    if (others.length > 0) return false;
    one = first;
  }
  return false;
}

/** Whether an engine knows it before it runs. */
function isOfConstants(variable: Variable): boolean {
  if (variable instanceof Constant) return true;
  const { owner } = variable;
  return owner !== null && SPREADS.has(owner.op.name) && owner.inputs.every(isOfConstants);
}

/** `1 / x`, which a product with may become a division by x. */
export function isReciprocal({ owner }: Variable): boolean {
  const dividend = owner?.op.name === 'div' ? owner.inputs[0] : undefined;
  return dividend !== undefined && isOne(dividend);
}

/** Whether it is a product of matrices or a convolution. */
export function isProduct({ owner }: Variable): boolean {
  return owner !== null && PRODUCTS.has(owner.op.name);
}

function isOne(variable: Variable): boolean {
  if (isScalar(variable, 1)) return true;
  if (variable instanceof Constant) return variable.value.data.every((element) => Number(element) === 1);
  const { owner } = variable;
  if (owner === null || !SPREADS.has(owner.op.name)) return false;
  return owner.inputs.some(isOne);
}

/** Ops that are lowered to products of matrices or convolutions. */
export const PRODUCTS: ReadonlySet<string> = new Set([
  'dot',
  'matmul',
  'conv2d',
  'conv2dGradFilters',
  'conv2dGradInputs',
]);

const SPREADS: ReadonlySet<string> = new Set(['fill', 'broadcastTo', 'identity', 'stopGradient', 'cast', 'reshape']);

/** Ops whose result is their first input where that has the dtype, the size or the order of axes already. */
export const MOVING: ReadonlySet<string> = new Set([
  'broadcastTo',
  'cast',
  'dimshuffle',
  'identity',
  'reshape',
  'slice',
  'stopGradient',
]);

const LOOKED_THROUGH: ReadonlySet<string> = new Set([...MOVING, 'add', 'div', 'mul', 'neg', 'sub']);
