/** A value out of a file, for a message: as JSON, and the start of it only where it is long. */
export function shown(value: unknown): string {
  return shownUpTo(120, value);
}

/** As {@link shown}, where more of it is needed. */
export function shownUpTo(mostCharacters: number, value: unknown): string {
  const text = asJson(value);
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // What JSON.parse has read can be nested too deep for JSON.stringify.
    return 'a deeply nested value';
  }
}
