/**
 * The word of `known` that `word` was probably meant to be, or undefined when none is near: case and separators do not
 * count, and at most a third of its characters may be wrong, missing, added or swapped with a neighbour.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const plain = plainForm(word);
  let nearest: string | undefined;
  let smallest = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, plainForm(candidate));
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

function plainForm(word: string): string {
  // What a client sends may be of any length; no key of ours is longer than this.
  return word
    .slice(0, 64)
    .toLowerCase()
    .replaceAll(/[\s_-]/g, '');
}

/** Damerau's distance with adjacent swaps (optimal string alignment). */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(left.length, right.length);
}
