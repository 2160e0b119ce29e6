/**
 * The natural logarithm of a positive finite number, correctly rounded: the same bits on every machine, engine and build, which
 * neither `Math.log` nor the C library's `log` promises. What `Math.log` gives for every other number.
 */
export function logarithm(x: number): number {
  if (!(x > 0 && x < Infinity)) return Math.log(x);
  const exponent = splitOff(x);
  const mantissa = MANTISSA.getFloat64(0);
  // With u = (mantissa - step) / (mantissa + step): log(x) = exponent log(2) + log(step) + 2 (u + u³/3 + u⁵/5 + ...).
  const nearest = Math.round(mantissa * STEPS);
  const step = nearest / STEPS;
  const sum = mantissa + step;
  const u = (mantissa - step) / sum;
  const remainder = mantissa - step - u * sum - productError(u, sum) - u * sumError(mantissa, step, sum);
  const square = u * u;
  const series = u * square * (2 / 3 + square * (2 / 5 + square * (2 / 7 + square * (2 / 9 + square * (2 / 11)))));
  const table = (tableOfSteps ??= tabulate());
  const stepHigh = table.high[nearest - FIRST_STEP] ?? Number.NaN;
  const stepLow = table.low[nearest - FIRST_STEP] ?? Number.NaN;
  const powerHigh = exponent * LOG_2_HIGH;
  const coarse = powerHigh + stepHigh;
  const fine = coarse + 2 * u;
  const errors = sumError(powerHigh, stepHigh, coarse) + sumError(coarse, 2 * u, fine);
  const rest = series + ((2 * remainder) / sum + (stepLow + exponent * LOG_2_LOW) + errors);
  const result = fine + rest;
  // All of the above errs by less than 2^-64 of the result: where that much could round to another number, count with integers.
  const doubt = Math.abs(result) * 2 ** -64;
  if (fine + (rest + doubt) === fine + (rest - doubt)) return result;
  return toNumber(logarithmOf(BigInt(mantissa * TWO_53), BigInt(TWO_53)) + BigInt(exponent) * LOG_2);
}

const TWO_53 = 2 ** 53;
const MANTISSA = new DataView(new ArrayBuffer(8));

/** Binary places of the integers that stand for exact logarithms; the smallest, log(1 - 2^-53), keeps 120 bits. */
const PLACES = 176n;
const LOG_2 = logarithmOf(2n, 1n);
/** The upper 32 bits, whose product with any exponent is exact. */
const LOG_2_HIGH = Math.floor(Math.LN2 * 2 ** 32) / 2 ** 32;
const LOG_2_LOW = toNumber(LOG_2 - toInteger(LOG_2_HIGH));

/** Steps of the table in the unit. */
const STEPS = 64;
const FIRST_STEP = Math.floor(Math.SQRT1_2 * STEPS);
const LAST_STEP = Math.ceil(Math.SQRT2 * STEPS);
let tableOfSteps: { readonly high: Float64Array; readonly low: Float64Array } | undefined;

/** Returns the exponent of x and leaves its mantissa, between the roots of 1/2 and 2, in `MANTISSA`. */
function splitOff(x: number): number {
  const scale = x < 2 ** -1022 ? 54 : 0;
  MANTISSA.setFloat64(0, x * 2 ** scale);
  const word = MANTISSA.getUint32(0);
  MANTISSA.setUint32(0, (word & 0xfffff) | 0x3ff00000);
  const exponent = (word >>> 20) - 1023 - scale;
  const mantissa = MANTISSA.getFloat64(0);
  if (mantissa < Math.SQRT2) return exponent;
  MANTISSA.setFloat64(0, mantissa / 2);
  return exponent + 1;
}

/** What `sum`, which is a + b rounded, lacks of it (Knuth). */
function sumError(a: number, b: number, sum: number): number {
  const rounded = sum - a;
  return a - (sum - rounded) + (b - rounded);
}

/** What a b, rounded, lacks of the product (Dekker, Veltkamp). */
function productError(a: number, b: number): number {
  const aHigh = upperHalf(a);
  const bHigh = upperHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (a * b - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

function upperHalf(x: number): number {
  const shifted = x * (2 ** 27 + 1);
  return shifted - (shifted - x);
}

function tabulate(): { high: Float64Array; low: Float64Array } {
  const high = new Float64Array(LAST_STEP - FIRST_STEP + 1);
  const low = new Float64Array(high.length);
  for (let index = 0; index < high.length; index += 1) {
    const exact = logarithmOf(BigInt(FIRST_STEP + index), BigInt(STEPS));
    const rounded = toNumber(exact);
    high[index] = rounded;
    low[index] = toNumber(exact - toInteger(rounded));
  }
  return { high, low };
}

/** log(numerator / denominator) as an integer of `PLACES` binary places, by the series of 2 atanh. */
function logarithmOf(numerator: bigint, denominator: bigint): bigint {
  const u = ((numerator - denominator) << PLACES) / (numerator + denominator);
  const square = (u * u) >> PLACES;
  let sum = 0n;
  // A negative power ends at -1, as shifts round down.
  for (let power = u, odd = 1n; power !== 0n && power !== -1n; power = (power * square) >> PLACES, odd += 2n) {
    sum += power / odd;
  }
  return 2n * sum;
}

function toNumber(integer: bigint): number {
  return Number(integer) * 2 ** -Number(PLACES);
}

function toInteger(x: number): bigint {
  return BigInt(x * 2 ** Number(PLACES));
}
