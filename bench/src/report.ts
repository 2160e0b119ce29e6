import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** One line of a side-by-side table. */
export interface Row {
  readonly what: string;
  /** Our median, where `what` says nothing else. */
  readonly value: number;
  readonly unit: string;
  /** The peer's in the same run, or null where there is no peer to measure. */
  readonly peer: number | null;
  /** value / peer. */
  readonly ratio: number | null;
  /** What was to be reached, as text: `ratio <= 1.3`; `none` where it is only looked at, which is met. */
  readonly goal: string;
  readonly met: boolean;
}

export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly platform: string;
  };
  /** Load of the machine over the last 1, 5 and 15 minutes when it was done: what ran beside it shows there. */
  readonly load?: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
  /** Whether a row that is not met is a fault, and the process fails by it. Default false: it is a figure. */
  readonly isProof?: boolean;
  /** What could not be measured for want of something on the machine, a sentence each with what to do. */
  readonly missing?: readonly string[];
  /** What was measured, each by itself, where a reader may want to look behind the medians. */
  readonly samples?: Readonly<Record<string, unknown>>;
}

/** The installed version of a package that the workspace depends on. */
export function versionOf(name: string): string {
  const path = join(checkout, 'node_modules', name, 'package.json');
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}

/** The checkout's root: benchmarks start the built processes of the other rooms by path. */
export const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where raw files lie and what is made of them is kept: LONGRUN_STATE, or `.longrun/` of the checkout. */
export const stateFolder = resolve(process.env['LONGRUN_STATE']?.trim() || join(checkout, '.longrun'));

/** A row whose goal is a bound on the ratio to the peer; without one it is not met. */
export function ratioRow(
  what: string,
  unit: string,
  ours: readonly number[],
  peer: readonly number[] | null,
  bound: number,
): Row {
  const value = median(ours);
  const other = peer === null ? null : median(peer);
  const ratio = other === null ? null : value / other;
  return { what, value, unit, peer: other, ratio, goal: `ratio <= ${bound}`, met: ratio !== null && ratio <= bound };
}

/** A row without a goal, which stands beside others. */
export function plainRow(what: string, unit: string, ours: readonly number[], peer: readonly number[]): Row {
  return besideRow(what, unit, median(ours), median(peer));
}

/** A row without a goal of what is no median. */
export function besideRow(what: string, unit: string, value: number, peer: number): Row {
  return { what, value, unit, peer, ratio: value / peer, goal: 'none', met: true };
}

/** A row whose goal is that the value is no more than so much above the peer's. */
export function marginRow(
  what: string,
  unit: string,
  ours: readonly number[],
  peer: readonly number[],
  margin: number,
): Row {
  const [value, other] = [median(ours), median(peer)];
  const goal = `<= peer + ${margin} ${unit}`;
  return { what, value, unit, peer: other, ratio: value / other, goal, met: value <= other + margin };
}

/** A row whose goal is a bound on the value itself. */
export function boundRow(
  what: string,
  unit: string,
  ours: readonly number[],
  peer: readonly number[] | null,
  bound: number,
): Row {
  const value = median(ours);
  const other = peer === null ? null : median(peer);
  return {
    what,
    value,
    unit,
    peer: other,
    ratio: other === null ? null : value / other,
    goal: `<= ${bound} ${unit}`,
    met: value <= bound,
  };
}

/** A row whose goal is that the value itself reaches a bound. */
export function atLeastRow(what: string, unit: string, ours: readonly number[], bound: number): Row {
  const value = median(ours);
  return { what, value, unit, peer: null, ratio: null, goal: `>= ${bound} ${unit}`, met: value >= bound };
}

/** A row whose goal bounds so large a part of all measurements, from 0 to 1: its value is the largest of that part, and the peer's is its own. */
export function quantileRow(
  what: string,
  unit: string,
  ours: readonly number[],
  peer: readonly number[] | null,
  { part, bound }: { readonly part: number; readonly bound: number },
): Row {
  const value = quantile(ours, part);
  const other = peer === null ? null : quantile(peer, part);
  const ratio = other === null ? null : value / other;
  return { what, value, unit, peer: other, ratio, goal: `<= ${bound} ${unit}`, met: value <= bound };
}

/** A row whose goal bounds every single measurement: its value is the largest. */
export function everyRow(what: string, unit: string, ours: readonly number[], bound: number): Row {
  const value = quantile(ours, 1);
  return { what, value, unit, peer: null, ratio: null, goal: `each <= ${bound} ${unit}`, met: value <= bound };
}

/** A row of what was counted, whose goal is one number. */
export function countRow(what: string, value: number, goal: number): Row {
  return { what, value, unit: '', peer: null, ratio: null, goal: `= ${goal}`, met: value === goal };
}

/**
 * The median of at least five measurements.
 *
 * @throws Error when there are fewer: a median of less says too little.
 */
export function median(values: readonly number[]): number {
  if (values.length < 5) throw new Error(`a median of ${values.length} measurements says too little: take at least 5`);
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that so large a part of all, from 0 to 1, does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const value = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(part * values.length) - 1)];
  if (value === undefined) throw new Error('there is no quantile of nothing: measure something');
  return value;
}

export function machine(): Report['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}, Node ${process.version}`,
  };
}

/** Prints the table and writes `bench/results/NAME.json`; where it is a proof that has failed, the process ends with exit code 1. */
export async function publish(name: string, report: Report): Promise<void> {
  console.log(`\n${name} on ${report.machine.cores} × ${report.machine.cpu}, ${report.machine.platform}`);
  console.log(
    Object.entries(report.versions)
      .map(([what, version]) => `${what} ${version}`)
      .join(', '),
  );
  console.table(
    report.rows.map((row) => ({
      what: row.what,
      ours: `${round(row.value)} ${row.unit}`,
      peer: row.peer === null ? '' : `${round(row.peer)} ${row.unit}`,
      ratio: row.ratio === null ? '' : round(row.ratio),
      goal: row.goal,
      met: row.met ? 'yes' : 'NO',
    })),
  );
  for (const sentence of report.missing ?? []) console.log(`not measured: ${sentence}`);
  const path = join(checkout, 'bench', 'results', `${name}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`written to ${path}`);
  if (report.isProof === true && report.rows.some(({ met }) => !met)) process.exitCode = 1;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
