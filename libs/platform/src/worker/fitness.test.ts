import { expect, test, vi } from 'vitest';

import { Fitness, type FitnessOptions } from './fitness.js';

/** A fitness whose check fails with `fault.now`, and how often it was made. */
function fitness(checkAgainAfterMs = 1, pause?: FitnessOptions['pause']) {
  const fault: { now: string | null } = { now: null };
  const changes: (string | null)[] = [];
  const check = vi.fn<() => Promise<void>>(async () => {
    if (fault.now !== null) throw new Error(fault.now);
  });
  const onChange = (now: string | null): void => void changes.push(now);
  return {
    fault,
    changes,
    check,
    fitness: new Fitness({ check, checkAgainAfterMs, onChange, ...(pause && { pause }) }),
  };
}

test('who fails the check is in quarantine until it passes', async () => {
  const { fitness: worker, fault, changes, check } = fitness();
  expect(await worker.examine()).toBe(null);
  fault.now = 'the disk is full';
  expect(await worker.examine()).toBe('the disk is full');
  expect(worker.fault).toBe('the disk is full');
  await expect.poll(() => check.mock.calls.length).toBeGreaterThan(3);
  fault.now = 'the disk is gone';
  await expect.poll(() => worker.fault).toBe('the disk is gone');
  fault.now = null;
  await expect.poll(() => worker.fault).toBe(null);
  expect(changes).toEqual(['the disk is full', 'the disk is gone', null]);
});

test('a user can take its word for it, and the next fault brings it back', async () => {
  const { fitness: worker, fault, changes, check } = fitness(60_000);
  fault.now = 'the disk is full';
  await worker.examine();
  worker.release();
  expect(worker.fault).toBe(null);
  expect(await worker.examine()).toBe('the disk is full');
  expect(changes).toEqual(['the disk is full', null, 'the disk is full']);
  expect(check).toHaveBeenCalledTimes(2);
  worker.stop();
});

test('pauses double until it has proved itself, up to 30 times the first', async () => {
  const pauses: number[] = [];
  let resume: () => void = () => undefined;
  const pause = async (ms: number): Promise<void> => {
    pauses.push(ms);
    await new Promise<void>((resolve) => (resume = resolve));
  };
  const { fitness: worker, fault } = fitness(1_000, pause);
  /** Lets one pause end, and waits for the next or the end of the quarantine. */
  const check = async (): Promise<void> => {
    const before = pauses.length;
    resume();
    await expect.poll(() => worker.fault === null || pauses.length > before).toBe(true);
  };
  fault.now = 'no';
  await worker.examine();
  await check();
  await check();
  fault.now = null;
  await check();
  expect(worker.fault).toBe(null);
  fault.now = 'again';
  await worker.examine();
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);

  worker.release();
  worker.prove();
  await worker.examine();
  for (let times = 0; times < 6; times += 1) await check();
  expect(pauses.slice(4)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  worker.stop();
});
