/** A value out of a file, for a message: as JSON, and the start of it only where it is long. */
export function shown(value: unknown): string {
  const text = asJson(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

const MAX_SHOWN = 120;

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // What JSON.parse has read can be nested too deep for JSON.stringify.
    return 'a deeply nested value';
  }
}
