/**
 * A name of its own for each of some things, from one that they may share: the first keeps it, the next are numbered, `scale_1.learning_rate`
 * after `scale.learning_rate`. The same things in the same order get the same names.
 *
 * @param taken names that none of them may get
 */
export function uniqueNames<T>(
  things: readonly T[],
  nameOf: (thing: T) => string,
  taken: Iterable<string> = [],
): Map<string, T> {
  const used = new Set(taken);
  const named = new Map<T, string>();
  const give = (thing: T, name: string): void => {
    used.add(name);
    named.set(thing, name);
  };
  // All that can keep their names do, so that a number never takes the name of another.
  for (const thing of things) if (!used.has(nameOf(thing))) give(thing, nameOf(thing));
  for (const thing of things) {
    if (named.has(thing)) continue;
    let count = 1;
    while (used.has(numbered(nameOf(thing), count))) count += 1;
    give(thing, numbered(nameOf(thing), count));
  }
  return new Map(things.map((thing) => [named.get(thing) ?? nameOf(thing), thing]));
}

/** `scale_1.learning_rate`, `/norm_1.mean`, `w:adam_1.mean`, `average_1` */
function numbered(name: string, count: number): string {
  const local = name.lastIndexOf(':') + 1;
  const dot = name.indexOf('.', local);
  return dot < 0 ? `${name}_${count}` : `${name.slice(0, dot)}_${count}${name.slice(dot)}`;
}
