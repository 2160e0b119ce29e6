import { z } from 'zod';

import { sha256Of } from '../sha256.js';
import { freshKey } from '../store/fresh-key.js';
import type { ObjectStore, OperationOptions } from '../store/object-store.js';

/**
 * A part of an experiment's log, which never changes: the entries as lines of JSON, gzipped, in two equal copies. A manifest
 * lists those of its log in the order of arrival.
 */
export interface LogSegment {
  /** Lowest step of its rows. */
  readonly firstStep: number;
  /** Highest step of its rows. */
  readonly lastStep: number;
  /** How many it has: 1 or more. */
  readonly rows: number;
  /** Size of its lines. */
  readonly textBytes: number;
  /** Size of each copy. */
  readonly sizeBytes: number;
  /** SHA-256 of each copy. */
  readonly sha256: string;
  /** Where the copies are in the object store. */
  readonly keys: readonly [string, string];
}

export const logSegmentSchema = z.object({
  firstStep: z.int().nonnegative(),
  lastStep: z.int().nonnegative(),
  rows: z.int().positive(),
  textBytes: z.int().positive(),
  sizeBytes: z.int().positive(),
  sha256: z.string(),
  keys: z.tuple([z.string(), z.string()]),
});

/** Keys of both copies of segments. */
export function segmentKeysOf(segments: readonly LogSegment[]): readonly string[] {
  return segments.flatMap(({ keys }) => keys);
}

/** A segment that is not in the store yet. */
export interface SegmentDraft extends Omit<LogSegment, 'keys'> {
  readonly bytes: Uint8Array;
}

/** Writes both copies of a segment, in the folders of a fence. */
export async function writeSegment(
  store: ObjectStore,
  prefix: string,
  fence: number,
  draft: SegmentDraft,
  options: OperationOptions = {},
): Promise<LogSegment> {
  const { bytes, ...facts } = draft;
  const keys = [
    freshKey(`${prefix}/log/a/${fence}/${draft.sha256}`),
    freshKey(`${prefix}/log/b/${fence}/${draft.sha256}`),
  ] as const;
  for (const key of keys) await store.put(key, bytes, options);
  return { ...facts, keys };
}

/** What was found of a segment. */
export interface SegmentContent {
  /** Undefined if neither copy has them. */
  readonly bytes: Uint8Array | undefined;
  /** The copies that were passed over. */
  readonly damage: readonly DamagedCopy[];
}

/** A copy of a segment that is missing or has changed. */
export interface DamagedCopy {
  readonly key: string;
  /** A sentence without its full stop. */
  readonly reason: string;
}

/**
 * Reads whichever copy of a segment is whole.
 *
 * @param options.mend Looks at both copies, and writes one that is damaged again from the other: the same bytes under the same key. Only for
 * those who may write there. One that cannot be written now stays damaged; that is no error. Default false
 * @throws the store's error if one copy could not be asked for and the other one is not whole: that says nothing about the segment.
 */
export async function readSegment(
  store: ObjectStore,
  { keys, sha256 }: LogSegment,
  { mend = false }: { readonly mend?: boolean } = {},
): Promise<SegmentContent> {
  const damage: DamagedCopy[] = [];
  const failures: unknown[] = [];
  let whole: Uint8Array | undefined;
  for (const key of keys) {
    if (whole !== undefined && !mend) break;
    let bytes: Uint8Array | undefined;
    try {
      bytes = await store.get(key);
    } catch (error) {
      failures.push(error);
      continue;
    }
    const reason = wrongWith(key, bytes, sha256);
    if (reason === undefined) whole = bytes;
    else damage.push({ key, reason });
  }
  if (whole === undefined && failures.length > 0) throw failures[0];
  if (mend && whole !== undefined) for (const { key } of damage) await store.put(key, whole).catch(() => undefined);
  return { bytes: whole, damage };
}

/** Reads both copies of a segment, and says which are damaged. @throws the store's error if one could not be asked for */
export async function damagedCopies(store: ObjectStore, { keys, sha256 }: LogSegment): Promise<readonly DamagedCopy[]> {
  const damage: DamagedCopy[] = [];
  for (const key of keys) {
    const reason = wrongWith(key, await store.get(key), sha256);
    if (reason !== undefined) damage.push({ key, reason });
  }
  return damage;
}

function wrongWith(key: string, bytes: Uint8Array | undefined, sha256: string): string | undefined {
  if (bytes === undefined) return `${key} is missing`;
  return sha256Of(bytes) === sha256 ? undefined : `${key} has other bytes than were committed`;
}
