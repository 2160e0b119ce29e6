/**
 * Philox4x32-10: maps a 128-bit counter and a 64-bit key, as unsigned 32-bit words with the lowest first, to four words that
 * pass the usual statistical tests, without any state. Writes them to `out`.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), and its library Random123.
 */
export function philox4x32(
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
  out: Uint32Array,
): void {
  // Signed inside, as the machine's own 32-bit integers are fast; storing in `out` makes them unsigned again.
  let c0 = counter0 | 0;
  let c1 = counter1 | 0;
  let c2 = counter2 | 0;
  let c3 = counter3 | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Upper 32 bits of the unsigned 64-bit product, from products of 16-bit halves, each of which fits 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const lowLow = Math.imul(a & 0xffff, b & 0xffff);
  const lowHigh = Math.imul(a & 0xffff, b >>> 16);
  const highLow = Math.imul(a >>> 16, b & 0xffff);
  const middle = (lowLow >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff);
  return (Math.imul(a >>> 16, b >>> 16) + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16)) | 0;
}
