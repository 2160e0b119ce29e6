import { shown } from './shown.js';

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A value as it is now, whatever becomes of the objects in it. */
export function copyOfJson<T extends Json>(value: T): T {
  const copy: T = JSON.parse(JSON.stringify(value));
  return copy;
}

/** A saved state: JSON, with the version of its layout. Old versions stay readable: see `StateKind`. */
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

/**
 * An iterator whose position can be saved: what the itertools, iterable datasets and caches stand on.
 *
 * Once `next()` has said that it is done it says so each time. `[Symbol.iterator]` gives the iterator itself, and there is no
 * `return`: a `for` loop that is left early leaves the iterator where it was, and the next one goes on from there. What is read
 * by two readers at once goes through `tee`.
 */
export interface StatefulIterator<T, S extends VersionedState = VersionedState> extends Stateful<S> {
  next(): IteratorResult<T, undefined>;
  [Symbol.iterator](): StatefulIterator<T, S>;
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
  const fault = `${what}: saved state has version ${shown(version)}, this build reads 1..${supported}`;
  if (typeof version === 'number' && version > supported)
    throw new NewerState(`${fault}; it was written by a newer build, go on with that one`);
  throw new StateMismatch(`${fault}; give the state that this object saved`);
}

/** A whole number, zero or more, of a saved state. @throws StateMismatch if the field is none. */
export function countIn(kind: string, state: VersionedState, field: string): number {
  const value = state[field];
  if (isCount(value)) return value;
  throw new StateMismatch(
    `${kind}: the saved state has ${field} ${shown(value ?? null)}, which should be a whole number; the checkpoint is damaged`,
  );
}

/** Whole numbers, zero or more, of a saved state. @throws StateMismatch if the field is no list of them. */
export function countsIn(kind: string, state: VersionedState, field: string): readonly number[] {
  const values = state[field];
  if (isList(values) && values.every(isCount)) return values;
  throw new StateMismatch(
    `${kind}: the saved state has ${field} ${shown(values ?? null)}, which should be whole numbers; the checkpoint is damaged`,
  );
}

/** A yes or no of a saved state. @throws StateMismatch if the field is neither. */
export function flagIn(kind: string, state: VersionedState, field: string): boolean {
  const value = state[field];
  if (typeof value === 'boolean') return value;
  throw new StateMismatch(
    `${kind}: the saved state has ${field} ${shown(value ?? null)}, which should be true or false; the checkpoint is damaged`,
  );
}

/** The saved state of a part. @throws StateMismatch if the field holds none. */
export function stateIn(kind: string, state: VersionedState, field: string): VersionedState {
  const value = state[field];
  if (isVersioned(value)) return value;
  throw new StateMismatch(
    `${kind}: the saved state has no state of its ${field}; ` +
      'build it of the same parts in the same order as when it was saved',
  );
}

/** The saved states of `count` parts. @throws StateMismatch if the field holds another number of them, or something else. */
export function statesIn(kind: string, state: VersionedState, field: string, count: number): readonly VersionedState[] {
  const values = state[field];
  if (isList(values) && values.length === count && values.every(isVersioned)) return values;
  throw new StateMismatch(
    `${kind}: the saved state should have the states of ${count} ${field}, but has ${
      isList(values) ? `${values.length}` : 'none'
    }; build it of the same parts in the same order as when it was saved`,
  );
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isVersioned(value: Json | undefined): value is VersionedState {
  return typeof value === 'object' && value !== null && 'version' in value && typeof value['version'] === 'number';
}
