import { isDeepStrictEqual } from 'node:util';

import { shown, shownUpTo } from './shown.js';
import { checkVersion, type Json, StateMismatch, type VersionedState } from './state.js';

/** Makes of a state of one version that of the next. Pure: it does not change what it is given, and gives the same for the same. */
export type Migration = (state: VersionedState) => VersionedState;

/** A migration and where it starts. */
export interface RegisteredMigration {
  /** It makes version `from + 1` of version `from`. */
  readonly from: number;
  readonly migrate: Migration;
}

/** Options of a {@link StateKind}. */
export interface StateKindOptions {
  /** The version of the states that this build writes. Default 1. */
  readonly version?: number;
  /** One from each version before the present one. Default none. */
  readonly migrations?: readonly RegisteredMigration[];
  /** The version from which on a state names its kind; Infinity where it is known by the place in which it lies. Default 1. */
  readonly namedSince?: number;
}

/** What every state of a kind starts with. */
export type StateHead = {
  readonly version: number;
  readonly kind: string;
};

/**
 * A kind of saved states: its name, which stands in each, the version that this build writes, and the register of migrations that
 * bring those of earlier builds to it.
 *
 * What is {@link Stateful} has one: `state()` starts with its {@link StateKind.head}, `restore` goes on with what
 * {@link StateKind.read} gives, and knows no other version. The parts of a state have kinds of their own, so a migration leaves them alone.
 */
export class StateKind {
  readonly name: string;
  readonly version: number;
  /** Version and kind, as this build writes them. Always the same object, so that a state costs no more than its own fields. */
  readonly head: StateHead;
  readonly #migrations: ReadonlyMap<number, Migration>;
  readonly #namedSince: number;

  /** @throws RangeError for a version that is none; Error where a migration is missing, is there twice, or leads nowhere */
  constructor(name: string, options: StateKindOptions = {}) {
    const { version = 1, migrations = [], namedSince = 1 } = options;
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new RangeError(`${name}: version is ${version}; give a whole number of at least 1`);
    }
    this.name = name;
    this.version = version;
    this.head = Object.freeze({ version, kind: name });
    this.#namedSince = namedSince;
    this.#migrations = registered(name, version, migrations);
  }

  /**
   * The state in the version that this build writes, brought there step by step if an earlier build wrote it.
   *
   * @param what Names in errors what is to be restored. Default: the kind
   * @throws StateMismatch for the state of another kind, naming both; NewerState for a version to come; Error for a migration that
   * gives another version than the next
   */
  read(state: VersionedState, what = this.name): VersionedState {
    this.#checkName(what, state);
    checkVersion(what, state, this.version);
    let read = state;
    while (read.version < this.version) read = this.#next(read);
    return read;
  }

  #checkName(what: string, state: VersionedState): void {
    const { kind } = state;
    const version: unknown = state.version;
    const mayBeNameless = typeof version !== 'number' || version < this.#namedSince;
    // A version that is no number is refused as that.
    if (kind === this.name || (kind === undefined && mayBeNameless)) return;
    const own = what === this.name ? '' : `, not of ${JSON.stringify(this.name)}`;
    throw new StateMismatch(
      `${what}: the saved state is that of ${shown(kind ?? null)}${own}; ` +
        'build it of the same parts in the same order as when it was saved',
    );
  }

  #next(state: VersionedState): VersionedState {
    const { version } = state;
    const migrate = this.#migrations.get(version);
    if (migrate === undefined) throw new Error(withoutMigration(this.name, version));
    const next = migrate(state);
    if (next.version === version + 1) return next;
    throw new Error(
      `${this.name}: the migration from version ${version} gave version ${String(next.version)}; let it give version ${version + 1}`,
    );
  }
}

/** The step from a first version that did not name its kind to a second that does, and is the same otherwise. */
export function naming(kind: string): RegisteredMigration {
  return { from: 1, migrate: (state) => ({ ...state, version: 2, kind }) };
}

/**
 * Refuses the state of another thing of the same kind: `field` of the state says which one it belongs to, `present` which one this is.
 * Null in a state: the build that wrote it did not say, and it is taken for one's own.
 *
 * @param remedy what to do, without a full stop
 * @throws StateMismatch naming both
 */
export function checkIdentity(what: string, state: VersionedState, field: string, present: Json, remedy: string): void {
  const saved = state[field];
  if (saved === null || isDeepStrictEqual(saved, present)) return;
  throw new StateMismatch(
    `${what}: the state was saved with the ${field} ${shownUpTo(IDENTITY_CHARACTERS, saved ?? null)}, but this one has ${shownUpTo(IDENTITY_CHARACTERS, present)}; ${remedy}`,
  );
}

/** Both are shown, and what tells them apart may come late. */
const IDENTITY_CHARACTERS = 1_000;

function registered(
  name: string,
  version: number,
  migrations: readonly RegisteredMigration[],
): ReadonlyMap<number, Migration> {
  const register = new Map<number, Migration>();
  for (const { from, migrate } of migrations) {
    if (register.has(from)) throw new Error(`${name}: two migrations are from version ${from}; keep one`);
    if (!Number.isSafeInteger(from) || from < 1 || from >= version) {
      throw new Error(
        `${name}: a migration is from version ${from}, but only those before ${version} need one; raise the version with it`,
      );
    }
    register.set(from, migrate);
  }
  for (let from = 1; from < version; from += 1) {
    if (!register.has(from)) throw new Error(withoutMigration(name, from));
  }
  return register;
}

function withoutMigration(name: string, from: number): string {
  return `${name}: there is no migration from version ${from} to ${from + 1}; add it, so that old states stay readable`;
}
