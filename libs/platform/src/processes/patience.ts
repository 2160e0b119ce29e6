import type { TimerOptions } from 'node:timers';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { lookMsFor } from '@longrun/serialization/observed-time';

/**
 * Resolves after so many milliseconds in which this process ran: what came while it stood still is heard first. Rejects when the signal
 * is aborted.
 */
export async function patience(ms: number, options: TimerOptions = {}): Promise<undefined> {
  const lookMs = lookMsFor(ms);
  for (let waitedMs = 0; waitedMs < ms; waitedMs += lookMs) await sleep(lookMs, undefined, options);
  return await turn(undefined, options);
}

/** What the work comes to; undefined when it takes longer than {@link patience} for so many milliseconds, and it is left to itself then. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = patience(ms, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
