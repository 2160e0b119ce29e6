/** The largest priority number of BullMQ; 1 is the most urgent. */
export const LAST_RANK = 2 ** 21;

/**
 * Ranks for jobs in the order in which they are to run: strictly increasing, 1 to {@link LAST_RANK}. Jobs that have a
 * rank keep it where the order allows; null asks for one. With that, a preempted experiment goes back to its place among
 * jobs that are in the queue already.
 */
export function assignRanks(ranks: readonly (number | null)[]): number[] {
  return between(ranks) ?? evenly(ranks.length);
}

/** Fills the gaps between given ranks; undefined where they are out of order or there is no room. */
function between(ranks: readonly (number | null)[]): number[] | undefined {
  const result: number[] = [];
  for (const [index, rank] of ranks.entries()) {
    const previous = result.at(-1) ?? 0;
    const chosen = rank ?? middle(previous, ranks, index);
    if (chosen <= previous || chosen > LAST_RANK) return undefined;
    result.push(chosen);
  }
  return result;
}

function middle(previous: number, ranks: readonly (number | null)[], index: number): number {
  const offset = ranks.slice(index).findIndex((rank) => rank !== null);
  const next = offset === -1 ? null : (ranks[index + offset] ?? null);
  if (next === null) return previous === 0 ? LAST_RANK / 2 : previous + APPEND_STEP;
  return previous + Math.floor((next - previous) / (offset + 1));
}

function evenly(count: number): number[] {
  const step = Math.floor(LAST_RANK / (count + 1));
  return Array.from({ length: count }, (_, index) => step * (index + 1));
}

/** Room left between neighbours, for those that come back. */
const APPEND_STEP = 1024;
