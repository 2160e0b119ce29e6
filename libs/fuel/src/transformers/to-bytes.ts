import { ndarray, StateKind } from '@longrun/serialization';
import { isRagged, type Column } from '../arrays/column.js';
import { bytesOf, rowsOf, stackRows, takeRow } from '../arrays/rows.js';
import type { DataStream } from '../streams/data-stream.js';
import { SourcewiseTransformer } from './transformer.js';

/** The bytes of each example as they lie in memory, uint8 `(bytes)`, whatever its dtype and shape (Fuel: `ToBytes`). */
export class ToBytes extends SourcewiseTransformer {
  /** @param whichSources Default all */
  constructor(stream: DataStream, whichSources?: readonly string[]) {
    super(stream, whichSources, TO_BYTES);
  }

  protected transformSource(column: Column, source: string): Column {
    if (this.producesExamples && !isRagged(column)) {
      const bytes = bytesOf(column).slice();
      return ndarray('uint8', [bytes.length], bytes);
    }
    const rows = Array.from({ length: rowsOf(column, source) }, (_, row) => {
      const bytes = bytesOf(takeRow(column, row));
      return ndarray('uint8', [bytes.length], bytes);
    });
    return rows.length === 0 ? ndarray('uint8', [0, 0]) : stackRows(rows, source);
  }
}

const TO_BYTES = new StateKind('ToBytes');
