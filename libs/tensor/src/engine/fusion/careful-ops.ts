import { get, INSTRUCTION, sequence, set, unsigned, vectorInstruction, type WasmFunction } from './module-encoding.js';

/**
 * Products, quotients and roots with the bits of the instructions, at a price that denormals do not raise much: many processors take a
 * hundred cycles and more where an instruction meets one, and what Adam remembers of weights that get no gradient any more is denormal for ever. Others
 * take few more than else, and less than this: see `denormalsAreSlow`.
 *
 * Elements that are tiny are taken to float64, where they are normal, and what is computed is rounded once, to float32, or, where it is a
 * denormal, to an integer, which is its bits. For a quotient and a root, rounding to float64 before makes no difference: it has more than twice the bits.
 */
const PRODUCT: WasmFunction = {
  name: 'product',
  parameters: ['v128', 'v128'],
  results: ['v128'],
  locals: Array.from({ length: 8 }, () => 'v128' as const),
  get body() {
    const small = sequence(isTiny(get(A)), isTiny(get(B)), OR, isNumber(A), AND, isNumber(B), AND, set(SMALL));
    return sequence(small, byHalves(MULTIPLY_64), ordinary(A), ordinary(B), MULTIPLY, get(SMALL), SELECT);
  },
};

const QUOTIENT: WasmFunction = {
  name: 'quotient',
  parameters: ['v128', 'v128'],
  results: ['v128'],
  locals: Array.from({ length: 8 }, () => 'v128' as const),
  get body() {
    const small = sequence(isTiny(get(A)), isNumber(B), AND, set(SMALL));
    return sequence(small, byHalves(DIVIDE_64), ordinary(A), get(B), DIVIDE, get(SMALL), SELECT);
  },
};

const ROOT: WasmFunction = {
  name: 'root',
  parameters: ['v128'],
  results: ['v128'],
  locals: ['v128', 'v128', 'v128'],
  get body() {
    const [a, small, magnitude, hidden] = [0, 1, 2, 3];
    const half = (which: Half): number[] => sequence(inFloat64({ magnitude, hidden }, which), SQUARE_ROOT_64, DEMOTE);
    return sequence(
      sequence(isDenormal(get(a)), set(small), taken(get(a), { magnitude, hidden })),
      sequence(half('low'), half('high'), FIRST_HALVES),
      sequence(get(a), get(small), AND_NOT, SQUARE_ROOT, get(small), SELECT),
    );
  },
};

/** The bits of the products of a factor with the sixteen smallest numbers, 0 among them, a byte each: its parameter is the magnitude of the factor, as float64. */
const LEAST_PRODUCTS: WasmFunction = {
  name: 'least products',
  parameters: ['v128'],
  results: ['v128'],
  locals: [],
  get body() {
    const scale = get(0);
    const two = (first: number): number[] => rounded(sequence(doubles(first, first + 1), scale, MULTIPLY_64));
    const four = (first: number): number[] => sequence(two(first), two(first + 2), LOWER_WORDS);
    return sequence(four(0), four(4), TO_HALVES_OF_WORDS, four(8), four(12), TO_HALVES_OF_WORDS, TO_BYTES);
  },
};

/** The functions that careful ops call, which come first in a module. */
export const CAREFUL_FUNCTIONS: readonly WasmFunction[] = [PRODUCT, QUOTIENT, ROOT, LEAST_PRODUCTS];

/** Instructions that push an operand. */
type Push = readonly number[];

export function carefulProduct(a: Push, b: Push): number[] {
  return choice(
    anyTiny([a, b]),
    sequence(a, b, INSTRUCTION.call, CAREFUL_FUNCTIONS.indexOf(PRODUCT)),
    sequence(a, b, MULTIPLY),
  );
}

export function carefulQuotient(a: Push, b: Push): number[] {
  return choice(
    anyTiny([a]),
    sequence(a, b, INSTRUCTION.call, CAREFUL_FUNCTIONS.indexOf(QUOTIENT)),
    sequence(a, b, DIVIDE),
  );
}

export function carefulRoot(a: Push): number[] {
  return choice(
    sequence(isDenormal(a), ANY),
    sequence(a, INSTRUCTION.call, CAREFUL_FUNCTIONS.indexOf(ROOT)),
    sequence(a, SQUARE_ROOT),
  );
}

/** A factor that is the same for all elements of an array, and the locals that have what its careful products need. */
export interface Factor {
  /** The number, in a local of f32. */
  readonly scalar: number;
  /** The number in each place of a vector. */
  readonly everywhere: number;
  /** Its magnitude times 2 ** 149, as float64: the bits of a denormal, as an integer, times this are the bits of the product. */
  readonly scale: number;
  /** Elements are small whose bits, less 1, are below this in each place: they or their products may be denormal. */
  readonly bound: number;
  /** See {@link LEAST_PRODUCTS}. */
  readonly least: number;
}

/** Locals of vectors that a careful product of a factor overwrites. */
export interface Temporaries extends Parts {
  readonly small: number;
}

