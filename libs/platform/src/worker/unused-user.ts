import { readFile } from 'node:fs/promises';
import type { ChildUser } from './view.js';

/** What the system says of the numbers of users and groups, as it stands in its files. */
export interface KnownNumbers {
  /** `/proc/self/uid_map` and `gid_map`: which numbers exist here. */
  readonly maps: readonly string[];
  /** `/etc/passwd` and `/etc/group`: which have a name. */
  readonly names: readonly string[];
}

/** A user for the children of a worker. */
export interface UnusedUser extends ChildUser {
  /** No other worker here has it. */
  readonly isOwn: boolean;
}

/** The user without rights that every system has. Where others are it too, nothing keeps them apart. */
export const NOBODY = 65_534;

/**
 * A user of the worker with this process id alone: in a range that no user is given out from, or where such numbers do not exist here,
 * in the largest range that does, from the top, without those that have a name. {@link NOBODY} where there is none.
 */
export function unusedUser(pid: number, { maps, names }: KnownNumbers): UnusedUser {
  const ranges = maps.map(rangesIn).reduce(overlaps);
  const named = new Set([...names.flatMap(numbersIn), ...RESERVED]);
  const preferred = FIRST_NUMBER + pid;
  if (ranges.some(({ first, end }) => preferred >= first && preferred < end) && !named.has(preferred))
    return userOf(preferred, true);
  const [largest] = ranges.toSorted((a, b) => b.end - b.first - (a.end - a.first));
  if (largest === undefined) return userOf(NOBODY, false);
  const { first, end } = largest;
  const taken = [...named].filter((number) => number >= first && number < end).toSorted((a, b) => b - a);
  const free = end - first - taken.length;
  if (free === 0) return userOf(NOBODY, false);
  let number = end - 1 - (pid % free);
  for (const one of taken) if (one >= number) number -= 1;
  // With more processes than numbers two workers may come to the same.
  return userOf(number, pid < free);
}

/** Reads what {@link unusedUser} needs to know. What cannot be read says nothing. */
export async function knownNumbers(): Promise<KnownNumbers> {
  const [maps, names] = await Promise.all([
    Promise.all(['/proc/self/uid_map', '/proc/self/gid_map'].map(read)),
    Promise.all(['/etc/passwd', '/etc/group'].map(read)),
  ]);
  return { maps, names };
}

async function read(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

const FIRST_NUMBER = 1_900_000_000;
/** Root, nobody, and what is no user where numbers have 16 bits. */
const RESERVED = [0, NOBODY, 65_535];

interface Range {
  readonly first: number;
  /** The first number after it. */
  readonly end: number;
}

function rangesIn(map: string): Range[] {
  return [...map.matchAll(/^\s*(\d+)\s+\d+\s+(\d+)\s*$/gm)].map(([, first, count]) => ({
    first: Number(first),
    end: Number(first) + Number(count),
  }));
}

function overlaps(some: readonly Range[], others: readonly Range[]): Range[] {
  return some.flatMap((one) =>
    others
      .map((other) => ({ first: Math.max(one.first, other.first), end: Math.min(one.end, other.end) }))
      .filter(({ first, end }) => first < end),
  );
}

/** The third field of each line. */
function numbersIn(file: string): number[] {
  return [...file.matchAll(/^[^:\n]*:[^:\n]*:(\d+):/gm)].map(([, number]) => Number(number));
}

function userOf(number: number, isOwn: boolean): UnusedUser {
  return { uid: number, gid: number, isOwn };
}
