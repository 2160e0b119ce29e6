import { availableParallelism, cpus, totalmem } from 'node:os';

import { type DatasetView, engineText } from '@longrun/contracts';

import { duration, size } from '../output/amounts.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import type { MemoryRole } from './peak-memory.js';
import type { Fault, RunRecord } from './run.js';
import { disturbedFaults, memoryFaults, type MemoryLimits, testAccuracy, undisturbedFaults } from './verdict.js';

/** What is kept of one run. */
export interface RunFacts {
  readonly experimentId: string;
  readonly status: string;
  readonly attempts: readonly {
    readonly fence: number;
    readonly reason: string | null;
    readonly startStep: number | null;
    readonly lastStep: number | null;
    /** What it computed with, as `onnxruntime/cpu`. */
    readonly engine: string;
  }[];
  readonly faults: readonly Fault[];
  readonly stepsRunAgain: number;
  readonly testAccuracy: number | null;
  readonly totalSeconds: number;
  /** From each signal to the moment the run was at the same batch again, summed. */
  readonly secondsLost: number;
  readonly parametersSha256: string | null;
  /** Rows of the training log. */
  readonly logRows: number;
}

/** The most memory a kind of process had, and what it may have. */
export interface MemoryFacts {
  readonly process: MemoryRole;
  readonly peakBytes: number;
  readonly limitBytes: number | null;
}

/** What `<state>/demo/result.json` holds. */
export interface DemoResult {
  readonly version: 1;
  readonly passed: boolean;
  /** What was not as it must be; empty when `passed`. */
  readonly problems: readonly string[];
  readonly startedAt: string;
  readonly totalSeconds: number;
  readonly machine: ReturnType<typeof machine>;
  readonly dataset: { readonly id: string; readonly sha256: string | null; readonly seconds: number };
  readonly undisturbed: RunFacts;
  readonly disturbed: RunFacts;
  /** Whether the final parameters of both runs are the same bytes. */
  readonly equal: boolean;
  readonly memory: readonly MemoryFacts[];
}

/** What `<state>/demo/soak.json` holds. */
export interface SoakResult {
  readonly version: 1;
  readonly passed: boolean;
  readonly startedAt: string;
  readonly totalSeconds: number;
  readonly machine: ReturnType<typeof machine>;
  /** Disturbed runs asked for. */
  readonly count: number;
  /** Of those done so far, how many ended like the reference. */
  readonly equalRuns: number;
  readonly reference: RunFacts;
  readonly runs: readonly (RunFacts & { readonly problems: readonly string[] })[];
  readonly memory: readonly MemoryFacts[];
  readonly memoryProblems: readonly string[];
}

/** Judges a demo and puts its facts together. */
export function demoResult(seen: {
  readonly startedAt: Date;
  readonly dataset: { readonly view: DatasetView; readonly totalMs: number };
  readonly undisturbed: RunRecord;
  readonly disturbed: RunRecord;
  readonly peaks: ReadonlyMap<MemoryRole, number>;
  readonly limits: MemoryLimits;
}): DemoResult {
  const { startedAt, dataset, undisturbed, disturbed, peaks, limits } = seen;
  const problems = [
    ...undisturbedFaults(undisturbed),
    ...disturbedFaults(disturbed, undisturbed),
    ...memoryFaults(peaks, limits),
  ];
  const facts = { undisturbed: runFacts(undisturbed), disturbed: runFacts(disturbed) };
  const sha256 = facts.undisturbed.parametersSha256;
  return {
    version: 1,
    passed: problems.length === 0,
    problems,
    startedAt: startedAt.toISOString(),
    totalSeconds: secondsSince(startedAt),
    machine: machine(),
    dataset: { id: dataset.view.id, sha256: dataset.view.result?.sha256 ?? null, seconds: dataset.totalMs / 1_000 },
    ...facts,
    equal: sha256 !== null && sha256 === facts.disturbed.parametersSha256,
    memory: memoryFactsOf(peaks, limits),
  };
}