/**
 * Makes what the products of a factor need. A factor of more than 2, or one that is no number, has no bound: its products are left to
 * the instruction, as denormals times more than 2 need not be denormal.
 */
export function prepareFactor({ scalar, scale, bound, least }: Factor): number[] {
  const magnitude = sequence(get(scalar), SCALAR.absolute);
  const smallest = sequence(SCALAR.const, bytesOf(Float32Array.of(2 ** -126)));
  return sequence(
    sequence(magnitude, SCALAR.promote, SCALAR.const64, bytesOf(Float64Array.of(2 ** 149)), SCALAR.multiply64),
    sequence(vectorInstruction(0x14), set(scale)),
    sequence(get(scale), doubles(2 ** -149), MULTIPLY_64, INSTRUCTION.call, CAREFUL_FUNCTIONS.indexOf(LEAST_PRODUCTS)),
    set(least),
    sequence(smallest, magnitude, SCALAR.divide, smallest, SCALAR.maximum, SCALAR.bits),
    sequence(INSTRUCTION.i32Const, 1, magnitude, SCALAR.const, bytesOf(Float32Array.of(2)), SCALAR.lessOrEqual),
    sequence(SCALAR.select, INSTRUCTION.i32Const, 1, SCALAR.subtract, vectorInstruction(0x11), set(bound)),
  );
}

/**
 * The product of a vector and a factor. What can be computed once for the factor is, so that it takes less than one of two vectors. A product that
 * decays comes to the smallest numbers, and stays there, as those times 0.9 are rounded to themselves: these are looked up.
 */
export function carefulScaling(a: Push, factor: Factor, { small, ...parts }: Temporaries): number[] {
  const { everywhere, scale, bound, least } = factor;
  const half = (which: Half): number[] => rounded(sequence(inFloat64(parts, which), get(scale), MULTIPLY_64));
  const sign = sequence(a, get(everywhere), XOR, words(SIGN), AND);
  const magnitudes = sequence(
    a,
    words(MAGNITUDE),
    AND,
    get(small),
    AND,
    INSTRUCTION.localTee,
    unsigned(parts.magnitude),
  );
  const products = choice(
    sequence(magnitudes, words(~(LEAST - 1)), AND, ANY),
    sequence(taken(a, parts), half('low'), half('high'), LOWER_WORDS),
    // An index that is beyond all gives 0, as the upper bytes of a product are.
    sequence(get(least), get(parts.magnitude), words(0x80808000), OR, LOOK_UP),
  );
  return choice(
    sequence(lessOne(a), get(bound), LESS, INSTRUCTION.localTee, unsigned(small), ANY),
    sequence(
      sequence(products, sign, OR),
      sequence(a, get(small), AND_NOT, get(everywhere), MULTIPLY, get(small), SELECT),
    ),
    sequence(a, get(everywhere), MULTIPLY),
  );
}

/** Whether an element of these is tiny. */
export function anyTiny(pushes: readonly Push[]): number[] {
  const least = pushes.map(lessOne).reduce((sofar, one) => sequence(sofar, one, vectorInstruction(0xb7)));
  return sequence(least, words(TINY - 1), LESS, ANY);
}

/** The bits of 2 ** -116: where a rate of a thousandth is multiplied with, less gives denormals. */
const TINY = (127 - 116) * 2 ** 23;
/** How many of the smallest numbers have their products looked up. */
const LEAST = 16;
/** The bits of the smallest number that is normal; added to those of a denormal, they add it. */
const NORMAL = 2 ** 23;
const [MAGNITUDE, SIGN] = [0x7fffffff, 0x80000000];

/** Locals of the functions of two operands. */
const [A, B, SMALL, OF_A, HIDDEN_A, OF_B, HIDDEN_B, FIRST, SECOND, IS_DENORMAL] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** The bits of magnitudes less 1: 0 has the largest of all. */
function lessOne(push: Push): number[] {
  return sequence(push, words(MAGNITUDE), AND, words(1), SUBTRACT);
}

/** A mask of elements that are not 0 and so small that a product of them may be denormal, as they are themselves perhaps. */
function isTiny(push: Push): number[] {
  return sequence(lessOne(push), words(TINY - 1), LESS);
}

/** A mask of the denormals above 0. */
function isDenormal(push: Push): number[] {
  return sequence(push, words(1), SUBTRACT, words(NORMAL - 1), LESS);
}

function isNumber(local: number): number[] {
  return sequence(get(local), get(local), EQUAL);
}

/** What is not small, and 0 else. */
function ordinary(local: number): number[] {
  return sequence(get(local), get(SMALL), AND_NOT);
}

/** Locals for a vector's magnitude, and what was added to it so that it is normal. */
interface Parts {
  readonly magnitude: number;
  readonly hidden: number;
}

function taken(push: Push, { magnitude, hidden }: Parts): number[] {
  return sequence(
    sequence(push, words(MAGNITUDE), AND, INSTRUCTION.localTee, unsigned(magnitude), words(NORMAL), LESS),
    sequence(words(NORMAL), AND, INSTRUCTION.localTee, unsigned(hidden), get(magnitude), OR, set(magnitude)),
  );
}

type Half = 'low' | 'high';

