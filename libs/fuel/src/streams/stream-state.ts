import { checkVersion, StateMismatch, type Json, type VersionedState } from '@longrun/serialization';

/** Checks that a state was saved by the same kind of stream, in a version that this build reads. */
export function checkKind(kind: string, state: VersionedState, supported: number): void {
  checkVersion(kind, state, supported);
  if (state['kind'] === kind) return;
  throw new StateMismatch(
    `${kind}: the saved state is that of ${JSON.stringify(state['kind'] ?? null)}; ` +
      'build the stream with the same transformers in the same order as when it was saved',
  );
}

/** A whole number, zero or more, of a saved state. */
export function countIn(kind: string, state: VersionedState, field: string): number {
  const value = state[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new StateMismatch(
    `${kind}: the saved state has ${field} ${JSON.stringify(value ?? null)}, which should be a whole number; the checkpoint is damaged`,
  );
}

/** The saved state of the stream below. */
export function stateIn(kind: string, state: VersionedState, field: string): VersionedState {
  const value = state[field];
  if (isVersioned(value)) return value;
  throw new StateMismatch(
    `${kind}: the saved state has no ${field} of the stream below it; ` +
      'build the stream with the same transformers in the same order as when it was saved',
  );
}

function isVersioned(value: Json | undefined): value is VersionedState {
  return typeof value === 'object' && value !== null && 'version' in value && typeof value['version'] === 'number';
}
