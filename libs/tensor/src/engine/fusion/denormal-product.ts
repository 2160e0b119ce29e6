import { get, INSTRUCTION, sequence, set, signed, vectorInstruction, type WasmFunction } from './module-encoding.js';

/**
 * The product of two vectors, with the bits of the instruction, at a price that denormals do not raise much: many processors take a hundred
 * cycles and more where that instruction meets one, and what Adam remembers of weights that get no gradient any more is denormal for ever.
 *
 * Where neither has an element that is nearly as small, it is the instruction. Else both are taken to float64, denormals by way of their
 * bits, where the product is exact and normal; it is rounded once, to float32, or, where it is a denormal, to an integer, which is its bits.
 */
export const DENORMAL_PRODUCT: WasmFunction = {
  name: 'product',
  parameters: ['v128', 'v128'],
  results: ['v128'],
  locals: Array.from({ length: 9 }, () => 'v128' as const),
  get body() {
    const [a, b, denormals, normal, fraction, sign, low, high, small, wide, first] = LOCALS;
    const parts = { denormals, normal, fraction, sign };
    return sequence(
      sequence(anyTiny([get(a), get(b)]), INSTRUCTION.i32EqualsZero),
      sequence(INSTRUCTION.if, INSTRUCTION.emptyBlock, get(a), get(b), MULTIPLY, INSTRUCTION.return, INSTRUCTION.end),
      partsOf(a, parts),
      sequence(inFloat64(parts, 'low'), set(low), inFloat64(parts, 'high'), set(high)),
      partsOf(b, parts),
      sequence(get(low), inFloat64(parts, 'low'), MULTIPLY_64, set(low)),
      sequence(get(high), inFloat64(parts, 'high'), MULTIPLY_64, set(high)),
      sequence(inFloat32(low, small, wide), set(first)),
      sequence(get(first), inFloat32(high, small, wide), FIRST_HALVES),
    );
  },
};

/** The factors, and what is made on the way: parts of one of them, the products, and the first half of the result. */
const LOCALS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const;

/**
 * Instructions that leave whether an element of the vectors that `pushes` put on the stack is so small that a product of it may be denormal, as it
 * is itself perhaps, and is not 0.
 */
export function anyTiny(pushes: readonly (readonly number[])[]): number[] {
  const least = pushes
    .map((push) => sequence(twice(push), words(1), SUBTRACT))
    .reduce((sofar, one) => sequence(sofar, one, vectorInstruction(0xb7)));
  return sequence(least, words(TINY), LESS, ANY);
}

/** Twice the bits, which is without the sign. Less 1 it is the largest number of a 0. */
function twice(push: readonly number[]): number[] {
  return sequence(push, INSTRUCTION.i32Const, 1, vectorInstruction(0xab));
}

/** Twice the bits of 2 ** -116: where a rate of a thousandth is multiplied with, less gives denormals. */
const TINY = (127 - 116) * 2 ** 24;

/** Locals for a mask of the denormals of a factor, for what is none, and for the bits and the signs of what is. */
interface Parts {
  readonly denormals: number;
  readonly normal: number;
  readonly fraction: number;
  readonly sign: number;
}

function partsOf(factor: number, { denormals, normal, fraction, sign }: Parts): number[] {
  const ofDenormals = sequence(get(factor), get(denormals), AND);
  return sequence(
    sequence(twice(get(factor)), words(2 ** 24), LESS, set(denormals)),
    sequence(get(factor), get(denormals), AND_NOT, set(normal)),
    sequence(ofDenormals, words(0x007fffff), AND, set(fraction)),
    sequence(ofDenormals, words(0x80000000), AND, set(sign)),
  );
}

/** Half of a factor, as float64. */
function inFloat64({ normal, fraction, sign }: Parts, half: 'low' | 'high'): number[] {
  const halfOf = (local: number): number[] =>
    half === 'low' ? get(local) : sequence(get(local), get(local), SECOND_HALF);
  return sequence(
    sequence(halfOf(normal), vectorInstruction(0x5f)),
    sequence(halfOf(fraction), vectorInstruction(0xff), doubles(2 ** -149), MULTIPLY_64, OR),
    sequence(halfOf(sign), vectorInstruction(0xc9), INSTRUCTION.i32Const, 32, vectorInstruction(0xcb), OR),
  );
}

/** Two products in the first half of a vector, as float32. */
function inFloat32(product: number, small: number, wide: number): number[] {
  return sequence(
    sequence(get(product), vectorInstruction(0xec), doubles(2 ** -126), vectorInstruction(0x49), set(small)),
    sequence(get(product), get(small), AND, set(wide)),
    sequence(get(product), get(small), AND_NOT, vectorInstruction(0x5e)),
    sequence(get(wide), vectorInstruction(0xec), doubles(2 ** 149), MULTIPLY_64),
    sequence(vectorInstruction(0x94), vectorInstruction(0xfc), OR),
    sequence(get(wide), get(wide), UPPER_WORDS, words(0x80000000), AND, OR),
  );
}

/** A word in each of the four places of a vector. */
function words(value: number): number[] {
  return sequence(INSTRUCTION.i32Const, signed(value | 0), vectorInstruction(0x11));
}

/** A float64 in both places of a vector. */
function doubles(value: number): number[] {
  return sequence(CONSTANT, bytesOf(Float64Array.of(value, value)));
}

function bytesOf({ buffer }: { readonly buffer: ArrayBufferLike }): number[] {
  return [...new Uint8Array(buffer)];
}

/** Takes the words of two vectors, of which those of the second are 4 to 7, in this order. */
function shuffle(...taken: readonly number[]): number[] {
  const bytes = taken.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
  return sequence(vectorInstruction(0x0d), bytes);
}

const CONSTANT = vectorInstruction(0x0c);
const [AND, AND_NOT] = [vectorInstruction(0x4e), vectorInstruction(0x4f)];
const [OR, ANY] = [vectorInstruction(0x50), vectorInstruction(0x53)];
const [LESS, SUBTRACT] = [vectorInstruction(0x3a), vectorInstruction(0xb1)];
const MULTIPLY = vectorInstruction(0xe6);
const MULTIPLY_64 = vectorInstruction(0xf2);
const SECOND_HALF = shuffle(2, 3, 2, 3);
const FIRST_HALVES = shuffle(0, 1, 4, 5);
/** Of each float64, in the first half: what is behind is not looked at. */
const UPPER_WORDS = shuffle(1, 3, 1, 3);
