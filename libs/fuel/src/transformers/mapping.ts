import { StateKind } from '@longrun/serialization';
import type { Column, Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Place } from '../streams/delivery.js';
import { SortMapping } from './sort-mapping.js';
import { Transformer, type TransformerOptions } from './transformer.js';

/**
 * From the columns of a batch or example by source name to new ones; those given must neither be written to nor kept, as their memory is used
 * again (new ones may share it). What it draws by chance it draws by the place: `new RandomAt(key, place.epoch, place.index)`.
 */
export type MappingFunction = (columns: Columns, place: Place) => Columns | Promise<Columns>;

/** What a mapping adds. */
export interface MappingOptions {
  /**
   * Names of columns that the function adds to those of the stream (Fuel: `add_sources`). Default: it replaces them and gives
   * a column for each source of the stream.
   */
  readonly addSources?: readonly string[];
}

/**
 * Applies a function, or sorts, each batch or example (Fuel: `Mapping`).
 *
 * The function must depend on nothing but the columns and the place that it is given: what it keeps between calls would not be saved with the stream,
 * and the stream could not be resumed exactly.
 */
export class Mapping extends Transformer {
  readonly mapping: MappingFunction | SortMapping;
  readonly #addSources: readonly string[];

  constructor(stream: DataStream, mapping: MappingFunction | SortMapping, options: MappingOptions = {}) {
    super(stream, MAPPING);
    this.mapping = mapping;
    this.#addSources = options.addSources ?? [];
    const taken = this.#addSources.find((source) => stream.sources.includes(source));
    if (taken !== undefined) {
      throw new RangeError(`Mapping: ${taken} is a source of the stream already; add it under another name`);
    }
  }

  override get sources(): readonly string[] {
    return [...this.stream.sources, ...this.#addSources];
  }

  /** Null: what the function does to the axes is not known. */
  override get axisLabels(): null {
    return null;
  }

  protected override options(): TransformerOptions {
    const { mapping } = this;
    return {
      addSources: this.#addSources.length === 0 ? null : this.#addSources,
      reverse: mapping instanceof SortMapping ? mapping.reverse : null,
    };
  }

  protected override stage(): string {
    const adds = this.#addSources.length === 0 ? '' : `adds ${this.#addSources.join(' ')}`;
    const name = this.mapping instanceof SortMapping ? 'SortMapping' : this.mapping.name;
    return `Mapping(${[name, adds].filter((part) => part !== '').join(', ')})`;
  }

  protected override transform(columns: Columns, place: Place, into: Memory): Columns | Promise<Columns> {
    const { mapping } = this;
    const mapped = mapping instanceof SortMapping ? mapping.map(columns, into) : mapping(columns, place);
    return mapped instanceof Promise
      ? mapped.then((later) => this.#given(columns, later))
      : this.#given(columns, mapped);
  }

  #given(columns: Columns, mapped: Columns): Columns {
    const given = new Map<string, Column>(this.#addSources.length > 0 ? columns : []);
    for (const source of this.#addSources.length > 0 ? this.#addSources : this.stream.sources) {
      const column = mapped.get(source);
      if (column === undefined) {
        throw new TypeError(
          `Mapping: the function gave nothing for ${source}${mapped.size === 0 ? '' : `, but ${[...mapped.keys()].join(', ')}`}; ` +
            `it should give ${this.#addSources.length > 0 ? 'the added sources' : 'every source of the stream'}`,
        );
      }
      given.set(source, column);
    }
    return given;
  }
}

const MAPPING = new StateKind('Mapping');
