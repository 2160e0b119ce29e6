import { flagIn, StateMismatch, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, given, Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/** Groups of neighbours. */
export interface Groups<K, T> extends StatefulIterator<readonly [key: K, group: StatefulIterator<T>]> {
  /** The group given last as long as it is not known to be at its end; after `restore`, where it was when the state was saved. */
  readonly present: readonly [key: K, group: StatefulIterator<T>] | undefined;
}

/**
 * Neighbours with one key, by group (CPython: `groupby`). Keys are compared as in a `Map`. The groups read from the same source: the
 * next group begins where the last ends, which then gives nothing more, whether or not it was read.
 *
 * State: that of the source before the item drawn last, and what is known of it. Restoring reads this item again. A group has a
 * state, too, which takes its groups along.
 */
export function groupBy<T>(source: Source<T>): Groups<T, T>;
export function groupBy<T, K>(source: Source<T>, key: (item: T) => K): Groups<K, T>;
export function groupBy<T>(source: Source<T>, key: (item: T) => unknown = (item) => item): Groups<unknown, T> {
  return new GroupBy(iterate(source), key);
}

class GroupBy<T, K> extends Itertool<readonly [K, StatefulIterator<T>]> implements Groups<K, T> {
  readonly #source: StatefulIterator<T>;
  readonly #key: (item: T) => K;
  /** The item drawn last, with the state of the source before it. */
  #drawn: { readonly item: T; readonly key: K; readonly before: VersionedState } | undefined;
  /** True when that item is still to be given by a group. */
  #pending = false;
  /** The key of the group given last; undefined also when the item drawn last is known to be of another. */
  #wanted: { readonly key: K } | undefined;
  #group: Group<T> | undefined;

  constructor(source: StatefulIterator<T>, key: (item: T) => K) {
    super('groupBy');
    this.#source = source;
    this.#key = key;
  }

  get present(): readonly [K, StatefulIterator<T>] | undefined {
    return this.#group !== undefined && this.#wanted !== undefined && this.#within()
      ? [this.#wanted.key, this.#group]
      : undefined;
  }

  protected advance(): IteratorResult<readonly [K, StatefulIterator<T>], undefined> {
    this.#group = undefined;
    while (!this.#pending || this.#within()) if (!this.#draw()) return DONE;
    if (this.#drawn === undefined) return DONE;
    this.#wanted = { key: this.#drawn.key };
    this.#group = new Group(this);
    return given([this.#drawn.key, this.#group]);
  }

  /** The next item of a group. */
  nextOf(group: Group<T>): IteratorResult<T, undefined> {
    if (this.#group !== group || (!this.#pending && !this.#draw())) return DONE;
    if (this.#drawn === undefined || !this.#within()) return DONE;
    this.#pending = false;
    return given(this.#drawn.item);
  }

  /** The state of these groups within the group; null when it is another's turn. */
  stateOf(group: Group<T>): VersionedState | null {
    return this.#group === group ? this.state() : null;
  }

  /** Back to where they were within the group, or beyond it. */
  restoreTo(group: Group<T>, state: VersionedState | null): void {
    if (state === null) {
      if (this.#group === group) this.#group = undefined;
      return;
    }
    this.restore(state);
    this.#group = group;
  }

  /** True when the item drawn last belongs to the group given last. */
  #within(): boolean {
    return this.#wanted !== undefined && this.#drawn !== undefined && sameKey(this.#wanted.key, this.#drawn.key);
  }

  #draw(): boolean {
    const before = this.#source.state();
    const step = this.#source.next();
    if (step.done) return false;
    this.#drawn = { item: step.value, key: this.#key(step.value), before };
    this.#pending = true;
    return true;
  }

  protected fields() {
    return {
      source: this.#drawn?.before ?? this.#source.state(),
      drawn: this.#drawn !== undefined,
      pending: this.#pending,
      within: this.#within(),
      open: this.#group !== undefined,
    };
  }

  protected load(state: VersionedState): void {
    const drawn = flagIn(this.kind, state, 'drawn');
    const pending = flagIn(this.kind, state, 'pending');
    const within = flagIn(this.kind, state, 'within');
    const open = flagIn(this.kind, state, 'open');
    this.#source.restore(stateIn(this.kind, state, 'source'));
    this.#drawn = undefined;
    if (drawn && !this.#draw()) {
      throw new StateMismatch(
        'groupBy: the saved state is at an item that the source does not give any more; build it over the same data as when it was saved',
      );
    }
    this.#pending = pending;
    this.#wanted = within ? this.#drawn : undefined;
    // The group that somebody holds goes on: a restore that fails must leave it as it was.
    this.#group = open ? (this.#group ?? new Group(this)) : undefined;
  }
}

/** The items of one group. */
class Group<T> extends Itertool<T> {
  readonly #groups: GroupBy<T, unknown>;

  constructor(groups: GroupBy<T, unknown>) {
    super('group');
    this.#groups = groups;
  }

  protected advance(): IteratorResult<T, undefined> {
    return this.#groups.nextOf(this);
  }

  protected fields() {
    return { groups: this.#groups.stateOf(this) };
  }

  protected load(state: VersionedState): void {
    this.#groups.restoreTo(this, state['groups'] === null ? null : stateIn(this.kind, state, 'groups'));
  }
}

/** As keys of a Map are: NaN is NaN, and 0 is -0. */
function sameKey(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}
