/**
 * Puts `***` in the place of secrets, and of each line of one, wherever they stand in what a child says: as they are, as JSON has them, and as URLs do. What is shorter
 * than four bytes stays: it stands in many a text by chance, which would tell what it is.
 */
export class SecretMasks {
  /** The longest first: one may be a part of another. */
  readonly #parts: readonly Buffer[];

  constructor(secrets: Iterable<string>) {
    const lines = [...secrets].flatMap((value) => value.split(/\r\n|\r|\n/));
    const forms = lines.flatMap((line) => [line, JSON.stringify(line).slice(1, -1), encodeURIComponent(line)]);
    this.#parts = [...new Set(forms)]
      .map((form) => Buffer.from(form))
      .filter((part) => part.length >= SHORTEST_BYTES)
      .toSorted((a, b) => b.length - a.length);
  }

  /** A whole text without them. */
  inText(text: string): string {
    if (this.#parts.length === 0) return text;
    return this.inBytes(Buffer.from(text), { isLast: true }).passed.toString();
  }

  /**
   * What comes piece by piece without them.
   *
   * @param bytes what was held of the pieces before, and the next one
   * @param options.isLast whether no other comes
   * @returns what can be passed on, and what is to be held until the next piece comes, as it may be the beginning of one; it never has the end of a line
   */
  inBytes(bytes: Buffer, { isLast }: { readonly isLast: boolean }): { readonly passed: Buffer; readonly held: Buffer } {
    const end = isLast ? bytes.length : this.#undecidedFrom(bytes);
    const places = this.#parts.map((part) => ({ part, at: placeOf(part, bytes, 0) }));
    const passed: Buffer[] = [];
    let from = 0;
    for (;;) {
      for (const place of places) if (place.at < from) place.at = placeOf(place.part, bytes, from);
      const next = places.reduce((first, place) => (place.at < first.at ? place : first), { part: MASK, at: Infinity });
      if (next.at >= end) break;
      passed.push(bytes.subarray(from, next.at), MASK);
      from = next.at + next.part.length;
    }
    const rest = Math.max(from, end);
    return { passed: Buffer.concat([...passed, bytes.subarray(from, rest)]), held: bytes.subarray(rest) };
  }

  /** Where the longest end begins that may be the beginning of a part. */
  #undecidedFrom(bytes: Buffer): number {
    let from = bytes.length;
    for (const part of this.#parts) {
      const start = part.subarray(0, 1);
      let at = bytes.indexOf(start, Math.max(0, bytes.length - part.length + 1));
      while (at !== -1 && at < from) {
        if (bytes.subarray(at).equals(part.subarray(0, bytes.length - at))) from = at;
        at = bytes.indexOf(start, at + 1);
      }
    }
    return from;
  }
}

/** Of a child that has no secrets. */
export const NO_SECRETS = new SecretMasks([]);

const MASK = Buffer.from('***');
const SHORTEST_BYTES = 4;

/** Infinity where it is not there. */
function placeOf(part: Buffer, bytes: Buffer, from: number): number {
  const at = bytes.indexOf(part, from);
  return at === -1 ? Infinity : at;
}
