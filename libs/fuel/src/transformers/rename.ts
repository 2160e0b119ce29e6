import { StateKind } from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';
import type { DataStream } from '../streams/data-stream.js';
import { checkSources, Transformer, type TransformerOptions } from './transformer.js';

/** What to do about a name that is no source of the stream. */
export interface RenameOptions {
  /** `raise` an error, `warn`, or `ignore` it. Default `raise`. */
  readonly onNonExistent?: 'raise' | 'ignore' | 'warn';
}

/** Gives sources other names, as a model wants them (Fuel: `Rename`). */
export class Rename extends Transformer {
  readonly #names: ReadonlyMap<string, string>;

  /** @param names from the stream's name to the new one */
  constructor(stream: DataStream, names: Readonly<Record<string, string>>, options: RenameOptions = {}) {
    super(stream, RENAME);
    checkNames(Object.keys(names), stream.sources, options.onNonExistent ?? 'raise');
    this.#names = new Map(Object.entries(names));
    const renamed = this.sources;
    const double = renamed.find((source, i) => renamed.indexOf(source) !== i);
    if (double !== undefined) {
      throw new RangeError(`Rename: two sources would be named ${double}; give each source a name of its own`);
    }
  }

  override get sources(): readonly string[] {
    return this.stream.sources.map((source) => this.#renamed(source));
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const below = this.stream.axisLabels;
    return below && new Map([...below].map(([source, labels]) => [this.#renamed(source), labels]));
  }

  protected override options(): TransformerOptions {
    return { names: Object.fromEntries(this.stream.sources.map((source) => [source, this.#renamed(source)])) };
  }

  protected override stage(): string {
    const names = this.stream.sources.filter((source) => this.#renamed(source) !== source);
    return `Rename(${names.map((source) => `${source} to ${this.#renamed(source)}`).join(', ')})`;
  }

  protected override transform(columns: Columns): Columns {
    return new Map([...columns].map(([source, column]) => [this.#renamed(source), column]));
  }

  #renamed(source: string): string {
    return this.#names.get(source) ?? source;
  }
}

const RENAME = new StateKind('Rename');

function checkNames(
  names: readonly string[],
  sources: readonly string[],
  onNonExistent: 'raise' | 'ignore' | 'warn',
): void {
  if (onNonExistent === 'raise') checkSources('Rename', names, sources);
  if (onNonExistent !== 'warn') return;
  for (const name of names.filter((source) => !sources.includes(source))) {
    process.emitWarning(
      `Rename: there is no source ${name}; the sources of the stream are ${sources.join(', ')}`,
      'RenameWarning',
    );
  }
}
