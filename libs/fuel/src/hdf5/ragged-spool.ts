import { dtypeBytes, type DType } from '@longrun/serialization';
import { dtypeOf, type Column, type Ragged } from '../arrays/column.js';
import { asRagged, axesOfRows, bytesOf } from '../arrays/rows.js';
import type { SourceToWrite } from './dataset-to-write.js';
import { ELEMENT_BYTES } from './global-heap.js';
import { HeapSpool } from './heap-spool.js';
import type { SourceSpool } from './source-spool.js';
import { Spool } from './spool.js';
import { arrayType, labelType, rowsType, type StoredDataset } from './stored-dataset.js';

/** The rows of a source that may differ in shape: their elements in a heap, where each is, and its shape. */
export class RaggedSpool implements SourceSpool {
  readonly #dtype: DType;
  readonly #axes: number;
  readonly #heap: HeapSpool;
  readonly #elements: Spool;
  readonly #shapes: Spool;
  #rows = 0;

  /** @param first Rows that say the dtype, and how many axes they have */
  constructor(first: Column, path: string) {
    this.#dtype = dtypeOf(first);
    this.#axes = axesOfRows(first);
    this.#heap = new HeapSpool(`${path}.heap`);
    this.#elements = new Spool(`${path}.elements`);
    this.#shapes = new Spool(`${path}.shapes`);
  }

  check(name: string, column: Column): void {
    if (dtypeOf(column) === this.#dtype && axesOfRows(column) === this.#axes) return;
    throw new RangeError(
      `${name}: rows of ${dtypeOf(column)} with ${axesOfRows(column)} axes do not fit those before, of ${this.#dtype} with ${this.#axes}`,
    );
  }

  async add(column: Column): Promise<void> {
    const { values, offsets, shapes } = asRagged(column);
    const bytes = bytesOf(values);
    const width = dtypeBytes(this.#dtype);
    const rows = offsets.length - 1;
    const elements = Buffer.alloc(rows * ELEMENT_BYTES);
    for (let row = 0; row < rows; row += 1) {
      const [start = 0, end = 0] = offsets.subarray(row, row + 2);
      // An empty row is nowhere in the heap.
      if (start === end) continue;
      const { address, index } = await this.#heap.add(bytes.subarray(start * width, end * width));
      elements.writeUInt32LE(end - start, row * ELEMENT_BYTES);
      elements.writeBigUInt64LE(BigInt(address), row * ELEMENT_BYTES + 4);
      elements.writeUInt32LE(index, row * ELEMENT_BYTES + 12);
    }
    await this.#elements.add(elements);
    await this.#shapes.add(bytesOf(shapes));
    this.#rows += rows;
  }

  async source(name: string, axisLabels: readonly string[]): Promise<SourceToWrite> {
    await this.#heap.finish();
    const [label, ...rowLabels] = axisLabels;
    const labelBytes = Math.max(1, ...rowLabels.map((text) => Buffer.byteLength(text)));
    const texts = new Uint8Array(this.#axes * labelBytes);
    rowLabels.forEach((text, axis) => texts.set(Buffer.from(text), axis * labelBytes));
    const labels = new Spool(`${name}.labels`);
    await labels.add(texts);

    const stored: StoredDataset[] = [
      {
        name,
        shape: [this.#rows],
        type: rowsType(this.#dtype),
        axisLabels: label === undefined ? [] : [label],
        heap: this.#heap.spool,
        move: (file, position, heapPosition) =>
          this.#elements.moveTo(file, position, (piece) => moveAddresses(piece, heapPosition)),
      },
      {
        name: `${name}_shapes`,
        shape: [this.#rows, this.#axes],
        type: arrayType('int32'),
        axisLabels: [],
        scale: { of: name, name: 'shapes' },
        move: (file, position) => this.#shapes.moveTo(file, position),
      },
      {
        name: `${name}_shape_labels`,
        shape: [this.#axes],
        type: labelType(labelBytes),
        axisLabels: [],
        scale: { of: name, name: 'shape_labels' },
        move: (file, position) => labels.moveTo(file, position),
      },
    ];
    return { name, dtype: this.#dtype, shape: [this.#rows], axisLabels, stored };
  }

  async close(): Promise<void> {
    await this.#heap.spool.close();
    await this.#elements.close();
    await this.#shapes.close();
  }
}

/** @throws RangeError for a row of a shape that the file has no number for */
export function checkShapes(name: string, { shapes }: Ragged): void {
  for (const size of shapes.data) {
    if (size > LARGEST_AXIS) throw new RangeError(`${name}: a row has an axis of ${size}, more than ${LARGEST_AXIS}`);
  }
}

const LARGEST_AXIS = 2 ** 31 - 1;

/** Addresses that count from the beginning of the heap, as they are in the file. */
function moveAddresses(elements: Buffer, heapPosition: number): void {
  for (let at = 0; at < elements.length; at += ELEMENT_BYTES) {
    if (elements.readUInt32LE(at) === 0) continue;
    elements.writeBigUInt64LE(elements.readBigUInt64LE(at + 4) + BigInt(heapPosition), at + 4);
  }
}
