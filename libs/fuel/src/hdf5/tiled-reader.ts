import { sizeOf } from '@longrun/serialization';
import type { RowRange } from '../arrays/rows.js';
import type { ChunkCache } from './chunk-cache.js';
import type { ReadableSource } from './h5-source.js';
import type { OpenHdf5 } from './open-hdf5.js';
import { placementOf, tileShape, tilesOfRow, type Placement } from './tiles.js';

/** Reads rows of a source that does not lie in one piece: chunked, compressed, in another byte order. A tile is decoded once a request. */
export class TiledReader {
  readonly #file: OpenHdf5;
  readonly #source: ReadableSource;
  readonly #cache: ChunkCache;
  readonly #tile: readonly number[];

  constructor(file: OpenHdf5, source: ReadableSource, cache: ChunkCache) {
    this.#file = file;
    this.#source = source;
    this.#cache = cache;
    this.#tile = tileShape(source);
  }

  /** The rows, one after the other, as little-endian bytes into `target`. */
  read(rows: RowRange | Uint32Array, target: Uint8Array): void {
    const { shape, elementBytes, name } = this.#source;
    const [rowsInFile = 0, ...row] = shape;
    const [height = 1, ...width] = this.#tile;
    const rowBytes = sizeOf(row) * elementBytes;
    const bands = bandsOf(rows, height);
    for (const { start, count } of tilesOfRow(row, width)) {
      const placement = placementOf(row, start, count);
      const partBytes = sizeOf(count) * elementBytes;
      for (const [band, runs] of bands) {
        const first = band * height;
        const tile = this.#cache.get(`${name}/${band}/${start.join()}`, () =>
          this.#file.block(this.#source, [first, ...start], [Math.min(height, rowsInFile - first), ...count]),
        );
        for (const run of runs) {
          const bytes = tile.subarray((run.row - first) * partBytes, (run.row - first + run.count) * partBytes);
          const place = target.subarray(run.position * rowBytes, (run.position + run.count) * rowBytes);
          if (partBytes === rowBytes) place.set(bytes);
          else put(bytes, place, run.count, rowBytes, placement, elementBytes);
        }
      }
    }
  }
}

/** Rows that lie next to each other in the file and in the batch. */
interface Run {
  readonly row: number;
  readonly count: number;
  /** Of the first row, in the batch. */
  readonly position: number;
}

/** The runs of each band of rows, a tile high. */
function bandsOf(rows: RowRange | Uint32Array, height: number): ReadonlyMap<number, readonly Run[]> {
  const bands = new Map<number, Run[]>();
  const add = (row: number, stop: number, position: number): void => {
    for (let at = row; at < stop;) {
      const band = Math.floor(at / height);
      const end = Math.min(stop, (band + 1) * height);
      const runs = bands.get(band) ?? [];
      runs.push({ row: at, count: end - at, position: position + at - row });
      bands.set(band, runs);
      at = end;
    }
  };
  if (rows instanceof Uint32Array) rows.forEach((row, position) => add(row, row + 1, position));
  else add(rows.start, rows.stop, 0);
  return bands;
}

function put(
  bytes: Uint8Array,
  place: Uint8Array,
  rows: number,
  rowBytes: number,
  { length, targets }: Placement,
  elementBytes: number,
): void {
  const runBytes = length * elementBytes;
  let from = 0;
  for (let row = 0; row < rows; row += 1) {
    for (const target of targets) {
      place.set(bytes.subarray(from, from + runBytes), row * rowBytes + target * elementBytes);
      from += runBytes;
    }
  }
}
