import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A file is being written by another process, for longer than was waited; the sentence says by which, and what to do. */
export class WriterLockHeld extends Error {
  override readonly name = 'WriterLockHeld';
}

/** Options of {@link withWriterLock}. */
export interface WriterLockOptions {
  /** How long to wait for another process. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Does something with a file while no other process does, of those that ask here. Blocks the thread while it waits. A process that was killed meanwhile holds nothing.
 *
 * The lock is the folder `<file>.writer`, and whoever has a claim in it holds it: a file named after the process. A folder with one's own claim is put in its place by
 * renaming, which the file system refuses where there is a claim already. So the claim of a dead process is taken away by its name, which can hit no other one.
 *
 * @throws WriterLockHeld after `timeoutMs`
 */
export function withWriterLock<T>(file: string, action: () => T, { timeoutMs = 30_000 }: WriterLockOptions = {}): T {
  const folder = `${file}.writer`;
  const claim = [hostname(), process.pid, startOf(process.pid), randomUUID()].join('~');
  const waitUntil = performance.now() + timeoutMs;
  while (!take(folder, claim)) {
    const holder = dropDeadClaims(folder);
    if (holder === undefined) continue;
    if (performance.now() > waitUntil) throw new WriterLockHeld(sentenceOf(file, holder));
    Atomics.wait(SLEEPER, 0, 0, PAUSE_MS);
  }
  try {
    return action();
  } finally {
    unlinkSync(join(folder, claim));
  }
}

const PAUSE_MS = 3;
const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

/** False when another process has it. */
function take(folder: string, claim: string): boolean {
  const draft = `${folder}-${claim}`;
  mkdirSync(draft, { recursive: true });
  try {
    writeFileSync(join(draft, claim), '');
    renameSync(draft, folder);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) return false;
    throw error;
  }
}

/** Takes away what dead processes have left; a claim of one that lives, or undefined where there is none. */
function dropDeadClaims(folder: string): string | undefined {
  for (const claim of claimsIn(folder)) {
    if (!isDead(claim)) return claim;
    rmSync(join(folder, claim), { force: true });
  }
  return undefined;
}

function claimsIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function isDead(claim: string): boolean {
  const [host, pid, start] = claim.split('~');
  return host === hostname() && startOf(Number(pid)) !== start;
}

/** When a process began: in ticks since the machine did, where the system says it, so that a number that is used again is another process. Empty when it is gone. */
function startOf(pid: number): string {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return 'ZX'.includes(state) ? '' : (fields[STARTED_AFTER_STATE] ?? '');
    }
    process.kill(pid, 0);
    return 'lives';
  } catch (error) {
    return hasCode(error, 'EPERM', 'EACCES') ? 'lives' : '';
  }
}

/** In `/proc/<pid>/stat`, `starttime` is the 22nd field, `state` the third. */
const STARTED_AFTER_STATE = 18;

function sentenceOf(file: string, claim: string): string {
  const [host, pid] = claim.split('~');
  const who = host === hostname() ? `process ${pid}` : `process ${pid} of ${host}, which cannot be asked from here`;
  return `${file} is being written by ${who}; stop that process, or delete ${join(`${file}.writer`, claim)} if it is surely gone`;
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
