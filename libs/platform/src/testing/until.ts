import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a condition; fails after `timeoutMs`, which bounds a hang on the busiest machine, with what was there instead. Time in which
 * this process did not run counts little: what it waits for did not run either.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  otherwise: () => string = () => 'it did not',
  timeoutMs = 240_000,
): Promise<void> {
  let leftMs = timeoutMs;
  for (let before = performance.now(); ;) {
    const asked = performance.now();
    if (await condition()) return;
    const answered = performance.now();
    leftMs -= Math.min(answered - before, LONGEST_TURN_MS);
    before = answered;
    if (leftMs < 0) throw new Error(`Waited ${timeoutMs} ms for ${condition.toString()}: ${otherwise()}`);
    // What is waited for needs the machine more than the question does.
    await sleep(Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, 15 * (answered - asked))));
  }
}

const PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 200;
/** What one turn of it takes at most where the machine stood still meanwhile. */
const LONGEST_TURN_MS = 5_000;
