import { randomInt } from 'node:crypto';

import { DemoFailed } from './demo-failed.js';

/** What is done to a worker, and when. */
export interface PlannedFault {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  /** As soon as this many batches are done. */
  readonly atStep: number;
}

/** The length of a run, in batches. */
export interface RunLength {
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

/**
 * A SIGKILL in the first half of a run and a SIGTERM later, at random batches, each with at least a tenth of an epoch to
 * either end of it: both fall while training is under way, between two epochs' ends.
 */
export function drawFaults({ totalSteps, stepsPerEpoch }: RunLength): readonly PlannedFault[] {
  const margin = Math.max(1, Math.floor(stepsPerEpoch / 10));
  const half = Math.floor(totalSteps / 2);
  const kill = midEpoch(margin, half, stepsPerEpoch, margin);
  const preempt = midEpoch(Math.max(half, kill + 2 * margin), totalSteps - 2 * margin, stepsPerEpoch, margin);
  return [
    { signal: 'SIGKILL', atStep: kill },
    { signal: 'SIGTERM', atStep: preempt },
  ];
}

/** A random step of [from, to) that is at least `margin` away from the ends of its epoch. */
function midEpoch(from: number, to: number, stepsPerEpoch: number, margin: number): number {
  const allowed: number[] = [];
  for (let step = from; step < to; step += 1) {
    const within = step % stepsPerEpoch;
    if (within >= margin && within <= stepsPerEpoch - margin) allowed.push(step);
  }
  const step = allowed[randomInt(Math.max(1, allowed.length))];
  if (step === undefined) {
    throw new DemoFailed(
      `a run of ${to} batches with epochs of ${stepsPerEpoch} is too short to be disturbed; train for longer`,
    );
  }
  return step;
}
