/**
 * At most three of `candidates`, those first that are most like `name`: names that start and end like it, and differ in less than half of
 * their characters between. Only the first 1,000 candidates are compared. So a path is found again under another brick, or with another name of one.
 */
export function nearestNames(name: string, candidates: Iterable<string>): string[] {
  const near: { readonly candidate: string; readonly likeness: number }[] = [];
  let compared = 0;
  for (const candidate of candidates) {
    if (compared === MOST_COMPARED) break;
    compared += 1;
    const likeness = likenessOf(name, candidate);
    if (likeness > 0.5) near.push({ candidate, likeness });
  }
  return near
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, MOST_NEAREST)
    .map(({ candidate }) => candidate);
}

const MOST_NEAREST = 3;

/** Of thousands of faults each would be compared with thousands of names. */
const MOST_COMPARED = 1_000;

/** The share of the longer name that is the same from the start on and from the end back. */
function likenessOf(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return (start + end) / Math.max(a.length, b.length);
}
