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
