import { checkIdentity, stateIn, type Json, type StateKind, type VersionedState } from '@longrun/serialization';
import type { Column, Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { BufferRing } from '../streams/buffer-ring.js';
import { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark, type Place, type Releasable } from '../streams/delivery.js';
import { isOlderThanOptions } from './older-states.js';
import { sharesMemory } from './shares-memory.js';

/** What a transformer was built with, as it stands in its state. */
export type TransformerOptions = { readonly [key: string]: Json };

/**
 * A stream around a stream, that changes what comes through (Fuel: `Transformer`).
 *
 * One that makes other columns of each batch or example by itself implements `transform`. One that gives others than the stream below, or
 * not as many, overrides `advance`, `mark` and `load`.
 *
 * Its state is that of the stream below, and its options where it has any: a state of other options is refused.
 */
export abstract class Transformer extends DataStream {
  protected readonly stream: DataStream;
  /** Memory for what it makes. */
  protected readonly ring = new BufferRing();
  readonly #kind: StateKind | undefined;
  #options: TransformerOptions | undefined;

  /** @param kind that of its states, where it has options. Default: none, and the state is that of the stream below */
  constructor(stream: DataStream, kind?: StateKind) {
    super();
    this.stream = stream;
    this.#kind = kind;
  }

  get sources(): readonly string[] {
    return this.stream.sources;
  }

  get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    return this.stream.axisLabels;
  }

  get producesExamples(): boolean {
    return this.stream.producesExamples;
  }

  get batchesPerEpoch(): number | null {
    return this.stream.batchesPerEpoch;
  }

  stages(): readonly string[] {
    return [this.stage(), ...this.stream.stages()];
  }

  protected override below(): readonly DataStream[] {
    return [this.stream];
  }

  /** What it is, for people: its name and its options. */
  protected stage(): string {
    const options = Object.entries(this.options()).flatMap(([name, value]) =>
      value === null ? [] : [`${name} ${shownOption(value)}`],
    );
    return options.length === 0 ? this.constructor.name : `${this.constructor.name}(${options.join(', ')})`;
  }

  /**
   * What makes two of the kind give the same; the same whenever it is asked for. Saved, and compared by `restore`. Those that are null are left
   * out. Default none.
   */
  protected options(): TransformerOptions {
    return {};
  }

  /**
   * The columns that take the place of these, by nothing but these and their place. Those given are not written to, as others may hold
   * them, and not kept: unless columns that take their place share their memory, it is used again. Default: as they are.
   *
   * @param into where the new ones may lie
   */
  protected transform(columns: Columns, _place: Place, _into: Memory): Columns | Promise<Columns> {
    return columns;
  }

  protected async advance(): Promise<Delivery | undefined> {
    const below = await this.stream.next();
    if (below === undefined) return undefined;
    const loan = this.ring.lend();
    const transformed = this.transform(below.columns, below, loan.memory);
    const columns = transformed instanceof Promise ? await transformed : transformed;
    return this.inPlaceOf(below, columns, [loan]);
  }

  /** Columns that take the place of those of a delivery, whose memory goes back at once where they do not lie in it. */
  protected inPlaceOf(below: Delivery, columns: Columns, memory: readonly Releasable[]): Delivery {
    if (sharesMemory(columns, below.columns)) return new Delivery(columns, below, this.mark(), [...memory, below]);
    below.release();
    return new Delivery(columns, below, this.mark(), memory);
  }

  protected async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
  }

  protected async release(): Promise<void> {
    await this.stream.close();
  }

  protected mark(): Bookmark {
    const below = this.stream.bookmark();
    const own = this.#own();
    return own === undefined ? below : () => ({ ...own.kind.head, ...own.options, stream: below() });
  }

  protected load(state: VersionedState): void {
    const own = this.#own();
    if (own === undefined || (state['kind'] !== own.kind.name && isOlderThanOptions(state))) {
      this.stream.restore(state);
      return;
    }
    const { name } = own.kind;
    const read = own.kind.read(state);
    const below = stateIn(name, read, 'stream');
    const { version, kind: _kind, stream: _stream, ...options } = read;
    checkIdentity(
      name,
      { version, options },
      'options',
      own.options,
      'build it with the same options as when it was saved',
    );
    this.stream.restore(below);
  }

  /** What it adds to the state of the stream below; undefined where it has no options. */
  #own(): { readonly kind: StateKind; readonly options: TransformerOptions } | undefined {
    const kind = this.#kind;
    if (kind === undefined) return undefined;
    this.#options ??= writtenOptions(this.options());
    return Object.keys(this.#options).length === 0 ? undefined : { kind, options: this.#options };
  }
}

/** A transformer that changes each column of some sources by itself (Fuel: `SourcewiseTransformer`). */
export abstract class SourcewiseTransformer extends Transformer {
  readonly whichSources: ReadonlySet<string>;

  /**
   * @param whichSources the sources to change; default all of the stream's
   * @param kind see `Transformer`
   */
  constructor(stream: DataStream, whichSources: readonly string[] = stream.sources, kind?: StateKind) {
    super(stream, kind);
    checkSources(this.constructor.name, whichSources, stream.sources);
    this.whichSources = new Set(whichSources);
  }

  protected override options(): TransformerOptions {
    return { whichSources: this.stream.sources.filter((source) => this.whichSources.has(source)) };
  }

  protected override transform(columns: Columns, place: Place, into: Memory): Columns {
    const transformed = new Map<string, Column>();
    for (const [source, column] of columns) {
      const isWanted = this.whichSources.has(source);
      transformed.set(source, isWanted ? this.transformSource(column, source, place, into) : column);
    }
    return transformed;
  }

  /**
   * The column that takes this one's place. The one given is not written to, as others may hold it, and not kept.
   *
   * @param into where the new one may lie
   */
  protected abstract transformSource(column: Column, source: string, place: Place, into: Memory): Column;
}

/** Throws a sentence for a source that is asked for and not there. */
export function checkSources(what: string, wanted: readonly string[], available: readonly string[]): void {
  const missing = wanted.find((source) => !available.includes(source));
  if (missing === undefined) return;
  throw new RangeError(`${what}: there is no source ${missing}; the sources of the stream are ${available.join(', ')}`);
}

/** As they come back from a file. */
function writtenOptions(options: TransformerOptions): TransformerOptions {
  const given = Object.entries(options).filter(([, value]) => value !== null);
  return JSON.parse(JSON.stringify(Object.fromEntries(given)));
}

function shownOption(value: Json): string {
  if (Array.isArray(value)) return value.map((item: Json) => shownOption(item)).join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
