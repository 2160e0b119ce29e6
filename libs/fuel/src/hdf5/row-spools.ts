import { isRagged, type Column } from '../arrays/column.js';
import { axesOfRows, rowsOf } from '../arrays/rows.js';
import { ArraySpool } from './array-spool.js';
import { checkSourceName, checkText, type SourceToWrite } from './dataset-to-write.js';
import type { H5Appender } from './h5-appender.js';
import { checkShapes, RaggedSpool } from './ragged-spool.js';
import type { SourceSpool } from './source-spool.js';

/** Rows of the sources of a dataset that is being written, each source in a spool of its own. */
export class RowSpools implements H5Appender {
  readonly #path: string;
  readonly #axisLabels: Readonly<Record<string, readonly string[]>>;
  readonly #ragged: readonly string[];
  readonly #sources = new Map<string, SourceSpool>();
  // A second append at the same time would mix its rows with those of the first.
  #state: 'open' | 'appending' | 'failed' | 'finished' = 'open';

  /** @param path What the names of the spools' files start with */
  constructor(path: string, axisLabels: Readonly<Record<string, readonly string[]>>, ragged: readonly string[]) {
    this.#path = path;
    this.#ragged = ragged;
    this.#axisLabels = axisLabels;
  }

  async append(rows: Readonly<Record<string, Column>>): Promise<void> {
    if (this.#state !== 'open') throw new Error(`append: ${REFUSED[this.#state]}`);
    const entries = Object.entries(rows);
    checkLengths(entries);
    for (const [name, column] of entries) this.#check(name, column);
    this.#state = 'appending';
    try {
      for (const [name, column] of entries) await this.#spool(name, column).add(column);
      this.#state = 'open';
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
  }

  /** The sources with all their rows; nothing can be appended any more. @throws RangeError for labels of a source that is not there */
  async finish(): Promise<SourceToWrite[]> {
    if (this.#state !== 'open') throw new Error(`append: ${REFUSED[this.#state]}`);
    this.#state = 'finished';
    for (const [option, names] of [
      ['axisLabels', Object.keys(this.#axisLabels)],
      ['ragged', this.#ragged],
    ] as const) {
      const unknown = names.find((name) => !this.#sources.has(name));
      if (unknown === undefined) continue;
      throw new RangeError(`${option}: there is no source ${unknown}, only ${[...this.#sources.keys()].join(', ')}`);
    }
    const sources: SourceToWrite[] = [];
    for (const [name, spool] of this.#sources) sources.push(await spool.source(name, this.#axisLabels[name] ?? []));
    return sources;
  }

  async close(): Promise<void> {
    for (const spool of this.#sources.values()) await spool.close();
  }

  #check(name: string, column: Column): void {
    if (isRagged(column)) checkShapes(name, column);
    const known = this.#sources.get(name);
    if (known !== undefined) {
      known.check(name, column);
      return;
    }
    checkSourceName(name);
    const axes = 1 + axesOfRows(column);
    if (axes > MOST_AXES)
      throw new RangeError(`${name}: there are ${axes} axes, but HDF5 has ${MOST_AXES} at most; flatten some`);
    const labels = this.#axisLabels[name] ?? [];
    if (labels.length > 0 && labels.length !== axes)
      throw new RangeError(`${name}: there are ${labels.length} axis labels for ${axes} axes; give one for each`);
    for (const label of labels) checkText(`an axis label of ${name}`, label);
  }

  #spool(name: string, column: Column): SourceSpool {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const path = `${this.#path}.${this.#sources.size}`;
    const spool =
      isRagged(column) || this.#ragged.includes(name) ? new RaggedSpool(column, path) : new ArraySpool(column, path);
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

function checkLengths(entries: readonly (readonly [string, Column])[]): void {
  const lengths = entries.map(([name, column]) => [name, rowsOf(column, name)] as const);
  if (new Set(lengths.map(([, rows]) => rows)).size <= 1) return;
  const shown = lengths.map(([name, rows]) => `${name} ${rows}`).join(', ');
  throw new RangeError(`append: the sources have different numbers of rows: ${shown}; append as many of each`);
}
