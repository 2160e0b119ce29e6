import type { CheckpointEntry } from './head.js';

/** Which checkpoints are kept, beside those that are held. What one rule keeps counts in the others as if it were kept by them alone. */
export interface RetentionPolicy {
  /** How many of the newest: 1 or more. */
  readonly keepLast: number;
  /** In batches, 1 or more: of the steps from each multiple of it up to the next the first checkpoint is kept for good. Default: none is. */
  readonly keepEvery?: number | undefined;
  /** Those with the best scores. Default: none. */
  readonly keepBest?: BestPolicy | undefined;
}

/** Which scores are the best. */
export interface BestPolicy {
  /** Whether low ones are good, or high ones. */
  readonly mode: 'min' | 'max';
  /** How many are kept: 1 or more. Of equal ones the earlier is the better. */
  readonly count: number;
}

/** @throws RangeError saying what to give; `what` names whose policy it is */
export function checkPolicy(what: string, { keepLast, keepEvery, keepBest }: RetentionPolicy): void {
  for (const [name, value] of [
    ['keepLast', keepLast],
    ['keepEvery', keepEvery ?? 1],
    ['keepBest.count', keepBest?.count ?? 1],
  ] as const) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new RangeError(`${what}: ${name} is ${value}; give an integer of 1 or more`);
  }
}

/**
 * The checkpoints that a policy keeps. What it keeps of all that were ever committed it keeps of those that it has kept before and the next one: so
 * nothing but these has to be known.
 *
 * Only what is verified counts for `keepLast`. One of which nobody knows that it is whole pushes none out: such ones are kept beside them, up to
 * twice as many in all. Of several of one step the newest counts.
 *
 * @param checkpoints newest first, those that were found damaged left out
 */
export function keptBy(
  policy: RetentionPolicy,
  checkpoints: readonly CheckpointEntry[],
  isVerified: (entry: CheckpointEntry) => boolean,
): ReadonlySet<CheckpointEntry> {
  const oldestFirst = newestOfEachStep(checkpoints).toReversed();
  return new Set([
    ...last(policy.keepLast, checkpoints, isVerified),
    ...firstOfEach(policy.keepEvery ?? Infinity, oldestFirst),
    ...(policy.keepBest === undefined ? [] : best(policy.keepBest, oldestFirst)),
  ]);
}

function last(
  keepLast: number,
  checkpoints: readonly CheckpointEntry[],
  isVerified: (entry: CheckpointEntry) => boolean,
): CheckpointEntry[] {
  const kept: CheckpointEntry[] = [];
  const verified = new Set<number>();
  for (const entry of checkpoints) {
    if (verified.size >= keepLast || kept.length >= 2 * keepLast) break;
    if (verified.has(entry.step)) continue;
    kept.push(entry);
    if (isVerified(entry)) verified.add(entry.step);
  }
  return kept;
}

function firstOfEach(batches: number, oldestFirst: readonly CheckpointEntry[]): CheckpointEntry[] {
  const firsts = new Map<number, CheckpointEntry>();
  for (const entry of oldestFirst) {
    const multiple = Math.floor(entry.step / batches);
    // There is nothing to look back to at the beginning.
    if (multiple > 0 && !firsts.has(multiple)) firsts.set(multiple, entry);
  }
  return [...firsts.values()];
}

function best({ mode, count }: BestPolicy, oldestFirst: readonly CheckpointEntry[]): CheckpointEntry[] {
  const worth = ({ score = Number.NaN }: CheckpointEntry): number => (mode === 'min' ? -score : score);
  return oldestFirst
    .filter(({ score }) => score !== undefined)
    .toSorted((a, b) => worth(b) - worth(a))
    .slice(0, count);
}

function newestOfEachStep(checkpoints: readonly CheckpointEntry[]): CheckpointEntry[] {
  const seen = new Set<number>();
  return checkpoints.filter(({ step }) => !seen.has(step) && seen.add(step));
}
