import { countIn, StateMismatch, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { checkWhole, DONE, given, Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * `count` iterators over one source, each of which gives all its items (CPython: `tee`). Each item is drawn once, and kept in memory
 * until the slowest has given it.
 *
 * The state of each: its position, and the state of the source there; no items. They are restored one by one, and all before any
 * goes on: then what lies between the slowest and the fastest is read again. What none of them gives in that time nobody else may
 * read from the source.
 */
export function tee<T>(source: Source<T>, count = 2): readonly StatefulIterator<T>[] {
  checkWhole('tee', 'count', count, 0);
  const trunk = new Trunk(iterate(source));
  return Array.from({ length: count }, () => trunk.grow());
}

/** What the branches share. */
class Trunk<T> {
  readonly #source: StatefulIterator<T>;
  readonly #branches: Branch<T>[] = [];
  /** Items from position `#base` on, each with the state of the source before it. */
  #items: { readonly item: T; readonly before: VersionedState }[] = [];
  #base = 0;
  /** True when a branch was restored and the items were not read again yet: then each branch knows the state at its position. */
  #loose = false;

  constructor(source: StatefulIterator<T>) {
    this.#source = source;
  }

  grow(): Branch<T> {
    const branch = new Branch(this);
    this.#branches.push(branch);
    return branch;
  }

  /** The item at the position of a branch. */
  next(branch: Branch<T>): IteratorResult<T, undefined> {
    if (this.#loose) this.#readAgain();
    const index = branch.position - this.#base;
    if (index === this.#items.length && !this.#draw()) return DONE;
    const taken = this.#items[index];
    if (taken === undefined) return DONE;
    branch.position += 1;
    if (index === 0) this.#drop();
    return given(taken.item);
  }

  /** The state of the source at the position of a branch. */
  stateAt(branch: Branch<T>): VersionedState {
    return branch.source ?? this.#items[branch.position - this.#base]?.before ?? this.#source.state();
  }

  restore(branch: Branch<T>, position: number, source: VersionedState): void {
    for (const other of this.#branches) other.source = this.stateAt(other);
    this.#loose = true;
    this.#items = [];
    this.#source.restore(source);
    branch.position = position;
    branch.source = source;
  }

  #readAgain(): void {
    const slowest = this.#branches.reduce((a, b) => (b.position < a.position ? b : a));
    const end = Math.max(...this.#branches.map(({ position }) => position));
    this.#source.restore(this.stateAt(slowest));
    this.#items = [];
    this.#base = slowest.position;
    while (this.#base + this.#items.length < end) {
      if (this.#draw()) continue;
      throw new StateMismatch(
        `tee: an iterator was saved at item ${end}, but the source has ${this.#base + this.#items.length}; ` +
          'restore all iterators of one tee with states of one moment, over the same data',
      );
    }
    this.#loose = false;
    for (const branch of this.#branches) branch.source = undefined;
  }

  #draw(): boolean {
    const before = this.#source.state();
    const step = this.#source.next();
    if (step.done) return false;
    this.#items.push({ item: step.value, before });
    return true;
  }

  #drop(): void {
    const slowest = Math.min(...this.#branches.map(({ position }) => position));
    this.#items.splice(0, slowest - this.#base);
    this.#base = slowest;
  }
}

class Branch<T> extends Itertool<T> {
  readonly #trunk: Trunk<T>;
  position = 0;
  /** The state of the source at the position, where the items there are to be read again. */
  source: VersionedState | undefined;

  constructor(trunk: Trunk<T>) {
    super('tee');
    this.#trunk = trunk;
  }

  protected advance(): IteratorResult<T, undefined> {
    return this.#trunk.next(this);
  }

  protected fields() {
    return { position: this.position, source: this.#trunk.stateAt(this) };
  }

  protected load(state: VersionedState): void {
    this.#trunk.restore(this, countIn(this.kind, state, 'position'), stateIn(this.kind, state, 'source'));
  }
}
