/** Characters that move a cursor, colour, hide or turn round what a terminal shows, or end a line that nobody sees ending. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Foreign text as a terminal or a log may show it: lines and tabs stay, every other control character, C1 and overrides of direction
 * included, is seen as an escape (`\x1b`, `\u202e`).
 */
export function visibleText(text: string): string {
  return text.replaceAll(UNSEEN, (character) =>
    character === '\n' || character === '\t' ? character : escapeOf(character),
  );
}

/** The same for what has to stay on one line: its line ends and tabs are seen as well. */
export function visibleLine(text: string): string {
  return text.replaceAll(UNSEEN, escapeOf);
}

/** {@link visibleText} for every text in a JSON value, keys included. */
export function visibleIn<T>(value: T): T {
  const shown: T = JSON.parse(JSON.stringify(value), (_key, inside: unknown) => {
    if (typeof inside === 'string') return visibleText(inside);
    if (typeof inside !== 'object' || inside === null || Array.isArray(inside)) return inside;
    return Object.fromEntries(Object.entries(inside).map(([key, entry]) => [visibleText(key), entry]));
  });
  return shown;
}

/** A value as JSON in which no character is unseen: it reads back as the same value. */
export function visibleJson(value: unknown, indent?: number): string {
  // Outside of strings JSON has no such characters but line ends, which stay.
  return JSON.stringify(value, null, indent).replaceAll(UNSEEN, (character) =>
    character === '\n' ? character : unicodeEscape(character),
  );
}

/**
 * The first character of a text that nobody sees: of those that {@link visibleLine} escapes, and of those that take no room, such as
 * joiners and marks of direction (two names that differ only by one look the same). Not those that choose how the character before
 * them looks, as of an emoji. Undefined where all of it can be seen.
 */
export function firstUnseen(text: string): string | undefined {
  return /(?![\uFE0E\uFE0F])[\p{Cc}\u2028\u2029\p{Default_Ignorable_Code_Point}]/u.exec(text)?.[0];
}

/** True for a text with characters that {@link visibleLine} would have to escape. */
export function hasUnseen(text: string): boolean {
  return text.search(UNSEEN) !== -1;
}

function escapeOf(character: string): string {
  if (character === '\n') return String.raw`\n`;
  if (character === '\t') return String.raw`\t`;
  const code = character.charCodeAt(0);
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(character);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
