/** What a plan has to know of a segment. */
export interface PlannedSegment {
  readonly textBytes: number;
  /** It stays as it is, whatever its size. */
  readonly fixed: boolean;
}

/** A segment never gets more text by merging than this. */
export const MAX_SEGMENT_TEXT_BYTES = 32 << 20;

/** How many segments of a tier are merged into one. */
const FAN_OUT = 8;

/** From this size on a segment is final. A merge of smaller ones stays within {@link MAX_SEGMENT_TEXT_BYTES}. */
export const FINAL_TEXT_BYTES = MAX_SEGMENT_TEXT_BYTES / FAN_OUT;

/** Smaller ones are all of the lowest tier. */
const LOWEST_TIER_TEXT_BYTES = 4 << 10;

/**
 * Which neighbours to merge: the segments in groups, each given by its first index and the one after its last. Those of one
 * tier, eight times as large as that below, are merged when there are eight in a row, so that a text is rewritten a
 * logarithmic number of times, and a log has no more than seven segments a tier beside its final ones.
 *
 * A segment counts for the tier of the largest newer one: so small ones are not left behind between large ones for ever.
 */
export function planCompaction(segments: readonly PlannedSegment[]): readonly Group[] {
  let groups = segments.map(({ textBytes, fixed }, index): SizedGroup => ({
    start: index,
    end: index + 1,
    textBytes,
    fixed: fixed || textBytes >= FINAL_TEXT_BYTES,
  }));
  for (;;) {
    const start = firstFullTier(groups);
    if (start === undefined) return groups.map(({ start: from, end }) => ({ start: from, end }));
    groups = [
      ...groups.slice(0, start),
      merged(groups.slice(start, start + FAN_OUT)),
      ...groups.slice(start + FAN_OUT),
    ];
  }
}

/** Segments `start` to `end - 1`. */
export interface Group {
  readonly start: number;
  readonly end: number;
}

interface SizedGroup extends Group, PlannedSegment {}

/** Where the newest row of enough groups of one tier begins. */
function firstFullTier(groups: readonly SizedGroup[]): number | undefined {
  let tier = 0;
  let inRow = 0;
  for (const [index, { textBytes, fixed }] of [...groups.entries()].toReversed()) {
    const own = tierOf(textBytes);
    if (fixed || own > tier) inRow = 0;
    tier = Math.max(tier, own);
    if (fixed) continue;
    inRow += 1;
    if (inRow === FAN_OUT) return index;
  }
  return undefined;
}

function tierOf(textBytes: number): number {
  let tier = 0;
  for (let limit = LOWEST_TIER_TEXT_BYTES; textBytes >= limit && limit < FINAL_TEXT_BYTES; limit *= FAN_OUT) tier += 1;
  return tier;
}

function merged(groups: readonly SizedGroup[]): SizedGroup {
  const textBytes = groups.reduce((sum, group) => sum + group.textBytes, 0);
  const [first] = groups;
  const last = groups.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('merged: there is nothing to merge');
  return { start: first.start, end: last.end, textBytes, fixed: textBytes >= FINAL_TEXT_BYTES };
}
