import { StateMismatch, type Json, type VersionedState } from '@longrun/serialization';

/** The saved state of a part, from that of the whole. @throws StateMismatch when there is none */
export function savedPart(what: string, whole: Json | undefined, part: string): VersionedState {
  const found: unknown = typeof whole === 'object' && whole !== null ? Reflect.get(whole, part) : undefined;
  if (isState(found)) return found;
  throw new StateMismatch(
    `${what}: the saved state has nothing for ${part}; build the main loop with the program and params that saved it`,
  );
}

function isState(value: unknown): value is VersionedState {
  return typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'number';
}
