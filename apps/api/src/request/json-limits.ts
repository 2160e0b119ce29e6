import type { FaultOf } from '@longrun/contracts';

/** What the JSON of a body may have at most: what is within these is checked by any schema in a time that nobody notices. */
export const jsonLimits = {
  /** Nesting of lists and objects. */
  levels: 64,
  /** Values in all: scalars, lists and objects. */
  values: 10_000,
  'characters in a key': 256,
} as const;

/** What is asked of a text. */
type Text = Pick<string, 'length' | 'charAt' | 'slice'>;

type Excess = FaultOf<'body-too-large'> & { readonly code: 'json-too-large' };

/** What a JSON text has too much of, and where; undefined for one within the limits. One pass, whether the text is whole or broken. */
export function excessOf(text: Text): Excess['facts'] | undefined {
  let levels = 0;
  let values = 1;
  // Where the last string began and how long it is: a colon makes it a key.
  let string = { start: 0, characters: 0 };
  for (let offset = 0; offset < text.length; offset += 1) {
    switch (text.charAt(offset)) {
      case '"': {
        const end = endOfString(text, offset);
        string = { start: offset, characters: end - offset - 1 };
        offset = end;
        break;
      }
      case ':':
        if (string.characters > jsonLimits['characters in a key']) return excess('characters in a key', string.start);
        break;
      case '[':
      case '{':
        levels += 1;
        values += 1;
        if (levels > jsonLimits.levels) return excess('levels', offset);
        if (values > jsonLimits.values) return excess('values', offset);
        break;
      case ',':
        values += 1;
        if (values > jsonLimits.values) return excess('values', offset);
        break;
      case ']':
      case '}':
        levels -= 1;
        break;
      default:
    }
  }
  return undefined;

  function excess(measure: Excess['facts']['measure'], offset: number): Excess['facts'] {
    return { measure, limit: jsonLimits[measure], line: text.slice(0, offset).split('\n').length };
  }
}

/** The place of the quote or, as no string goes beyond its line, of the line's end that closes the string which begins at `start`. */
function endOfString(text: Text, start: number): number {
  let offset = start + 1;
  while (offset < text.length) {
    const character = text.charAt(offset);
    if (character === '"' || character === '\n' || character === '\r') break;
    offset += character === '\\' ? 2 : 1;
  }
  return Math.min(offset, text.length);
}
