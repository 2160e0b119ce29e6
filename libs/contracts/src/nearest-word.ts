/**
 * The word of `known` that `word` was probably meant to be, or undefined when none is near: case and separators do not
 * count, and at most a third of its characters may be wrong, missing, added or swapped with a neighbour.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const [nearest] = byDistance(word, known);
  if (nearest === undefined) return undefined;
  return nearest.distance <= Math.max(1, Math.floor(plainForm(word).length / 3)) ? nearest.candidate : undefined;
}

/** At most `count` of the `known` words, those first that are most like `word`. */
export function likestFirst(word: string, known: readonly string[], count: number): string[] {
  return byDistance(word, known)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function byDistance(
  word: string,
  known: readonly string[],
): { readonly candidate: string; readonly distance: number }[] {
  const plain = plainForm(word);
  return known
    .slice(0, MAX_COMPARED)
    .map((candidate) => ({ candidate, distance: editDistance(plain, plainForm(candidate)) }))
    .toSorted((left, right) => left.distance - right.distance);
}

/** Of longer lists only the first words are compared: the others are known to nobody by heart. */
const MAX_COMPARED = 1_000;

function plainForm(word: string): string {
  // What a client sends may be of any length; no word of ours is longer than this.
  return word
    .slice(0, 64)
    .toLowerCase()
    .replaceAll(/[\s_-]/g, '');
}

/** Damerau's distance with adjacent swaps (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast = new Uint8Array(right.length + 1);
  let last = Uint8Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = new Uint8Array(right.length + 1);
    current[0] = row;
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: Uint8Array, column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
