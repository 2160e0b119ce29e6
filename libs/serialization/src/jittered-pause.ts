import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { OperationOptions } from './store/object-store.js';

/**
 * Waits after so many failures in a row, for a time that is drawn: those that have failed together do not come back together.
 *
 * @param longestMs The longest pause after the first failure, doubled for each after it up to 32 times that
 * @throws the reason of the signal, once that is aborted
 */
export async function jitteredPause(
  failures: number,
  longestMs: number,
  { signal }: OperationOptions = {},
): Promise<void> {
  const mostMs = longestMs * 2 ** Math.min(failures - 1, 5);
  await sleep(randomInt(Math.ceil(mostMs) + 1), undefined, signal === undefined ? {} : { signal }).catch(() => {});
  signal?.throwIfAborted();
}
