import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition; fails after `timeoutMs`, which bounds a hang on the busiest machine, with what was there instead. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  otherwise: () => string = () => 'it did not',
  timeoutMs = 240_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`Waited ${timeoutMs} ms for ${condition.toString()}: ${otherwise()}`);
    await sleep(10);
  }
}
