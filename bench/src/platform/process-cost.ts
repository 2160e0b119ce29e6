import { readFileSync } from 'node:fs';

/** Seconds of CPU, user and system, that a process has used, with its children that have ended. Linux. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name, in parentheses, may hold spaces; the four times are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** The most memory that a process ever held, in MB (10^6 bytes). Linux. */
export function peakMegabytesOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no VmHWM: has the process ended?`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** `getconf CLK_TCK`, which is this on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
