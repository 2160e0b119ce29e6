import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { environmentWithoutSecrets } from '../configuration/hidden-environment.js';
import { markedProcesses } from './attempt-mark.js';
import { isHidden, readProcessFile, STARTED_FIELD, statFieldsIn } from './stat-fields.js';

/** What it runs can be looked at by whoever is the same user. */
const run = async (command: string, args: readonly string[]) =>
  await promisify(execFile)(command, args, { env: environmentWithoutSecrets(process.env) });

/** One process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the kernel started it, in the kernel's own words. */
  readonly started: string;
}

/**
 * The identity of a living process, or undefined when there is none with this number (a zombie counts as gone). Rejects where that
 * cannot be told.
 */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === 'linux') {
    const fields = statFields(pid);
    const state = fields?.[0];
    const started = fields?.[STARTED_FIELD];
    return started === undefined || state === 'Z' || state === 'X' ? undefined : { pid, started };
  }
  const started = await ps(pid, 'lstart=');
  return started === undefined ? undefined : { pid, started };
}

/** Whether exactly this process, and not a later one with its number, still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.started === identity.started;
}

/** The living direct children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  return (await processTable()).filter(({ parent }) => parent === pid).map((entry) => entry.pid);
}

/**
 * The living processes of a process group, its leader included. What a worker's attempts run is in groups of its own, and is counted
 * to the worker's group here.
 */
export async function membersOf(group: number): Promise<number[]> {
  const table = await processTable();
  const members = new Set(table.filter((entry) => entry.group === group).map((entry) => entry.pid));
  for (const { pid, mark } of await markedProcesses(table)) if (mark.worker.pid === group) members.add(pid);
  return [...members];
}

/** Processor time that the living processes of a group, and those that they have waited for, have used, in seconds. */
export async function cpuSecondsOf(group: number): Promise<number> {
  if (process.platform === 'linux') {
    const each = (await membersOf(group)).map((pid) => cpuSecondsIn(statFields(pid)));
    return each.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0);
  }
  const { stdout } = await run('ps', ['-A', '-o', 'pgid=,time=']);
  return stdout.split('\n').reduce((sum, line) => {
    const [ofGroup, time = ''] = line.trim().split(/\s+/);
    return Number(ofGroup) === group ? sum + secondsIn(time) : sum;
  }, 0);
}

/**
 * Processor time that one process, and those that it has waited for, have used, in seconds: what it did, however busy the machine is.
 * Undefined when it is gone. Rejects where that cannot be told.
 */
export async function cpuSecondsOfProcess(pid: number): Promise<number | undefined> {
  if (process.platform === 'linux') return cpuSecondsIn(statFields(pid));
  const time = await ps(pid, 'time=');
  return time === undefined ? undefined : secondsIn(time);
}

function cpuSecondsIn(fields: readonly string[] | undefined): number | undefined {
  return fields?.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / TICKS_PER_SECOND, 0);
}

/** Of a time as `ps` writes it: `1-02:03:04`. */
function secondsIn(time: string): number {
  return time.split(/[:-]/).reduce((all, part) => 60 * all + Number(part), 0);
}

/** USER_HZ: what /proc counts in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * The most physical memory the process has had so far, in bytes: the kernel's high-water mark on Linux, the present
 * resident size elsewhere (sample it often there). Undefined when the process is gone.
 */
export async function peakMemoryBytes(pid: number): Promise<number | undefined> {
  if (process.platform === 'linux') {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readProcessFile(pid, 'status') ?? '')?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  }
  const kibibytes = await ps(pid, 'rss=');
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Asks a process to end with SIGTERM and ends it with SIGKILL when it has not obeyed in time. */
export async function stopProcess(identity: ProcessIdentity, options: { readonly timeoutMs: number }): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isAlive(identity))) return;
    sendSignal(identity.pid, signal);
    const deadline = performance.now() + options.timeoutMs;
    while (performance.now() < deadline) {
      if (!(await isAlive(identity))) return;
      await sleep(50);
    }
  }
  throw new Error(`process ${identity.pid} is still there after SIGKILL; look at it with \`ps -p ${identity.pid}\``);
}

/**
 * Resolves when nothing of a process group is left, whose leader has ended: a worker that was killed leaves a trainer,
 * which ends by itself when it notices. What is still there after the time-out gets SIGKILL.
 */
export async function endGroup(group: number, options: { readonly timeoutMs: number }): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const members = await membersOf(group);
    if (members.length === 0) return;
    if (performance.now() > deadline) {
      for (const pid of members) sendSignal(pid, 'SIGKILL');
      return;
    }
    await sleep(100);
  }
}

/** Sends a signal; a process (or group, by a negative number) that is gone already, or is not ours to end, is not an error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error;
  }
}

/** One row of the process table. */
export interface ProcessEntry extends ProcessIdentity {
  readonly parent: number;
  /** Number of its process group. */
  readonly group: number;
  /** Number of its session; 0 where the system does not say. */
  readonly session: number;
}

/**
 * All living processes that may be looked at, but the kernel's own; those that have ended and only wait to be reaped are left out.
 */
export async function processTable(): Promise<ProcessEntry[]> {
  if (process.platform === 'linux') {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const table: ProcessEntry[] = [];
    for (const [index, pid] of pids.entries()) {
      // Thousands are not to keep everything else waiting.
      if (index % 200 === 199) await turn();
      const fields = shownFields(pid);
      const [state = 'X', parent, group, session] = fields ?? [];
      if ('ZX'.includes(state) || (Number(fields?.[FLAGS_FIELD]) & KERNEL_THREAD) !== 0) continue;
      const started = fields?.[STARTED_FIELD] ?? '';
      table.push({ pid, started, parent: Number(parent), group: Number(group), session: Number(session) });
    }
    return table;
  }
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart=']);
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, group, state, ...started] = line.trim().split(/\s+/);
    if (state === undefined || state.startsWith('Z')) return [];
    const numbers = { pid: Number(pid), parent: Number(parent), group: Number(group) };
    return [{ ...numbers, session: 0, started: started.join(' ') }];
  });
}

/** Where among the fields of its stat the flags of a process stand, and the one that the kernel's own have. */
const FLAGS_FIELD = 6;
const KERNEL_THREAD = 0x0020_0000;

function statFields(pid: number): string[] | undefined {
  const stat = readProcessFile(pid, 'stat');
  return stat === undefined ? undefined : statFieldsIn(stat);
}

/** The same; nothing also of one that is hidden from this user. */
function shownFields(pid: number): string[] | undefined {
  try {
    return statFields(pid);
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  }
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  const answer = await run('ps', ['-o', column, '-p', String(pid)]).catch(() => undefined);
  return answer?.stdout.trim() || undefined;
}