/** Judges a soak and puts its facts together. */
export function soakResult(seen: {
  readonly startedAt: Date;
  readonly count: number;
  readonly reference: RunRecord;
  readonly runs: readonly { readonly run: RunRecord; readonly wrong: readonly string[] }[];
  readonly peaks: ReadonlyMap<MemoryRole, number>;
  readonly limits: MemoryLimits;
}): SoakResult {
  const { startedAt, count, reference, runs, peaks, limits } = seen;
  const equalRuns = runs.filter(({ wrong }) => wrong.length === 0).length;
  const memoryProblems = memoryFaults(peaks, limits);
  return {
    version: 1,
    passed: equalRuns === count && memoryProblems.length === 0,
    startedAt: startedAt.toISOString(),
    totalSeconds: secondsSince(startedAt),
    machine: machine(),
    count,
    equalRuns,
    reference: runFacts(reference),
    runs: runs.map(({ run, wrong }) => ({ ...runFacts(run), problems: wrong })),
    memory: memoryFactsOf(peaks, limits),
    memoryProblems,
  };
}

/** The demo's table and its verdict. */
export function sayResult(terminal: Terminal, result: DemoResult): void {
  const { undisturbed, disturbed } = result;
  const row = (name: string, of: (run: RunFacts) => string): string[] => [name, of(undisturbed), of(disturbed)];
  const print = (line: string): void => terminal.print(line);
  print(
    table(
      ['', 'UNDISTURBED', 'KILLED TWICE'],
      [
        row(
          'attempts',
          (run) => `${run.attempts.length} (${run.attempts.map(({ reason }) => reason ?? 'none').join(', ')})`,
        ),
        row('trained on', (run) => [...new Set(run.attempts.map(({ engine }) => engine))].join(', ')),
        row('steps run again', (run) => String(run.stepsRunAgain)),
        row('log rows', (run) => String(run.logRows)),
        row('test accuracy', accuracyText),
        row('time', (run) => duration(run.totalSeconds * 1_000)),
        row('seconds lost', (run) => run.secondsLost.toFixed(1)),
      ],
    ),
  );
  print('');
  print(table(['PROCESS', 'PEAK MEMORY', 'LIMIT'], result.memory.map(memoryRow), { right: ['PEAK MEMORY', 'LIMIT'] }));
  print('');
  print('SHA-256 of the final parameters');
  print(`  undisturbed   ${undisturbed.parametersSha256 ?? 'none'}`);
  print(`  killed twice  ${disturbed.parametersSha256 ?? 'none'}`);
  print('');
  if (result.passed) {
    print(
      terminal.style(
        'green',
        `Equal, bit for bit, and so are all rows of the log. The whole demo took ${duration(result.totalSeconds * 1_000)}.`,
      ),
    );
  } else {
    for (const problem of result.problems) print(terminal.style('red', `✗ ${problem}`));
  }
}

function accuracyText({ testAccuracy: share }: RunFacts): string {
  return share === null ? 'not logged' : `${(100 * share).toFixed(2)} %`;
}

function memoryRow({ process, peakBytes, limitBytes }: MemoryFacts): string[] {
  return [process, size(peakBytes), limitBytes === null ? '' : size(limitBytes)];
}

function runFacts({ view, rows, faults, totalMs, stepsRunAgain }: RunRecord): RunFacts {
  return {
    experimentId: view.id,
    status: view.status,
    attempts: view.attempts.map((attempt) => {
      const { fence, reason, startStep, lastStep } = attempt;
      return { fence, reason, startStep, lastStep, engine: engineText(attempt) };
    }),
    faults,
    stepsRunAgain,
    testAccuracy: (view.result === null ? undefined : testAccuracy(view.result.lastRow)) ?? null,
    totalSeconds: totalMs / 1_000,
    secondsLost: faults.reduce((sum, { lostMs = 0 }) => sum + lostMs, 0) / 1_000,
    parametersSha256: view.result?.parametersSha256 ?? null,
    logRows: rows.length,
  };
}

function memoryFactsOf(peaks: ReadonlyMap<MemoryRole, number>, limits: MemoryLimits): MemoryFacts[] {
  const roles = ['trainer', 'worker-gpu', 'fuel-preproc', 'api', 'redis'] as const;
  return roles.flatMap((role) => {
    const peakBytes = peaks.get(role);
    return peakBytes === undefined ? [] : [{ process: role, peakBytes, limitBytes: limits.get(role) ?? null }];
  });
}

function secondsSince(moment: Date): number {
  return (Date.now() - moment.getTime()) / 1_000;
}

/** What the figures were measured on. */
function machine(): { cpu: string; cores: number; memoryBytes: number; platform: string; node: string } {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}
