import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition; fails after `timeoutMs`, which bounds a hang on the busiest machine, with what was there instead. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  otherwise: () => string = () => 'it did not',
  timeoutMs = 240_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const asked = performance.now();
    if (await condition()) return;
    const answered = performance.now();
    if (answered > deadline) throw new Error(`Waited ${timeoutMs} ms for ${condition.toString()}: ${otherwise()}`);
    // What is waited for needs the machine more than the question does.
    await sleep(Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, 6 * (answered - asked))));
  }
}

const PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 200;
