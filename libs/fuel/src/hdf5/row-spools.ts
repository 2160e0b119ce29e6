import type { FileHandle } from 'node:fs/promises';
import { dtypeBytes, sizeOf, type NdArray } from '@longrun/serialization';
import { bytesOf } from '../arrays/rows.js';
import { checkSourceName, checkText, type SourceToWrite, type WritableDType } from './dataset-to-write.js';
import type { H5Appender } from './h5-writer.js';
import { Spool } from './spool.js';

/** Rows of the sources of a dataset that is being written, each source in a spool of its own. */
export class RowSpools implements H5Appender {
  readonly #path: string;
  readonly #axisLabels: Readonly<Record<string, readonly string[]>>;
  readonly #sources = new Map<string, RowSpool>();
  // A second append at the same time would mix its rows with those of the first.
  #state: 'open' | 'appending' | 'failed' | 'finished' = 'open';

  /** @param path What the names of the spools' files start with */
  constructor(path: string, axisLabels: Readonly<Record<string, readonly string[]>>) {
    this.#path = path;
    this.#axisLabels = axisLabels;
  }

  async append(rows: Readonly<Record<string, NdArray>>): Promise<void> {
    if (this.#state !== 'open') throw new Error(`append: ${REFUSED[this.#state]}`);
    const entries = Object.entries(rows);
    checkLengths(entries);
    for (const [name, array] of entries) this.#check(name, array);
    this.#state = 'appending';
    try {
      for (const [name, array] of entries) await this.#spool(name, array).add(array);
      this.#state = 'open';
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
  }

  /** The sources with all their rows; nothing can be appended any more. @throws RangeError for labels of a source that is not there */
  finish(): SourceToWrite[] {
    if (this.#state !== 'open') throw new Error(`append: ${REFUSED[this.#state]}`);
    this.#state = 'finished';
    const unknown = Object.keys(this.#axisLabels).find((name) => !this.#sources.has(name));
    if (unknown !== undefined) {
      throw new RangeError(`axisLabels: there is no source ${unknown}, only ${[...this.#sources.keys()].join(', ')}`);
    }
    return [...this.#sources].map(([name, spool]) => spool.source(name, this.#axisLabels[name] ?? []));
  }

  /** Moves the rows of a source to a place in a file. */
  async move({ name }: SourceToWrite, file: FileHandle, position: number): Promise<void> {
    await this.#sources.get(name)?.spool.moveTo(file, position);
  }

  async close(): Promise<void> {
    for (const { spool } of this.#sources.values()) await spool.close();
  }

  #check(name: string, array: NdArray): void {
    const known = this.#sources.get(name);
    if (known !== undefined) {
      known.check(name, array);
      return;
    }
    checkSourceName(name);
    writableDType(name, array);
    if (array.shape.length > MOST_AXES) {
      throw new RangeError(
        `${name}: there are ${array.shape.length} axes, but HDF5 has ${MOST_AXES} at most; flatten some`,
      );
    }
    const labels = this.#axisLabels[name] ?? [];
    if (labels.length > 0 && labels.length !== array.shape.length) {
      throw new RangeError(
        `${name}: there are ${labels.length} axis labels for ${array.shape.length} axes; give one for each`,
      );
    }
    for (const label of labels) checkText(`an axis label of ${name}`, label);
  }

  #spool(name: string, array: NdArray): RowSpool {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const spool = new RowSpool(writableDType(name, array), array.shape.slice(1), `${this.#path}.${this.#sources.size}`);
    this.#sources.set(name, spool);
    return spool;
  }
}

const MOST_AXES = 32;
const REFUSED = {
  appending: 'the append before this one has not ended; await it',
  failed: 'an append before this one has failed; write the dataset anew',
  finished: 'the dataset has been written; append before the splits are answered',
} as const;

/** The rows of one source. */
class RowSpool {
  readonly spool: Spool;
  readonly #dtype: WritableDType;
  readonly #example: readonly number[];
  #rows = 0;

  constructor(dtype: WritableDType, example: readonly number[], path: string) {
    this.#dtype = dtype;
    this.#example = example;
    this.spool = new Spool(path);
  }

  check(name: string, { dtype, shape }: NdArray): void {
    if (dtype === this.#dtype && shape.slice(1).join() === this.#example.join()) return;
    throw new RangeError(
      `${name}: rows of ${dtype} (${shape.slice(1).join(', ')}) do not fit those before, of ${this.#dtype} (${this.#example.join(', ')})`,
    );
  }

  async add(array: NdArray): Promise<void> {
    await this.spool.add(bytesOf(array));
    this.#rows += array.shape[0] ?? 0;
  }

  source(name: string, axisLabels: readonly string[]): SourceToWrite {
    const shape = [this.#rows, ...this.#example];
    if (this.spool.sizeBytes !== sizeOf(shape) * dtypeBytes(this.#dtype)) {
      throw new Error(`${name}: ${this.spool.sizeBytes} bytes are not (${shape.join(', ')}); this is a bug in Longrun`);
    }
    return { name, dtype: this.#dtype, shape, axisLabels };
  }
}

function writableDType(name: string, { dtype }: NdArray): WritableDType {
  if (dtype !== 'bool') return dtype;
  throw new RangeError(`${name}: bool cannot be written yet; cast it to uint8`);
}

function checkLengths(entries: readonly (readonly [string, NdArray])[]): void {
  for (const [name, { shape }] of entries) {
    if (shape.length === 0)
      throw new RangeError(`${name}: the shape is that of a scalar; its first axis is the example`);
  }
  if (new Set(entries.map(([, { shape }]) => shape[0])).size <= 1) return;
  const lengths = entries.map(([name, { shape }]) => `${name} ${shape[0]}`).join(', ');
  throw new RangeError(`append: the sources have different numbers of rows: ${lengths}; append as many of each`);
}