/** The magnitude of a half of a vector, as float64. */
function inFloat64({ magnitude, hidden }: Parts, half: Half): number[] {
  const halfOf = (local: number): number[] =>
    half === 'low' ? get(local) : sequence(get(local), get(local), shuffle(2, 3, 2, 3));
  return sequence(halfOf(magnitude), PROMOTE, halfOf(hidden), PROMOTE, SUBTRACT_64);
}

/** What an instruction of float64 makes of the magnitudes of both operands, with the sign of both. */
function byHalves(instruction: readonly number[]): number[] {
  const [ofA, ofB] = [
    { magnitude: OF_A, hidden: HIDDEN_A },
    { magnitude: OF_B, hidden: HIDDEN_B },
  ];
  const half = (which: Half, local: number): number[] =>
    sequence(inFloat64(ofA, which), inFloat64(ofB, which), instruction, set(local));
  const normal = (local: number): number[] => sequence(get(local), isBelowNormal(local), AND_NOT, DEMOTE);
  return sequence(
    sequence(taken(get(A), ofA), taken(get(B), ofB), half('low', FIRST), half('high', SECOND)),
    sequence(isBelowNormal(FIRST), isBelowNormal(SECOND), LOWER_WORDS, set(IS_DENORMAL)),
    sequence(asDenormal(FIRST), asDenormal(SECOND), LOWER_WORDS, normal(FIRST), normal(SECOND), FIRST_HALVES),
    sequence(get(IS_DENORMAL), SELECT, get(A), get(B), XOR, words(SIGN), AND, OR),
  );
}

/** A mask of float64 whose bits as denormals of float32 are those of an integer: all denormals, and the next as many numbers. */
function isBelowNormal(local: number): number[] {
  return sequence(get(local), doubles(2 ** -125), LESS_64);
}

/** Float64 of which the lower words are the bits of denormals. */
function asDenormal(local: number): number[] {
  return rounded(sequence(get(local), doubles(2 ** 149), MULTIPLY_64));
}

/** Float64, to integers in their lower words: by adding what leaves no bits behind. */
function rounded(push: Push): number[] {
  return sequence(push, doubles(2 ** 52), ADD_64);
}

function choice(condition: readonly number[], yes: readonly number[], no: readonly number[]): number[] {
  return sequence(condition, INSTRUCTION.if, INSTRUCTION.vectorBlock, yes, INSTRUCTION.else, no, INSTRUCTION.end);
}

/** A word in each of the four places of a vector. */
function words(value: number): number[] {
  return sequence(CONSTANT, bytesOf(Uint32Array.of(value, value, value, value)));
}

/** A float64 in both places of a vector, or one in each. */
function doubles(first: number, second = first): number[] {
  return sequence(CONSTANT, bytesOf(Float64Array.of(first, second)));
}

function bytesOf({ buffer }: { readonly buffer: ArrayBufferLike }): number[] {
  return [...new Uint8Array(buffer)];
}

/** Takes the words of two vectors, of which those of the second are 4 to 7, in this order. */
function shuffle(...chosen: readonly number[]): number[] {
  const bytes = chosen.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
  return sequence(vectorInstruction(0x0d), bytes);
}

const CONSTANT = vectorInstruction(0x0c);
const [AND, AND_NOT] = [vectorInstruction(0x4e), vectorInstruction(0x4f)];
const [OR, XOR] = [vectorInstruction(0x50), vectorInstruction(0x51)];
const [SELECT, ANY] = [vectorInstruction(0x52), vectorInstruction(0x53)];
/** Of words without a sign. */
const [LESS, SUBTRACT] = [vectorInstruction(0x3a), vectorInstruction(0xb1)];
const [EQUAL, SQUARE_ROOT] = [vectorInstruction(0x41), vectorInstruction(0xe3)];
const [MULTIPLY, DIVIDE] = [vectorInstruction(0xe6), vectorInstruction(0xe7)];
const [DEMOTE, PROMOTE] = [vectorInstruction(0x5e), vectorInstruction(0x5f)];
const [LESS_64, SQUARE_ROOT_64] = [vectorInstruction(0x49), vectorInstruction(0xef)];
const [ADD_64, SUBTRACT_64] = [vectorInstruction(0xf0), vectorInstruction(0xf1)];
const [MULTIPLY_64, DIVIDE_64] = [vectorInstruction(0xf2), vectorInstruction(0xf3)];
const FIRST_HALVES = shuffle(0, 1, 4, 5);
const LOWER_WORDS = shuffle(0, 2, 4, 6);
const [TO_HALVES_OF_WORDS, TO_BYTES] = [vectorInstruction(0x86), vectorInstruction(0x66)];
const LOOK_UP = vectorInstruction(0x0e);
/** Instructions of scalars. */
const SCALAR = {
  const: 0x43,
  const64: 0x44,
  lessOrEqual: 0x5f,
  select: 0x1b,
  subtract: 0x6b,
  absolute: 0x8b,
  divide: 0x95,
  maximum: 0x97,
  multiply64: 0xa2,
  promote: 0xbb,
  bits: 0xbc,
} as const;
