/**
 * Chooses names: by a pattern, by several, or by a function. In a pattern `*` stands for any characters but `/`, `**` for any at all, `?` for one
 * but `/`, and all others for themselves: `/encoder/**`, `**.b`.
 */
export type NameSelection = string | readonly string[] | ((name: string) => boolean);

/** A {@link NameSelection} to be asked. */
export interface Selection {
  readonly selects: (name: string) => boolean;
  /** The patterns that match none of the names, or the text of a function that chooses none. */
  readonly unused: readonly string[];
}

/** @param names those that can be chosen. @throws TypeError for no pattern at all */
export function selectionOf(selection: NameSelection | undefined, names: readonly string[]): Selection {
  if (selection === undefined) return { selects: () => true, unused: [] };
  if (typeof selection === 'function') {
    return { selects: selection, unused: names.some((name) => selection(name)) ? [] : [String(selection)] };
  }
  const patterns = typeof selection === 'string' ? [selection] : selection;
  if (patterns.length === 0)
    throw new TypeError('select: there is no pattern in the list; give one, or leave select out');
  const expressions = patterns.map((pattern) => ({ pattern, expression: namePattern(pattern) }));
  return {
    selects: (name) => expressions.some(({ expression }) => expression.test(name)),
    unused: expressions
      .filter(({ expression }) => !names.some((name) => expression.test(name)))
      .map(({ pattern }) => pattern),
  };
}

/** What a pattern matches: whole names, as {@link NameSelection} says. */
export function namePattern(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*+|[^*]/gs, (part) => {
    if (part === '*') return '[^/]*';
    if (part.startsWith('*')) return '.*';
    return part === '?' ? '[^/]' : part.replace(/[\\^$.|+()[\]{}/-]/, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`, 's');
}
