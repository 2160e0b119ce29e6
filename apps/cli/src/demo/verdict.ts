import { decodeNumber, isWallClock, type LogRow, type StoredLogRow } from '@longrun/contracts';

import type { MemoryRole } from './peak-memory.js';
import type { RunRecord } from './run.js';

/** The most that a kind of process may hold in memory, in bytes. */
export type MemoryLimits = ReadonlyMap<MemoryRole, number>;

/** The limits of a demo whose trainers compute with `engine`; TensorFlow's library alone takes 400 MB. */
export function memoryLimits(engine?: string): MemoryLimits {
  return new Map([
    ['trainer', engine === 'tfjs' ? 1e9 : 500e6],
    ['api', 1e9],
  ]);
}

/** What is wrong with an undisturbed run; nothing when it is as it must be. */
export function undisturbedFaults({ view }: RunRecord): string[] {
  const wrong = endFaults('the undisturbed run', view);
  if (view.attempts.length !== 1) {
    wrong.push(`the undisturbed run took ${view.attempts.length} attempts; something disturbed it: ${reasons(view)}`);
  }
  return wrong;
}

/** What is wrong with a disturbed run: it must have been hit both times while it trained, and end like the reference. */
export function disturbedFaults(run: RunRecord, reference: RunRecord): string[] {
  const { view, faults } = run;
  const wrong = endFaults('the disturbed run', view);
  const expected = { SIGKILL: 'worker_lost', SIGTERM: 'preempted' } as const;
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const fault = faults.find((one) => one.signal === signal);
    if (fault === undefined) {
      wrong.push(`${signal} was never sent: the run ended before its moment came`);
    } else if (fault.stepInEpoch === 0 || fault.resumedFromStep === undefined) {
      wrong.push(`${signal} at step ${fault.sentAtStep} did not hit training under way`);
    }
    if (!view.attempts.some(({ reason }) => reason === expected[signal])) {
      wrong.push(`no attempt ended as ${expected[signal]}, so ${signal} did not do what it should: ${reasons(view)}`);
    }
  }
  const [ours, theirs] = [view.result?.parametersSha256, reference.view.result?.parametersSha256];
  if (ours === undefined || ours !== theirs) {
    wrong.push(`the final parameters differ: ${theirs ?? 'none'} undisturbed, ${ours ?? 'none'} disturbed`);
  }
  return [...wrong, ...logFaults(run.rows, reference.rows)];
}

/** In what a training log differs from that of the undisturbed run, step by step; what the clock on the wall says aside. */
export function logFaults(ours: readonly StoredLogRow[], theirs: readonly StoredLogRow[]): string[] {
  if (theirs.length === 0) return ['the undisturbed run has no log rows, so there is nothing to compare with'];
  const [disturbed, undisturbed] = [rowsByStep(ours), rowsByStep(theirs)];
  const steps = [...new Set([...undisturbed.keys(), ...disturbed.keys()])].toSorted((a, b) => a - b);
  const different = steps.filter((step) => disturbed.get(step) !== undisturbed.get(step));
  const [first] = different;
  if (first === undefined) return [];
  return [
    `${different.length} of ${steps.length} log rows differ, the first at step ${first}: ` +
      `${undisturbed.get(first) ?? 'none'} undisturbed, ${disturbed.get(first) ?? 'none'} disturbed`,
  ];
}

function rowsByStep(rows: readonly StoredLogRow[]): Map<number, string> {
  return new Map(
    rows.map(({ step, row }) => {
      const records = Object.entries(row).filter(([name]) => !isWallClock(name));
      return [step, JSON.stringify(Object.fromEntries(records.toSorted(([a], [b]) => (a < b ? -1 : 1))))];
    }),
  );
}

/** The kinds of process that held more than they may. */
export function memoryFaults(peaks: ReadonlyMap<MemoryRole, number>, limits: MemoryLimits): string[] {
  return [...limits].flatMap(([role, limit]) => {
    const peak = peaks.get(role);
    if (peak === undefined) return [`the peak memory of ${role} was never seen`];
    return peak > limit
      ? [`${role} took ${Math.round(peak / 1e6)} MB at its peak; its limit is ${limit / 1e6} MB`]
      : [];
  });
}

/** The accuracy on the test split, 0 to 1, in the last row of a log; undefined when the row has none. */
export function testAccuracy(row: LogRow): number | undefined {
  const error = decodeNumber(row['test_misclassification_rate']);
  return error === undefined ? undefined : 1 - error;
}

function endFaults(what: string, { status, reason, message }: RunRecord['view']): string[] {
  return status === 'succeeded' ? [] : [`${what} ended as ${status} (${reason}): ${message ?? 'no message'}`];
}

function reasons({ attempts }: RunRecord['view']): string {
  return attempts.map(({ reason, status }) => reason ?? status).join(', ');
}
