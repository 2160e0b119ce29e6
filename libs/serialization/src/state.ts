/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A saved state: JSON, with the version of its layout. Old versions stay readable. */
export interface VersionedState {
  readonly version: number;
  readonly [key: string]: Json;
}

/**
 * Something whose state can be saved and put back exactly: what it does after `restore(state)` equals what it would have
 * done after `state()`, however often that happens in a row.
 *
 * `state()` returns a fresh JSON-able value that later steps do not change. `restore` throws {@link StateMismatch} for a
 * state that is not its own and then leaves itself as it was.
 */
export interface Stateful<S extends VersionedState = VersionedState> {
  state(): S;
  restore(state: VersionedState): void;
}

/** A saved state does not belong to what it is to be restored into. */
export class StateMismatch extends Error {
  override readonly name: string = 'StateMismatch';
}

/** A newer build has written it: nothing says that it is not whole. */
export class NewerState extends StateMismatch {
  override readonly name = 'NewerState';
}

/**
 * Checks that a saved state is of version 1 to `supported`.
 *
 * @throws NewerState if the version is above those, StateMismatch if it is none, naming `what`, the version and those that can be read.
 */
export function checkVersion(what: string, state: VersionedState, supported: number): void {
  const version: unknown = state.version;
  if (typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= supported) return;
  const fault = `${what}: saved state has version ${String(version)}, this build reads 1..${supported}`;
  if (typeof version === 'number' && version > supported)
    throw new NewerState(`${fault}; it was written by a newer build, go on with that one`);
  throw new StateMismatch(`${fault}; give the state that this object saved`);
}
