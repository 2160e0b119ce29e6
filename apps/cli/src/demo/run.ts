import type { Client } from '@longrun/client';
import type { ExperimentProgress, ExperimentView, LiveEvent, StoredLogRow } from '@longrun/contracts';

import type { LocalStack } from '../stack/stack.js';
import { DemoFailed } from './demo-failed.js';
import type { PlannedFault, RunLength } from './faults.js';
import type { MemoryWatch } from './peak-memory.js';

/** A fault that was done to a run. */
export interface Fault extends PlannedFault {
  /** The batch that the newest event told of when the signal was sent, and where in its epoch that was. */
  readonly sentAtStep: number;
  readonly stepInEpoch: number;
  readonly stepsPerEpoch: number;
  readonly sentAt: string;
  /** The process that got the signal. */
  readonly pid: number;
  /** The batch its successor went on from; undefined until there is one. */
  resumedFromStep?: number;
  /** From the signal to the first batch that the successor did; undefined until then. */
  firstStepMs?: number;
  /** From the signal to the moment the run was at the same batch again; undefined until it was. */
  lostMs?: number;
}

/** What came of one run. */
export interface RunRecord {
  readonly view: ExperimentView;
  /** The training log, by step. */
  readonly rows: readonly StoredLogRow[];
  readonly faults: readonly Fault[];
  /** From its submission to its end. */
  readonly totalMs: number;
  /** Batches that were trained more than once. */
  readonly stepsRunAgain: number;
}

/** What a run tells while it goes. */
export type RunNews =
  | { readonly kind: 'progress'; readonly progress: ExperimentProgress }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'event'; readonly event: LiveEvent };

/** How a run is watched. */
export interface WatchOptions {
  readonly client: Client;
  readonly stack: LocalStack;
  readonly memory: MemoryWatch;
  readonly signal: AbortSignal;
  readonly onNews: (news: RunNews) => void;
  /** Draws the faults once the run's length is known. Default: none. */
  readonly drawFaults?: (length: RunLength) => readonly PlannedFault[];
}

/** Follows an experiment to its end, and kills its workers as planned. */
export async function watchRun(id: string, options: WatchOptions): Promise<RunRecord> {
  const { client, memory, onNews, signal } = options;
  const started = performance.now();
  const faults: Fault[] = [];
  const repairs: Promise<void>[] = [];
  let planned: PlannedFault[] | undefined;
  let repairing = false;
  for await (const event of client.experiments.follow(id, { signal })) {
    onNews({ kind: 'event', event });
    if (event.type === 'attempt_started') noteResumption(faults, event.data.startStep);
    if (event.type === 'attempt_ended') memory.record('trainer', event.data.peakMemoryBytes ?? 0);
    if (event.type !== 'progress') continue;
    onNews({ kind: 'progress', progress: event.data });
    const { step, totalSteps, stepsPerEpoch } = event.data;
    noteRecovery(faults, step);
    if (options.drawFaults === undefined) continue;
    if (totalSteps === undefined || stepsPerEpoch === undefined) {
      throw new DemoFailed(
        'the program does not say how many batches it will train, so no moment can be drawn for the faults',
      );
    }
    planned ??= [...options.drawFaults({ totalSteps, stepsPerEpoch })];
    const next = planned[0];
    const recovered = faults.every(({ lostMs }) => lostMs !== undefined);
    if (next === undefined || step < next.atStep || repairing || !recovered) continue;
    planned.shift();
    repairing = true;
    const fault = newFault(next, { step, stepsPerEpoch, pid: options.stack.service('worker-gpu').pid });
    faults.push(fault);
    onNews({ kind: 'fault', fault });
    const repair = replaceWorker(options, next.signal).finally(() => (repairing = false));
    repair.catch(() => undefined);
    repairs.push(repair);
  }
  await Promise.all(repairs);
  const view = await client.experiments.get(id);
  const rows: StoredLogRow[] = [];
  for await (const row of client.experiments.logRows(id)) rows.push(row);
  return { view, rows, faults, totalMs: performance.now() - started, stepsRunAgain: stepsRunAgain(view) };
}

function newFault(planned: PlannedFault, now: { step: number; stepsPerEpoch: number; pid: number | undefined }): Fault {
  if (now.pid === undefined) throw new DemoFailed(`there is no worker to send ${planned.signal} to`);
  return {
    ...planned,
    sentAtStep: now.step,
    stepInEpoch: now.step % now.stepsPerEpoch,
    stepsPerEpoch: now.stepsPerEpoch,
    sentAt: new Date().toISOString(),
    pid: now.pid,
  };
}

async function replaceWorker({ stack, memory }: WatchOptions, signal: PlannedFault['signal']): Promise<void> {
  const sampled = memory.sample();
  await stack.endService('worker-gpu', signal);
  await sampled;
  await stack.startService('worker-gpu');
}

function noteResumption(faults: readonly Fault[], startStep: number): void {
  const fault = faults.at(-1);
  if (fault !== undefined) fault.resumedFromStep ??= startStep;
}

function noteRecovery(faults: readonly Fault[], step: number): void {
  const fault = faults.at(-1);
  if (fault?.resumedFromStep === undefined) return;
  const sinceMs = Date.now() - Date.parse(fault.sentAt);
  if (step > fault.resumedFromStep) fault.firstStepMs ??= sinceMs;
  if (step >= fault.sentAtStep) fault.lostMs ??= sinceMs;
}

/** What an attempt did beyond the point from which its successor went on. */
function stepsRunAgain({ attempts }: ExperimentView): number {
  return attempts.reduce((sum, attempt, at) => {
    const resumedFrom = attempts.slice(at + 1).find(({ startStep }) => startStep !== null)?.startStep;
    const reached = attempt.lastStep ?? attempt.startStep;
    return resumedFrom === undefined || resumedFrom === null || reached === null
      ? sum
      : sum + Math.max(0, reached - resumedFrom);
  }, 0);
}
