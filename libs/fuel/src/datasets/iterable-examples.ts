import {
  checkIdentity,
  countIn,
  IterableLengthMismatch,
  Itertool,
  statesIn,
  type Json,
  type NdArray,
  type StatefulIterator,
  StateKind,
  type VersionedState,
} from '@longrun/serialization';
import { exampleArray, type ExampleValue } from '../arrays/example-array.js';

/**
 * The examples of an iterable dataset in one pass over it, each made of an item of every source.
 *
 * State: the states of the sources, the epoch, the number of examples given, and the identity of the dataset. An example that could not be read or
 * made is tried again by the next call.
 */
export class IterableExamples extends Itertool<IterableExample> {
  readonly #sources: SideBySide;
  readonly #identity: () => Json;
  /** Those of the sources after the last example that was given. */
  #states: readonly VersionedState[];
  #epoch: number;
  #position = 0;

  /** @param identity says which dataset this is; asked for with the state */
  constructor(sources: SideBySide, identity: () => Json, epoch: number) {
    super(ITERABLE_DATASET);
    this.#epoch = epoch;
    this.#sources = sources;
    this.#identity = identity;
    this.#states = sources.start;
  }

  /** Of which pass over the dataset these are. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many were given. */
  get position(): number {
    return this.#position;
  }

  protected advance(): IteratorResult<IterableExample, undefined> {
    const read = this.#sources.read(this, this.#states, (iterators) => this.#draw(iterators));
    if (read === undefined) return this.end();
    this.#states = read.states;
    this.#position += 1;
    return { done: false, value: { columns: read.columns } };
  }

  protected fields() {
    return { epoch: this.#epoch, position: this.#position, dataset: this.#identity(), sources: this.#states };
  }

  protected load(state: VersionedState): void {
    const epoch = countIn(this.kind, state, 'epoch');
    const position = countIn(this.kind, state, 'position');
    checkIdentity(this.kind, state, 'dataset', this.#identity(), 'build it over the same dataset as when it was saved');
    this.#states = this.#sources.restore(this, statesIn(this.kind, state, 'sources', this.#states.length));
    this.#epoch = epoch;
    this.#position = position;
  }

  #draw(iterators: Iterators) {
    const columns = new Map<string, NdArray>();
    const ended: string[] = [];
    for (const [source, iterator] of iterators) {
      const step = iterator.next();
      if (step.done) ended.push(source);
      else columns.set(source, exampleArray(step.value, source));
    }
    if (columns.size === 0) return undefined;
    if (ended.length === 0) return { columns, states: statesOf(iterators) };
    throw new IterableLengthMismatch(
      `IterableDataset: the sources have different lengths: ${ended.join(', ')} ${this.#position}, ` +
        `${[...columns.keys()].join(', ')} more; give sources of one length, or islice(longer, ${this.#position})`,
    );
  }
}

const ITERABLE_DATASET = new StateKind('IterableDataset', {
  version: 2,
  // The first version did not count the epochs: nothing depended on it.
  migrations: [{ from: 1, migrate: (state) => ({ ...state, version: 2, epoch: 0 }) }],
});

/** The arrays of an example by source. */
interface IterableExample {
  readonly columns: ReadonlyMap<string, NdArray>;
}

/** The iterators of a dataset, by source, which its readers use by turns. */
export class SideBySide {
  /** Where each epoch begins. */
  readonly start: readonly VersionedState[];
  readonly #iterators: Iterators;
  /** Who left the iterators as they are; nobody after a failure. */
  #reader: IterableExamples | undefined;

  constructor(iterators: Iterators) {
    this.#iterators = iterators;
    this.start = statesOf(iterators);
  }

  /** Reads on from where the reader has been, which `states` says. What fails leaves the iterators to be restored by whoever comes next. */
  read<T>(reader: IterableExamples, states: readonly VersionedState[], draw: (iterators: Iterators) => T): T {
    if (this.#reader !== reader) this.restore(reader, states);
    this.#reader = undefined;
    const result = draw(this.#iterators);
    this.#reader = reader;
    return result;
  }

  /** Puts the iterators there, and gives their states as they write them. */
  restore(reader: IterableExamples, states: readonly VersionedState[]): readonly VersionedState[] {
    this.#reader = undefined;
    for (const [index, iterator] of [...this.#iterators.values()].entries()) {
      const state = states[index];
      if (state !== undefined) iterator.restore(state);
    }
    this.#reader = reader;
    return statesOf(this.#iterators);
  }
}

type Iterators = ReadonlyMap<string, StatefulIterator<ExampleValue>>;

function statesOf(iterators: Iterators): readonly VersionedState[] {
  return Array.from(iterators.values(), (iterator) => iterator.state());
}
