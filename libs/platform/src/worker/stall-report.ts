import { readdir, readFile } from 'node:fs/promises';
import { assertNever, type Whereabouts } from '@longrun/contracts';
import type { ProgressWatch } from './progress-watch.js';
import type { SupervisedChild } from './supervised-child.js';

/** What is said of a child that makes no progress. */
export interface StallReport {
  /** A sentence for the user. */
  readonly message: string;
  /** Where it stands, for the log: its stack, or what can be had in its place. */
  readonly lines: readonly string[];
}

export interface StallReportOptions {
  /** What to call the child: `trainer`. */
  readonly name: string;
  /** How long its watchdog may take to say where it stands, in ms. Default 40,000: it gives up on the main thread itself before. */
  readonly answerWithinMs?: number;
}

/** Finds out where a child stands that makes no progress. The child is left as it is. */
export async function stallReport(
  child: SupervisedChild,
  watch: ProgressWatch,
  { name, answerWithinMs = ANSWER_WITHIN_MS }: StallReportOptions,
): Promise<StallReport> {
  const { silentMs, unheardMs, limitMs, suspendedLimitMs, medianStepMs } = watch;
  const isUnheard = silentMs - unheardMs < limitMs;
  const found = await child.whereabouts(answerWithinMs);
  const at = found === undefined ? '' : `; it is at: ${found.place}`;
  const median = medianStepMs === undefined ? '' : `, and the median step takes ${seconds(medianStepMs)}`;
  const silence = isUnheard
    ? `${seconds(silentMs)}, for ${seconds(unheardMs)} of them no sign of life either`
    : seconds(silentMs - unheardMs);
  const limit = seconds(isUnheard ? suspendedLimitMs : limitMs);
  return {
    message: `The ${name} has shown no progress for ${silence}, which is as long as it may (${limit}${median})${at}.`,
    lines: found === undefined ? await silentLines(name, child.pid) : await linesOf(found, name, child.pid),
  };
}

const ANSWER_WITHIN_MS = 40_000;

async function linesOf(found: Whereabouts, name: string, pid: number | undefined): Promise<string[]> {
  const awaits = found.awaits.join(', ') || 'nothing';
  switch (found.found) {
    case 'in_code':
      return [
        `The stack of the ${name}, whose event loop has open: ${awaits}`,
        ...found.frames.map((one) => `    ${one}`),
      ];
    case 'idle':
      return [
        `The event loop of the ${name} is idle, so that there is no stack: it awaits what does not come. Open are: ${awaits}`,
      ];
    case 'no_answer':
      return await nativeLines(name, pid);
    default:
      return assertNever(found.found, 'whereabouts');
  }
}

async function nativeLines(name: string, pid: number | undefined): Promise<string[]> {
  return [`The ${name} is in a native call, of which no stack can be taken. Its threads:`, ...(await threadLines(pid))];
}

async function silentLines(name: string, pid: number | undefined): Promise<string[]> {
  return [
    `The watchdog of the ${name} does not answer: its process is stopped, has closed the line to its worker, or never came so far. Its threads:`,
    ...(await threadLines(pid)),
  ];
}

/** Where JavaScript cannot be reached, Linux can say only what the threads do. */
async function threadLines(pid: number | undefined): Promise<string[]> {
  const folder = `/proc/${pid}/task`;
  const tasks = pid === undefined ? [] : await readdir(folder).catch(() => []);
  return await Promise.all(
    tasks.slice(0, SHOWN_THREADS).map(async (task) => {
      const status = await textOf(`${folder}/${task}/status`);
      const waitsIn = (await textOf(`${folder}/${task}/wchan`)).replace(/^0$/, '');
      const title = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? task;
      const state = /^State:\s+(.*)$/m.exec(status)?.[1] ?? 'unknown';
      return `    ${title}: ${state}${waitsIn === '' ? '' : `, in ${waitsIn}`}`;
    }),
  );
}

const SHOWN_THREADS = 24;

async function textOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(3))} s`;
}
