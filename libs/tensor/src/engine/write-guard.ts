import { AsyncLocalStorage } from 'node:async_hooks';

import type { SharedVariable } from '../graph/shared-variable.js';

/** Is told a compiled function and what it updates, before its first run. What it throws, that run throws, and nothing is computed. */
export type WriteGuard = (functionName: string, updated: readonly SharedVariable[]) => void;

/**
 * Calls `body` such that `guard` is asked about every compiled function with updates that runs within it, also after awaits,
 * wherever the function was compiled. Of several, one within the other, the innermost is asked.
 */
export function guardWrites<T>(guard: WriteGuard, body: () => T): T {
  return GUARDS.run(guard, body);
}

/** The guard within which the caller runs. */
export function presentWriteGuard(): WriteGuard | undefined {
  return GUARDS.getStore();
}

const GUARDS = new AsyncLocalStorage<WriteGuard>();
