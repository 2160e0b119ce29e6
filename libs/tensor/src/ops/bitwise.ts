import { DISCONNECTED } from '../graph/gradient-flow.js';
import { binary, unary } from './elementwise.js';

/** The bits that are set in both integers, broadcasting. No gradient flows through it. */
export const bitAnd = binary('bitAnd', {
  accepts: 'integer',
  compute: (a, b) => Number(BigInt(a) & BigInt(b)),
  gradients: () => [DISCONNECTED, DISCONNECTED],
});

/** The bits that are set in one integer or the other, broadcasting. No gradient flows through it. */
export const bitOr = binary('bitOr', {
  accepts: 'integer',
  compute: (a, b) => Number(BigInt(a) | BigInt(b)),
  gradients: () => [DISCONNECTED, DISCONNECTED],
});

/** The bits in which two integers differ, broadcasting. No gradient flows through it. */
export const bitXor = binary('bitXor', {
  accepts: 'integer',
  compute: (a, b) => Number(BigInt(a) ^ BigInt(b)),
  gradients: () => [DISCONNECTED, DISCONNECTED],
});

/** Every bit of an integer turned over: `-1 - x` where it is signed. No gradient flows through it. */
export const bitNot = unary('bitNot', {
  accepts: 'integer',
  compute: (x) => -1 - x,
  gradients: () => [DISCONNECTED],
});

/** The bits of an integer moved up by `count`, broadcasting; 0 where `count` is at least the width or negative. No gradient flows through it. */
export const leftShift = binary('leftShift', {
  accepts: 'integer',
  compute: (x, count) => (isShift(count) ? Number(BigInt.asIntN(64, BigInt(x) << BigInt(count))) : 0),
  gradients: () => [DISCONNECTED, DISCONNECTED],
});

/**
 * The bits of an integer moved down by `count`, broadcasting, copies of the sign taking their places: `floorDiv(x, 2 ** count)`.
 * Only the sign is left where `count` is at least the width or negative. No gradient flows through it.
 */
export const rightShift = binary('rightShift', {
  accepts: 'integer',
  compute: (x, count) => Number(BigInt(x) >> BigInt(isShift(count) ? count : 63)),
  gradients: () => [DISCONNECTED, DISCONNECTED],
});

function isShift(count: number): boolean {
  return count >= 0 && count < 64;
}
