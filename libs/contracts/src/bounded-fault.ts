/** What one key of a path may have, in bytes of JSON: a longer one is named by its beginning. */
const MAX_KEY_BYTES = 256;

/** What the keys of a path may have together. */
const MAX_PATH_BYTES = 1_000;

/** What one of the facts may have: a text, or all entries of a list. */
const MAX_FACT_BYTES = 2_000;

type Path = readonly (string | number)[];

/**
 * A fault of which nothing is larger than a person reads, whoever found it and whatever is in it: of a long path the middle is left
 * out, of long facts the end. It keeps its form.
 */
export function boundedFault<F extends { readonly path: Path; readonly facts: object }>(fault: F): F {
  const facts: F['facts'] = JSON.parse(JSON.stringify(fault.facts), (_key, fact: unknown) => {
    if (typeof fact === 'string') return begunText(fact, MAX_FACT_BYTES);
    return Array.isArray(fact) ? begunList(fact) : fact;
  });
  return { ...fault, path: boundedPath(fault.path), facts };
}

/** A text, or its beginning and `...`: as JSON in UTF-8 it has at most so many bytes, its quotes aside. */
export function begunText(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  let endOfBegun = 0;
  for (const character of text) {
    bytes += jsonBytes(character);
    if (bytes > maxBytes) return `${text.slice(0, endOfBegun)}...`;
    end += character.length;
    if (bytes <= maxBytes - 3) endOfBegun = end;
  }
  return text;
}

function begunList(list: readonly unknown[]): readonly unknown[] {
  let bytes = 0;
  const end = list.findIndex((entry) => {
    bytes += typeof entry === 'string' ? sizeOf(entry) : 1;
    return bytes > MAX_FACT_BYTES;
  });
  return end === -1 ? list : [...list.slice(0, end), '…'];
}

function boundedPath(path: Path): Path {
  const keys = path.map((key) => (typeof key === 'string' ? begunText(key, MAX_KEY_BYTES) : key));
  if (keys.reduce<number>((sum, key) => sum + sizeOf(String(key)), 0) <= MAX_PATH_BYTES) return keys;
  // The last two are what a fault is called by in words.
  const last = keys.slice(-2);
  let bytes = ['...', ...last].reduce<number>((sum, key) => sum + sizeOf(String(key)), 0);
  const end = keys.findIndex((key) => {
    bytes += sizeOf(String(key));
    return bytes > MAX_PATH_BYTES;
  });
  return [...keys.slice(0, end), '...', ...last];
}

/** With what separates it from the next one. */
function sizeOf(text: string): number {
  let bytes = 1;
  for (const character of text) bytes += jsonBytes(character);
  return bytes;
}

/** What a character takes in JSON in UTF-8, at most. */
function jsonBytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff)) return 6;
  if (character === '"' || character === '\\') return 2;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x1_0000 ? 3 : 4;
}
