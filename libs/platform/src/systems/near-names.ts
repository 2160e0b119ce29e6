/** The names most like the one that was given, the likest first; at most `count`. For the remedy of a misspelling. */
export function nearNames(given: string, names: readonly string[], count = 5): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

/** The remedy: which names there are, or that there are none. */
export function giveOneOf(given: string, names: readonly string[], ifNone: string): string {
  if (names.length === 0) return ifNone;
  const near = nearNames(given, names);
  const more = names.length > near.length ? `, and ${names.length - near.length} more` : '';
  return `give one of ${near.join(', ')}${more}`;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of Array.from(a).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(b).entries()) {
      current.push(
        Math.min(
          (previous[column + 1] ?? 0) + 1,
          (current[column] ?? 0) + 1,
          (previous[column] ?? 0) + (letter === other ? 0 : 1),
        ),
      );
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
