import { isDeepStrictEqual } from 'node:util';
import type { Json, LogEntry } from '@longrun/serialization';

/** What of a run is in the store. */
export interface Ending {
  /** Of all examples that were delivered, in order. */
  readonly rows: readonly LogEntry[];
  /** SHA-256 of the files of the last checkpoint, each read, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** How a run differs from what it must be: all of them 0. */
export interface Differences {
  /** Examples of an epoch that its log has not. */
  readonly lost: number;
  /** Examples that its log has once more. */
  readonly repeated: number;
  /** Rows that have something else than the undisturbed run in their place: another order, or other bytes. */
  readonly changed: number;
  /** Files of the last checkpoint with other bytes. */
  readonly files: number;
}

/** Compares a run with an undisturbed one of the same seed, and with what the epochs of a dataset are. */
export function differences(
  { rows, files }: Ending,
  undisturbed: Ending,
  { examples, epochs }: { readonly examples: number; readonly epochs: number },
): Differences {
  const times = new Map<string, number>();
  for (const { row } of rows) {
    const delivery = keyOf(row['epoch'], row['example']);
    times.set(delivery, (times.get(delivery) ?? 0) + 1);
  }
  let lost = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1)
    for (let example = 0; example < examples; example += 1) if (!times.has(keyOf(epoch, example))) lost += 1;
  const places = Array.from({ length: Math.max(rows.length, undisturbed.rows.length) }, (_, place) => place);
  const names = new Set([...Object.keys(files), ...Object.keys(undisturbed.files)]);
  return {
    lost,
    repeated: rows.length - times.size,
    changed: places.filter((place) => !isDeepStrictEqual(rows[place], undisturbed.rows[place])).length,
    files: [...names].filter((name) => files[name] !== undisturbed.files[name]).length,
  };
}

function keyOf(epoch: Json | undefined, example: Json | undefined): string {
  return JSON.stringify([epoch, example]);
}

/** What an attempt has said of its commits. */
export interface Acknowledged {
  readonly fence: number;
  /** The step that it went on from; undefined where it has not come so far. */
  readonly restored: number | undefined;
  /** The last step of which it knew that it is committed; 0 where there is none. */
  readonly committed: number;
}

/**
 * How many attempts have gone on from an earlier step than one that was acknowledged to an attempt before, and are in no log for it: what
 * was lost was done again, with the same numbers.
 */
export function gonesBack(attempts: readonly Acknowledged[]): number {
  return attempts.filter(({ fence, restored = Infinity }) =>
    attempts.some((before) => before.fence < fence && before.committed > restored),
  ).length;
}
