import { sizeOf } from '@longrun/serialization';

/** What decides how a source that does not lie in one piece is read. */
export interface StoredLayout {
  /** `(examples, ...)`. */
  readonly shape: readonly number[];
  readonly elementBytes: number;
  /** Shape of a chunk; null when the source is not chunked. */
  readonly chunks: readonly number[] | null;
  /** True when a chunk can only be decoded whole, as one that is compressed. */
  readonly filtered: boolean;
}

/**
 * Shape of the tiles in which a source is read. A tile is some whole chunks, so that none is decoded twice; where chunks are stored as they
 * are, it may be a part of one. Wide rather than tall, as a row is always wanted whole and its neighbours are not.
 */
export function tileShape({ shape, elementBytes, chunks, filtered }: StoredLayout): number[] {
  const chunk = chunks ?? shape;
  const tile = chunk.map((size, axis) => Math.max(1, Math.min(size, shape[axis] ?? 1)));
  const bytes = (): number => sizeOf(tile) * elementBytes;
  if (!filtered && bytes() > LARGEST_PLAIN_TILE) {
    for (const [axis, size] of tile.entries()) {
      if (bytes() > SMALLEST_TILE) tile[axis] = Math.max(1, Math.floor((size * SMALLEST_TILE) / bytes()));
    }
    return tile;
  }
  const grow = (axis: number, atMostBytes: number): void => {
    const [size, step] = [shape[axis] ?? 1, tile[axis] ?? 1];
    const times = Math.min(Math.ceil(size / step), Math.floor(atMostBytes / bytes()));
    if (times > 1) tile[axis] = Math.min(size, step * times);
  };
  for (let axis = shape.length - 1; axis > 0; axis -= 1) grow(axis, LARGEST_GROWN_TILE);
  grow(0, SMALLEST_TILE);
  return tile;
}

/** The parts of a row, one for each tile that it goes through, as starts and sizes along the axes after the first. */
export function* tilesOfRow(
  row: readonly number[],
  tile: readonly number[],
): Generator<{ readonly start: number[]; readonly count: number[] }> {
  const start = row.map(() => 0);
  if (sizeOf(row) === 0) return;
  for (;;) {
    yield { start: [...start], count: start.map((from, axis) => Math.min(tile[axis] ?? 1, (row[axis] ?? 1) - from)) };
    let axis = row.length - 1;
    for (; axis >= 0; axis -= 1) {
      start[axis] = (start[axis] ?? 0) + (tile[axis] ?? 1);
      if ((start[axis] ?? 0) < (row[axis] ?? 0)) break;
      start[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** Where a part of a row goes: runs of this many elements, as they follow one another in the part, to these elements of the row. */
export interface Placement {
  readonly length: number;
  readonly targets: readonly number[];
}

/** Places a part of a row, as one of `tilesOfRow`, in the row. */
export function placementOf(row: readonly number[], start: readonly number[], count: readonly number[]): Placement {
  // Axes that the part has whole lie in one run with the one before them.
  let inner = row.length - 1;
  while (inner > 0 && count[inner] === row[inner]) inner -= 1;
  let targets = [0];
  let stride = sizeOf(row);
  for (let axis = 0; axis <= inner; axis += 1) {
    stride /= row[axis] ?? 1;
    const [from, times] = [(start[axis] ?? 0) * stride, axis === inner ? 1 : (count[axis] ?? 1)];
    const step = stride;
    targets = targets.flatMap((target) => Array.from({ length: times }, (_, i) => target + from + i * step));
  }
  return { length: sizeOf(count.slice(Math.max(0, inner))), targets };
}

const SMALLEST_TILE = 1 << 18;
const LARGEST_PLAIN_TILE = 1 << 23;
const LARGEST_GROWN_TILE = 1 << 22;
