import { checkIdentity, countIn, stateIn, StateKind, type NdArray, type VersionedState } from '@longrun/serialization';
import { denseIn, type Columns } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import { rowsOf, takeRows } from '../arrays/rows.js';
import type { DataStream } from '../streams/data-stream.js';
import { Delivery, type Bookmark } from '../streams/delivery.js';
import { Transformer, type TransformerOptions } from './transformer.js';

/** Which windows of a sequence belong together. */
export interface WindowOptions {
  /** Where the target window starts: counted from the end of the source window, or from its start where they overlap. May be negative. */
  readonly offset: number;
  /** Items in the source window, at least 1. */
  readonly sourceWindow: number;
  /** Items in the target window, at least 1. */
  readonly targetWindow: number;
  /** Whether the offset counts from the start of the source window rather than from its end. */
  readonly overlapping: boolean;
  /** Name of the source that the target windows make up. Default `targets`. */
  readonly targetSource?: string;
}

/**
 * Pairs of windows that slide over each sequence, item by item (Fuel: `Window`): of a stream of examples `(time, ...)` of one source, examples
 * `(sourceWindow, ...)` and `(targetWindow, ...)`. No window goes beyond its sequence, and sequences that are too short give none.
 *
 * For n-grams see `NGrams`; to train a recurrent network, windows of one size, `offset: 1` and `overlapping: true`.
 *
 * State: that of the stream before the present sequence, and how many pairs of it and of the epoch were given. Restoring reads it again.
 */
export class Window extends Transformer {
  readonly #source: string;
  readonly #targetSource: string;
  readonly #windows: WindowOptions;
  /** Where the first source window starts: 0, or so that no target starts before the sequence. */
  readonly #start: number;
  #before: Bookmark;
  #sequence: { readonly example: Delivery; readonly pairs: number } | undefined;
  #given = 0;
  #index = 0;

  /** @param stream a stream of examples with one source */
  constructor(stream: DataStream, options: WindowOptions) {
    super(stream);
    const what = this.constructor.name;
    if (!stream.producesExamples) {
      throw new TypeError(`${what}: the stream gives batches, not examples; Unpack makes examples of them`);
    }
    const [source, ...others] = stream.sources;
    if (source === undefined || others.length > 0) {
      throw new RangeError(
        `${what}: the stream has the sources ${stream.sources.join(', ')}; keep the one with the sequences (FilterSources)`,
      );
    }
    for (const name of ['sourceWindow', 'targetWindow'] as const) {
      if (Number.isSafeInteger(options[name]) && options[name] >= 1) continue;
      throw new RangeError(`${what}: ${name} is ${options[name]}; give a whole number of at least 1`);
    }
    if (!Number.isSafeInteger(options.offset)) {
      throw new RangeError(`${what}: offset is ${options.offset}; give a whole number`);
    }
    const { targetSource = 'targets' } = options;
    if (targetSource === source) {
      throw new RangeError(`${what}: ${source} is the source of the sequences; give targetSource another name`);
    }
    this.#source = source;
    this.#targetSource = targetSource;
    this.#windows = options;
    this.#start = Math.max(0, -this.#targetAt(0));
    this.#before = stream.bookmark();
  }

  override get sources(): readonly string[] {
    return [this.#source, this.#targetSource];
  }

  override get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    const labels = this.stream.axisLabels?.get(this.#source);
    return labels === undefined
      ? null
      : new Map([
          [this.#source, labels],
          [this.#targetSource, labels],
        ]);
  }

  /** Null: the lengths of the sequences are not known beforehand. */
  override get batchesPerEpoch(): null {
    return null;
  }

  protected override options(): TransformerOptions {
    const { offset, sourceWindow, targetWindow, overlapping } = this.#windows;
    return { offset, sourceWindow, targetWindow, overlapping, targetSource: this.#targetSource };
  }

  protected override async advance(): Promise<Delivery | undefined> {
    while (this.#sequence === undefined || this.#given >= this.#sequence.pairs) {
      if (this.#sequence !== undefined) {
        this.#before = this.stream.bookmark();
        this.#sequence.example.release();
        this.#sequence = undefined;
        this.#given = 0;
      }
      const example = await this.stream.next();
      if (example === undefined) return undefined;
      this.#sequence = { example, pairs: this.#pairsIn(example.columns) };
    }
    const { columns, epoch } = this.#sequence.example;
    const loan = this.ring.lend();
    const { memory } = loan;
    const at = this.#start + this.#given;
    const index = this.#index;
    const { sourceWindow, targetWindow } = this.#windows;
    const target = this.#targetAt(at);
    const array = this.#sequenceIn(columns);
    const pair: Columns = new Map([
      [this.#source, takeRows(array, { start: at, stop: at + sourceWindow }, memory)],
      [
        this.#targetSource,
        this.target(takeRows(array, { start: target, stop: target + targetWindow }, memory), memory),
      ],
    ]);
    this.#given += 1;
    this.#index += 1;
    return new Delivery(pair, { epoch, index }, this.mark(), [loan]);
  }

  /** The target of an example, made of its window, and where it may lie. Default: the window. */
  protected target(window: NdArray, _into: Memory): NdArray {
    return window;
  }

  protected override async startEpoch(): Promise<void> {
    await this.stream.nextEpoch();
    this.#before = this.stream.bookmark();
    this.#sequence = undefined;
    this.#given = 0;
    this.#index = 0;
  }

  protected override mark(): Bookmark {
    const [before, given, index] = [this.#before, this.#given, this.#index];
    return () => ({ ...WINDOW.head, given, index, options: this.options(), stream: before() });
  }

  protected override load(state: VersionedState): void {
    const { name } = WINDOW;
    const read = WINDOW.read(state);
    const given = countIn(name, read, 'given');
    const index = countIn(name, read, 'index');
    const before = stateIn(name, read, 'stream');
    checkIdentity(name, read, 'options', this.options(), 'build it with the same windows as when it was saved');
    this.stream.restore(before);
    this.#before = this.stream.bookmark();
    this.#sequence = undefined;
    this.#given = given;
    this.#index = index;
  }

  /** Where the target window starts that belongs to the source window that starts there. */
  #targetAt(start: number): number {
    const { offset, sourceWindow, overlapping } = this.#windows;
    return start + (overlapping ? 0 : sourceWindow) + offset;
  }

  #pairsIn(columns: Columns): number {
    const { sourceWindow, targetWindow } = this.#windows;
    const end = Math.max(this.#start + sourceWindow, this.#targetAt(this.#start) + targetWindow);
    return Math.max(0, rowsOf(this.#sequenceIn(columns), `${this.constructor.name}: ${this.#source}`) - end + 1);
  }

  #sequenceIn(columns: Columns): NdArray {
    return denseIn(columns, this.#source, this.constructor.name);
  }
}

const WINDOW = new StateKind('Window');
