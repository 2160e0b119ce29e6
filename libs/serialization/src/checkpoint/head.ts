import { z } from 'zod';

import { type LogSegment, logSegmentSchema } from '../log/log-segment.js';
import { type Json, NewerState, StateMismatch } from '../state.js';
import { StateKind } from '../state-kind.js';
import { type ObjectStore, RegisterDamaged } from '../store/object-store.js';
import { decodeVersionedJson, parsedJson } from './versioned-json.js';

/** A committed checkpoint, as the head names it. */
export interface CheckpointEntry {
  readonly manifestKey: string;
  /** Where the manifest is once more, if it is kept twice. */
  readonly copyKey?: string | undefined;
  /** SHA-256 of the manifest's bytes. */
  readonly sha256: string;
  readonly step: number;
  /** How good it is, by whatever measure it was committed with; finite. */
  readonly score?: number | undefined;
  /** What keeps it, however old it is: one or more. */
  readonly holds?: readonly Hold[] | undefined;
}

/** Somebody needs a checkpoint. */
export interface Hold {
  /** Who, or for what; no two of one checkpoint have the same. */
  readonly name: string;
  /** When it ends by itself, as ISO 8601. Default: never. */
  readonly until?: string | undefined;
}

/** All rows of a run, some of them in no checkpoint. */
export interface RunLog {
  /** Of the attempt that logged the last of them. */
  readonly fence: number;
  /** When they were kept, as ISO 8601. */
  readonly createdAt: string;
  /** Oldest first. */
  readonly log: readonly LogSegment[];
}

/** What is true of an experiment's bytes: who may write, which checkpoints there are, and how it ended. */
export interface Head {
  readonly version: 3;
  /** Of the newest lease. Only its holder may write. */
  readonly fence: number;
  /** Who took it, also after it was released. */
  readonly holder: string;
  /** Unique to the taking of the lease; {@link RELEASED} once nobody holds it. */
  readonly claim: string;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointEntry[];
  /** All rows, of an attempt that has ended and logged after its last checkpoint; null where none has, or a later one has committed. */
  readonly log: RunLog | null;
  /** Null until the experiment has ended; then no lease can be taken any more. */
  readonly outcome: Json;
}

/** The head is no head any more: nothing can be committed, claimed or ended through it. Its checkpoints may be whole. */
export class HeadDamaged extends StateMismatch {
  override readonly name = 'HeadDamaged';
}

/** The head under a prefix, or undefined if no lease was ever taken. @throws HeadDamaged; NewerState if a newer build has written it */
export async function readHead(store: ObjectStore, prefix: string): Promise<Head | undefined> {
  return (await readVersionedHead(store, prefix))?.head;
}

/** The head and the version of its register. */
export async function readVersionedHead(
  store: ObjectStore,
  prefix: string,
): Promise<{ readonly head: Head; readonly version: string } | undefined> {
  const key = headKey(prefix);
  try {
    const value = await store.readRegister(key);
    if (value === undefined) return undefined;
    return { head: decodeVersionedJson(key, value.bytes, HEAD, headSchema), version: value.version };
  } catch (error) {
    const isDamage = error instanceof StateMismatch || error instanceof RegisterDamaged;
    if (!isDamage || error instanceof NewerState) throw error;
    throw new HeadDamaged(error.message, { cause: error });
  }
}

/**
 * What is found by following a head. Whoever holds the lease may remove what the head named when it was read: where what was found is
 * doubtful, as something was missing or had changed, and the head names other checkpoints by now, it is looked for anew.
 */
export async function foundFromHead<T>(
  store: ObjectStore,
  prefix: string,
  look: (head: Head | undefined) => Promise<{ readonly found: T; readonly isDoubtful: boolean }>,
): Promise<T> {
  for (;;) {
    const head = await readHead(store, prefix);
    const { found, isDoubtful } = await look(head);
    if (!isDoubtful || sameCheckpoints(head, await readHead(store, prefix))) return found;
  }
}

/** The claim in the head of a lease that was released: nobody's. Builds that know of no release take it for another's claim. */
export const RELEASED = '';

/** Whether the holder of the newest lease has handed it back: nobody writes under it any more. */
export function isReleased({ claim }: Head): boolean {
  return claim === RELEASED;
}

/** Where the manifest of a checkpoint is. */
export function manifestKeysOf({ manifestKey, copyKey }: CheckpointEntry): readonly string[] {
  return copyKey === undefined ? [manifestKey] : [manifestKey, copyKey];
}

/** Where the head lies. */
export function headKey(prefix: string): string {
  return `${prefix}/head.json`;
}

/**
 * The bytes of a head; equal heads make equal bytes. What version 2 can say is written in that, which earlier builds read; one that has more is
 * refused by them: they would lose it with their next commit.
 */
export function encodeHead({ fence, holder, claim, checkpoints, log, outcome }: Head): Uint8Array {
  const isPlain = checkpoints.every(({ score, holds }) => score === undefined && holds === undefined);
  const entries = checkpoints.map(({ manifestKey, copyKey, sha256, step, score, holds }) => ({
    manifestKey,
    copyKey,
    sha256,
    step,
    score,
    holds: holds?.map(({ name, until }) => ({ name, until })),
  }));
  const head = { version: isPlain ? 2 : 3, fence, holder, claim, checkpoints: entries, log, outcome };
  return Buffer.from(`${JSON.stringify(head, null, 1)}\n`);
}

/** Whether two heads say the same, holds aside: anybody puts these on and takes them off. */
export function sameButHolds(a: Head, b: Head): boolean {
  return Buffer.compare(encodeHead(withoutHolds(a)), encodeHead(withoutHolds(b))) === 0;
}

function withoutHolds(head: Head): Head {
  return { ...head, checkpoints: head.checkpoints.map(({ holds: _holds, ...entry }) => entry) };
}

/** A checkpoint that is held, or not any more, is the same. */
function sameCheckpoints(a: Head | undefined, b: Head | undefined): boolean {
  const keysOf = (head: Head | undefined): string =>
    JSON.stringify(head?.checkpoints.map(({ sha256, manifestKey }) => [sha256, manifestKey]));
  return keysOf(a) === keysOf(b);
}

const HEAD = new StateKind('head', {
  version: 3,
  namedSince: Infinity,
  migrations: [
    // The first version called the fence an epoch.
    { from: 1, migrate: ({ epoch = null, ...rest }) => ({ ...rest, version: 2, fence: epoch }) },
    // The first heads of version 2 had no log; none had scores or holds.
    { from: 2, migrate: (state) => ({ log: null, ...state, version: 3 }) },
  ],
});

const headSchema: z.ZodType<Head> = z.object({
  version: z.literal(3),
  fence: z.int().nonnegative(),
  holder: z.string(),
  claim: z.string(),
  checkpoints: z.array(
    z.object({
      manifestKey: z.string(),
      // Earlier builds had none.
      copyKey: z.string().optional(),
      sha256: z.string(),
      step: z.int().nonnegative(),
      score: z.number().optional(),
      holds: z
        .array(z.object({ name: z.string(), until: z.iso.datetime({ offset: true }).optional() }))
        .min(1)
        .optional(),
    }),
  ),
  log: z.object({ fence: z.int().nonnegative(), createdAt: z.string(), log: z.array(logSegmentSchema) }).nullable(),
  outcome: parsedJson,
});
