import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log that has grown over this is put aside as `<name>.1` when its service starts. */
const ROTATE_AT_BYTES = 10 * 1024 * 1024;

/** Opens a service's log for appending, putting a big old one aside; gives the descriptor and where new lines begin. */
export function openLog(path: string): { readonly descriptor: number; readonly startsAt: number } {
  mkdirSync(dirname(path), { recursive: true });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_AT_BYTES) renameSync(path, `${path}.1`);
  const descriptor = openSync(path, 'a', 0o600);
  return { descriptor, startsAt: fstatSync(descriptor).size };
}

/** What was written to the log since `startsAt`: all of it, or its last `maxBytes`. */
export function readLog(path: string, startsAt: number, maxBytes = 64 * 1024): string {
  const descriptor = openSync(path, 'r');
  try {
    const end = fstatSync(descriptor).size;
    const from = Math.max(startsAt, end - maxBytes);
    const bytes = Buffer.alloc(Math.max(0, end - from));
    const length = readSync(descriptor, bytes, 0, bytes.length, from);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** The last `count` lines that are not empty. */
export function lastLines(text: string, count = 12): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}
