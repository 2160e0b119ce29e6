import { jitteredPause } from '../jittered-pause.js';
import { type ObjectStore, PreconditionFailed } from '../store/object-store.js';
import { CheckpointAbsent, namesIn, nothingThere } from './checkpoint-reader.js';
import { type CheckpointEntry, encodeHead, type Head, headKey, type Hold, readVersionedHead } from './head.js';

/** The name of a hold that a person has put on, and takes off. A fork has `fork <id>`, a download `download <uuid>`. */
export const PIN = 'pin';

/** A checkpoint has as many holds as it may have. */
export class TooManyHolds extends Error {
  override readonly name = 'TooManyHolds';
  /** How many it has. */
  readonly holds: number;

  constructor({ manifestKey, holds = [] }: CheckpointEntry, refused: string) {
    super(
      `checkpoint ${manifestKey} has ${holds.length} holds, which is the most; release some before you put on ${refused}, or wait until ` +
        `they have passed`,
    );
    this.holds = holds.length;
  }
}

/**
 * Keeps a checkpoint for as long as it is held, whatever is committed after it: no commit drops one that is held, nor removes any of its
 * bytes. To be put on before the bytes are read. It needs no lease, and takes nothing from whoever has it, nor from an outcome.
 *
 * Put on again under the same name, a hold lasts until the later of the two. One that has passed, by the clock of whoever looks, keeps nothing any more.
 *
 * @param which A step, of which the newest checkpoint is meant, or the key of a manifest
 * @returns the checkpoint as the head names it now
 * @throws CheckpointAbsent if there is none such, or none any more; TooManyHolds where others have 1,000 on it; RangeError for a name or a time
 * that is none; HeadDamaged. What else the store throws says nothing: try again
 */
export async function holdCheckpoint(
  store: ObjectStore,
  prefix: string,
  which: number | string,
  hold: Hold,
): Promise<CheckpointEntry> {
  const checked = checkedHold(hold);
  return changeEntry(store, prefix, which, (entry, nowMs) => {
    const present = withPresentHolds(entry, nowMs);
    const { holds = [] } = present;
    const before = holds.find(({ name }) => name === checked.name);
    const others = holds.filter((each) => each !== before);
    if (others.length >= MOST_HOLDS) throw new TooManyHolds(present, checked.name);
    return [...others, before === undefined ? checked : longerOf(before, checked)];
  });
}

/**
 * Takes a hold off a checkpoint. If nothing else keeps it, the next commit drops it; once the experiment has ended there is none.
 *
 * @param which As of {@link holdCheckpoint}; of a step the newest checkpoint that has the hold
 * @returns whether it was held by that name
 * @throws CheckpointAbsent if there is no such checkpoint, or none any more; HeadDamaged
 */
export async function releaseCheckpoint(
  store: ObjectStore,
  prefix: string,
  which: number | string,
  name: string,
): Promise<boolean> {
  let wasHeld = false;
  const isIt = (hold: Hold): boolean => hold.name === name;
  const prefer = ({ holds = [] }: CheckpointEntry): boolean => holds.some(isIt);
  await changeEntry(
    store,
    prefix,
    which,
    ({ holds = [] }) => {
      // Of a try whose answer was lost it is known all the same.
      wasHeld ||= holds.some(isIt);
      return holds.filter((hold) => !isIt(hold));
    },
    prefer,
  );
  return wasHeld;
}

/** Whether anybody needs a checkpoint, at a time in ms since 1970. */
export function isHeld({ holds = [] }: CheckpointEntry, nowMs: number): boolean {
  return holds.some((hold) => lasts(hold, nowMs));
}

/** A checkpoint without the holds that have passed. */
export function withPresentHolds(entry: CheckpointEntry, nowMs: number): CheckpointEntry {
  const { holds, ...rest } = entry;
  const present = holds?.filter((hold) => lasts(hold, nowMs)) ?? [];
  return present.length === 0 ? rest : { ...rest, holds: present };
}

async function changeEntry(
  store: ObjectStore,
  prefix: string,
  which: number | string,
  change: (entry: CheckpointEntry, nowMs: number) => readonly Hold[],
  prefer: (entry: CheckpointEntry) => boolean = () => false,
): Promise<CheckpointEntry> {
  for (let failures = 0; ;) {
    const current = await readVersionedHead(store, prefix);
    if (current === undefined) throw nothingThere(store, prefix);
    const { head, version } = current;
    const meant = entryOf(head, prefix, which, prefer);
    const nowMs = Date.now();
    const changed = withPresentHolds({ ...meant, holds: change(meant, nowMs) }, nowMs);
    const checkpoints = head.checkpoints.map((entry) => (entry === meant ? changed : withPresentHolds(entry, nowMs)));
    const bytes = encodeHead({ ...head, checkpoints });
    // Also where the answer to an earlier round was lost.
    if (Buffer.compare(bytes, encodeHead(head)) === 0) return changed;
    try {
      await store.compareAndSet(headKey(prefix), version, bytes);
      return changed;
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
    }
    failures += 1;
    // Whoever commits does not pause, and so gets through.
    await jitteredPause(failures, PAUSE_MS);
  }
}

function entryOf(
  head: Head,
  prefix: string,
  which: number | string,
  prefer: (entry: CheckpointEntry) => boolean,
): CheckpointEntry {
  const meant = head.checkpoints.filter(({ step, manifestKey }) => which === step || which === manifestKey);
  const found = meant.find(prefer) ?? meant[0];
  if (found !== undefined) return found;
  const known = namesIn(head);
  const names = known.join(', ') || 'none';
  const what = typeof which === 'number' ? `of step ${which}` : which;
  throw new CheckpointAbsent(
    `${prefix} has no checkpoint ${what}, or not any more; it has ${names} (each <step>-<fence>)`,
    known,
  );
}

function checkedHold({ name, until }: Hold): Hold {
  if (!NAME.test(name)) {
    throw new RangeError(`hold: its name is ${JSON.stringify(name)}; give 1 to 200 printable characters of ASCII`);
  }
  if (until === undefined) return { name };
  const untilMs = Date.parse(until);
  // Later years have more than four digits, which nobody would read from a head.
  if (Number.isNaN(untilMs) || untilMs <= Date.now() || untilMs > LATEST_MS) {
    throw new RangeError(
      `hold ${name}: until is ${JSON.stringify(until)}; give a time to come, as ISO 8601, before the year 10000`,
    );
  }
  return { name, until: new Date(untilMs).toISOString() };
}

function longerOf(a: Hold, b: Hold): Hold {
  return endOf(a) > endOf(b) ? a : b;
}

function lasts(hold: Hold, nowMs: number): boolean {
  return endOf(hold) > nowMs;
}

/** In ms since 1970. */
function endOf({ until }: Hold): number {
  return until === undefined ? Infinity : Date.parse(until);
}

const NAME = /^[\x20-\x7E]{1,200}$/u;
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');
/** Of the order of one write of a head: of many that come at once few meet again. */
const PAUSE_MS = 10;
const MOST_HOLDS = 1_000;
