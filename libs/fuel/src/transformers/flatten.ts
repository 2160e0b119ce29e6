import { ndarray, sizeOf, StateKind } from '@longrun/serialization';
import { denseOf, isRagged, ragged, type Column } from '../arrays/column.js';
import { rowsOf, withoutNeed } from '../arrays/rows.js';
import type { DataStream } from '../streams/data-stream.js';
import { SourcewiseTransformer } from './transformer.js';

/**
 * Makes a vector of each example: `(batch, ...)` becomes `(batch, feature)`, an example `(...)` becomes `(feature)`
 * (Fuel: `Flatten`). The elements are shared, not copied. Vectors of several lengths are ragged.
 */
export class Flatten extends SourcewiseTransformer {
  /** @param whichSources the sources to flatten; default all of the stream's */
  constructor(stream: DataStream, whichSources?: readonly string[]) {
    super(stream, whichSources, FLATTEN);
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    if (below === null) return null;
    const flat = this.producesExamples ? ['feature'] : ['batch', 'feature'];
    return new Map([...below].map(([source, labels]) => [source, this.whichSources.has(source) ? flat : labels]));
  }

  protected transformSource(column: Column, source: string): Column {
    if (this.producesExamples) {
      const example = denseOf(column, `Flatten: ${source}`);
      return { ...example, shape: [sizeOf(example.shape)] };
    }
    const rows = rowsOf(column, `Flatten: ${source}`);
    if (!isRagged(column)) return { ...column, shape: [rows, sizeOf(column.shape.slice(1))] };
    const lengths = Uint32Array.from({ length: rows }, (_, row) => lengthOf(column.offsets, row));
    return withoutNeed(ragged(column.values, ndarray('uint32', [rows, 1], lengths)));
  }
}

const FLATTEN = new StateKind('Flatten');

function lengthOf(offsets: Uint32Array, row: number): number {
  return (offsets[row + 1] ?? 0) - (offsets[row] ?? 0);
}
