/** Numbers that were logged under one name, by step: each step once, ascending. */
export interface Points {
  readonly steps: Float64Array;
  readonly values: Float64Array;
  /** How many there are: more than are here where they are thinned. */
  readonly count: number;
  /** How many of them are NaN or infinite. */
  readonly nonFinite: number;
}

/** Points in a digest, at most. A chunk of no more rows has none. */
export const DIGEST_POINTS = 256;

/**
 * At most `most` points (10 or more) of those given. The steps are cut into ranges of equal length, of each of which the smallest and the largest finite
 * value are kept, of equal ones the first, and the first that is NaN or infinite; and the first and the last point of all.
 */
export function thin(points: Points, most: number): Points {
  const { steps, values } = points;
  const last = steps.length - 1;
  if (last < most) return points;
  const ofRange = points.nonFinite === 0 ? 2 : 3;
  const ranges = Math.floor((most - 2) / ofRange);
  const start = at(steps, 0);
  const scale = ranges / (at(steps, last) - start);
  const kept: number[] = [0];
  for (let index = 0, range = 0; range < ranges; range += 1) {
    let least = -1;
    let greatest = -1;
    let other = -1;
    for (; index <= last; index += 1) {
      if (range < ranges - 1 && (at(steps, index) - start) * scale >= range + 1) break;
      const value = at(values, index);
      if (!Number.isFinite(value)) {
        if (other === -1) other = index;
      } else {
        if (least === -1 || value < at(values, least)) least = index;
        if (greatest === -1 || value > at(values, greatest)) greatest = index;
      }
    }
    for (const found of [least, greatest, other].toSorted((one, two) => one - two)) {
      if (found > (kept.at(-1) ?? 0)) kept.push(found);
    }
  }
  if (kept.at(-1) !== last) kept.push(last);
  return {
    ...points,
    steps: Float64Array.from(kept, (index) => at(steps, index)),
    values: Float64Array.from(kept, (index) => at(values, index)),
  };
}

/**
 * The points of a column of a chunk, in the order of its rows; null where a row has none. Of one step the last row counts.
 *
 * @param isWanted whether a step counts. Default: all do
 */
export function pointsOf(
  steps: ArrayLike<number>,
  numbers: ArrayLike<number | null>,
  isWanted: (step: number) => boolean = () => true,
): Points {
  const found = { steps: new Float64Array(steps.length), values: new Float64Array(steps.length) };
  let length = 0;
  let isAscending = true;
  for (let index = 0; index < steps.length; index += 1) {
    const value = numbers[index] ?? null;
    const step = at(steps, index);
    if (value === null || !isWanted(step)) continue;
    isAscending &&= length === 0 || step > at(found.steps, length - 1);
    found.steps[length] = step;
    found.values[length] = value;
    length += 1;
  }
  const [all, values] = [found.steps.subarray(0, length), found.values.subarray(0, length)];
  return isAscending ? withCounts(all, values) : lastOfEachStep(all, values);
}

/** The points of steps that come in any order, and more than once: of each the last counts. */
export function lastOfEachStep(steps: Float64Array, values: Float64Array): Points {
  const lasts = new Map<number, number>();
  for (const [index, step] of steps.entries()) lasts.set(step, index);
  const sorted = Float64Array.from(lasts.keys()).toSorted();
  return withCounts(
    sorted,
    sorted.map((step) => at(values, lasts.get(step) ?? -1)),
  );
}

function withCounts(steps: Float64Array, values: Float64Array): Points {
  return { steps, values, count: steps.length, nonFinite: values.filter((value) => !Number.isFinite(value)).length };
}

/**
 * Points as they are stored beside a column: whether they are all (1 or 0) in eight bytes, how many there are, how many of them are NaN or infinite, and
 * of each that is kept its step and its value; 64-bit floats, big-endian.
 */
export function encodeDigest(points: Points): Buffer {
  const { steps, values, count, nonFinite } = thin(points, DIGEST_POINTS);
  const digest = Buffer.alloc(HEAD_BYTES + steps.length * POINT_BYTES);
  digest.writeUInt8(steps.length === count ? 1 : 0, 0);
  digest.writeDoubleBE(count, 8);
  digest.writeDoubleBE(nonFinite, 16);
  for (let index = 0; index < steps.length; index += 1) {
    digest.writeDoubleBE(at(steps, index), HEAD_BYTES + index * POINT_BYTES);
    digest.writeDoubleBE(at(values, index), HEAD_BYTES + index * POINT_BYTES + 8);
  }
  return digest;
}

/** The opposite of {@link encodeDigest}. */
export function decodeDigest(digest: Buffer): Points {
  const length = (digest.length - HEAD_BYTES) / POINT_BYTES;
  const steps = new Float64Array(length);
  const values = new Float64Array(length);
  for (let index = 0; index < length; index += 1) {
    steps[index] = digest.readDoubleBE(HEAD_BYTES + index * POINT_BYTES);
    values[index] = digest.readDoubleBE(HEAD_BYTES + index * POINT_BYTES + 8);
  }
  return { steps, values, count: digest.readDoubleBE(8), nonFinite: digest.readDoubleBE(16) };
}

export const HEAD_BYTES = 24;
export const POINT_BYTES = 16;

function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error(`There is no point ${index}, only ${values.length}`);
  return value;
}
