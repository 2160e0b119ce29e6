import type { Batch, DataStream } from '../streams/data-stream.js';
import { checkSources, Transformer } from './transformer.js';

/** What to do about a name that is no source of the stream. */
export interface RenameOptions {
  /** `raise` an error, or `ignore` it. Default `raise`. */
  readonly onNonExistent?: 'raise' | 'ignore';
}

/** Gives sources other names, as a model wants them (Fuel: `Rename`). */
export class Rename extends Transformer {
  readonly #names: ReadonlyMap<string, string>;

  /** @param names from the stream's name to the new one */
  constructor(stream: DataStream, names: Readonly<Record<string, string>>, options: RenameOptions = {}) {
    super(stream);
    if (options.onNonExistent !== 'ignore') checkSources('Rename', Object.keys(names), stream.sources);
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

  async next(): Promise<Batch | undefined> {
    const batch = await this.stream.next();
    return batch && { arrays: new Map([...batch.arrays].map(([source, array]) => [this.#renamed(source), array])) };
  }

  #renamed(source: string): string {
    return this.#names.get(source) ?? source;
  }
}
