import type { Json } from '../state.js';
import { type ObjectStore, PreconditionFailed } from '../store/object-store.js';
import { encodeHead, type Head, HeadDamaged, headKey, readVersionedHead, RELEASED } from './head.js';
import { checkOutcome } from './lease.js';

/** What is left in the place of a run's head. */
export interface Tombstone {
  /** Issued by the record, above those of its attempts. */
  readonly fence: number;
  /** Who removes the run, for people. */
  readonly holder: string;
  /** What whoever still wants the lease is told that it has ended with; not null. */
  readonly outcome: Json;
  /** Aborted, nothing more is removed: it throws the reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes all that a run has under its prefix, and leaves in the place of its head a tombstone, which is a head of some hundred bytes without checkpoints: with
 * its outcome and a higher fence nobody can take the lease or commit again, and a worker that wakes up late finds that what it has put is garbage.
 *
 * It can be done again at any time, as after a crash. A head that is damaged is replaced, too; one of a newer build is not.
 *
 * @throws DeletionFailed, or what else the store throws: try again. NewerState
 */
export async function removeRun(store: ObjectStore, prefix: string, tombstone: Tombstone): Promise<void> {
  const { signal } = tombstone;
  checkOutcome(prefix, tombstone.outcome);
  await bury(store, prefix, tombstone);
  let keys: string[] = [];
  for await (const { key } of store.list(`${prefix}/`, { signal })) {
    if (key === headKey(prefix)) continue;
    keys.push(key);
    if (keys.length < BATCH) continue;
    await store.delete(keys, { signal });
    keys = [];
  }
  if (keys.length > 0) await store.delete(keys, { signal });
}

/** Nobody writes under the prefix from here on: whoever held the lease has lost it. */
async function bury(store: ObjectStore, prefix: string, { fence, holder, outcome }: Tombstone): Promise<void> {
  for (;;) {
    const current = await replaceableHead(store, prefix);
    if (current !== undefined && isTombstone(current.head)) return;
    const head: Head = {
      version: 3,
      fence: Math.max(fence, (current?.head.fence ?? 0) + 1),
      holder,
      claim: RELEASED,
      checkpoints: [],
      log: null,
      outcome,
    };
    try {
      await store.compareAndSet(headKey(prefix), current?.version ?? null, encodeHead(head));
      return;
    } catch (error) {
      // Somebody has put a hold on a checkpoint, or does the same.
      if (!(error instanceof PreconditionFailed)) throw error;
    }
  }
}

/** Whether a head says no more than that nobody writes here: so does that of a run that ended before it began. */
function isTombstone({ outcome, checkpoints, log }: Head): boolean {
  return outcome !== null && checkpoints.length === 0 && log === null;
}

/** The head, or undefined where there is none; one that is damaged is removed, as nothing can be set in its place. */
async function replaceableHead(
  store: ObjectStore,
  prefix: string,
): Promise<{ readonly head: Head; readonly version: string } | undefined> {
  try {
    return await readVersionedHead(store, prefix);
  } catch (error) {
    if (!(error instanceof HeadDamaged)) throw error;
    await store.delete([headKey(prefix)]);
    return undefined;
  }
}

/** How many objects are removed in one request. */
const BATCH = 1_000;
