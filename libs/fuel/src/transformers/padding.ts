import { dtypeBytes, ndarray, sizeOf, StateKind, type DType, type NdArray } from '@longrun/serialization';
import { isRagged, shapeOfRow, type Column, type Columns, type Ragged } from '../arrays/column.js';
import { bytesOf } from '../arrays/rows.js';
import type { DataStream } from '../streams/data-stream.js';
import { checkSources, Transformer, type TransformerOptions } from './transformer.js';

/** Which sources are padded, and what their masks are. */
export interface PaddingOptions {
  /** Sources that are padded and get a mask. Default all. Others stay as they are. */
  readonly maskSources?: readonly string[];
  /** Element type of the masks. Default `float32` (Fuel: `config.floatX`). */
  readonly maskDtype?: DType;
}

/**
 * Makes arrays of ragged columns, by zeros behind shorter rows: rows of up to `time` give `(batch, time, ...)`, where `time` is the longest
 * of the batch (Fuel: `Padding`). After each such source comes one with the suffix `_mask`, `(batch, time)`, which is 1 where there
 * are data. All axes of a row but its first must be equal.
 */
export class Padding extends Transformer {
  readonly #maskSources: readonly string[];
  readonly #maskDtype: DType;

  /** @param stream a stream of batches */
  constructor(stream: DataStream, options: PaddingOptions = {}) {
    super(stream, PADDING);
    if (stream.producesExamples) {
      throw new TypeError('Padding: the stream gives examples, not batches; Batching puts them together');
    }
    const maskSources = options.maskSources ?? stream.sources;
    checkSources('Padding', maskSources, stream.sources);
    this.#maskSources = stream.sources.filter((source) => maskSources.includes(source));
    this.#maskDtype = options.maskDtype ?? 'float32';
    const taken = this.#maskSources.map(maskOf).find((mask) => stream.sources.includes(mask));
    if (taken !== undefined) {
      throw new RangeError(
        `Padding: ${taken} is a source of the stream already; rename it (Rename), or leave its source out of maskSources`,
      );
    }
  }

  override get sources(): readonly string[] {
    return this.stream.sources.flatMap((source) => (this.#isMasked(source) ? [source, maskOf(source)] : [source]));
  }

  /** Those below, and of a mask the first two of its source. */
  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    if (below === null) return null;
    const labels = [...below].flatMap(([source, axes]): [string, readonly string[]][] => [
      [source, axes],
      ...(this.#isMasked(source) ? ([[maskOf(source), axes.slice(0, 2)]] as [string, readonly string[]][]) : []),
    ]);
    return new Map(labels);
  }

  protected override options(): TransformerOptions {
    return { maskSources: this.#maskSources, maskDtype: this.#maskDtype };
  }

  protected override transform(columns: Columns): Columns {
    const padded = new Map<string, Column>();
    for (const [source, column] of columns) {
      if (!this.#isMasked(source)) {
        padded.set(source, column);
        continue;
      }
      const lengths = isRagged(column) ? lengthsOf(column, source) : equalLengths(column, source);
      const array = isRagged(column) ? paddedOf(column, lengths) : column;
      padded.set(source, array);
      padded.set(maskOf(source), this.#mask(lengths));
    }
    return padded;
  }

  #isMasked(source: string): boolean {
    return this.#maskSources.includes(source);
  }

  #mask(lengths: readonly number[]): NdArray {
    const time = longest(lengths);
    const mask = ndarray(this.#maskDtype, [lengths.length, time]);
    const { data } = mask;
    for (const [row, length] of lengths.entries()) {
      if (data instanceof BigInt64Array) data.fill(1n, row * time, row * time + length);
      else data.fill(1, row * time, row * time + length);
    }
    return mask;
  }
}

const PADDING = new StateKind('Padding');

function maskOf(source: string): string {
  return `${source}_mask`;
}

function longest(lengths: readonly number[]): number {
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

function equalLengths({ shape }: NdArray, source: string): readonly number[] {
  const [rows, length] = shape;
  if (rows === undefined || length === undefined) throw scalars(source);
  return Array.from({ length: rows }, () => length);
}

/** @throws RangeError for rows that differ in another axis than their first */
function lengthsOf(column: Ragged, source: string): readonly number[] {
  const [rows = 0, axes = 0] = column.shapes.shape;
  if (axes === 0) throw scalars(source);
  const [, ...rest] = shapeOfRow(column, 0);
  return Array.from({ length: rows }, (_, row) => {
    const [length = 0, ...others] = shapeOfRow(column, row);
    if (others.join() === rest.join()) return length;
    throw new RangeError(
      `Padding: ${source} has rows of (${shapeOfRow(column, 0).join(', ')}) and (${[length, ...others].join(', ')}); ` +
        'all axes but the first must be equal: crop or transpose the examples first (Mapping)',
    );
  });
}

function paddedOf(column: Ragged, lengths: readonly number[]): NdArray {
  const { values, offsets } = column;
  const [rows = 0] = column.shapes.shape;
  const rest = rows === 0 ? [] : shapeOfRow(column, 0).slice(1);
  const padded = ndarray(values.dtype, [rows, longest(lengths), ...rest]);
  const width = dtypeBytes(values.dtype);
  const rowBytes = sizeOf(padded.shape.slice(1)) * width;
  const [source, target] = [bytesOf(values), bytesOf(padded)];
  for (let row = 0; row < rows; row += 1) {
    target.set(source.subarray((offsets[row] ?? 0) * width, (offsets[row + 1] ?? 0) * width), row * rowBytes);
  }
  return padded;
}

function scalars(source: string): RangeError {
  return new RangeError(
    `Padding: the examples of ${source} are scalars, which have no length; leave it out of maskSources`,
  );
}
