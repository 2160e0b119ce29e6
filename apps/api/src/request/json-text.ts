import { printParseErrorCode, visit } from 'jsonc-parser';
import { jsonLimits } from './json-limits.js';

/** Where and why a text stops being JSON. Lines and columns count from 1, columns in characters. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** A sentence: what stands there and what was expected. */
  readonly says: string;
  /** A sentence: what to do about it. */
  readonly remedy: string;
}

/** The value of a JSON text (RFC 8259) that does not nest deep, or where it breaks and what to do about it. */
export function parseJson(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { fault: faultAt(text, explained(text) ?? unexplained(error)) };
  }
}

interface Finding {
  readonly offset: number;
  readonly says: string;
  readonly remedy: string;
}

/** The first thing that is wrong with a text. */
function explained(text: string): Finding | undefined {
  if (text.trim() === '') return { offset: 0, says: 'The body is empty.', remedy: 'Send a JSON object.' };
  const open: ('{' | '[')[] = [];
  let found: Finding | undefined;
  const begin = (bracket: '{' | '['): void => {
    // The visitor goes down by recursion, also through what is no JSON, whose levels nobody has counted.
    if (open.push(bracket) > jsonLimits.levels) throw SEEN_ENOUGH;
  };
  try {
    visit(
      text,
      {
        onObjectBegin: () => begin('{'),
        onArrayBegin: () => begin('['),
        onObjectEnd: () => void open.pop(),
        onArrayEnd: () => void open.pop(),
        onError: (code, offset, length) => {
          found = finding(text, printParseErrorCode(code), { offset, length, open: [...open] });
          throw SEEN_ENOUGH;
        },
      },
      { disallowComments: true },
    );
  } catch (error) {
    if (error !== SEEN_ENOUGH) throw error;
  }
  return found;
}

const SEEN_ENOUGH = new Error('what is looked for has been found, or is out of reach');

/** What stands before a fault is looked at no further back: a pattern may take the square of that. */
const LOOK_BACK = 400;

interface Place {
  readonly offset: number;
  readonly length: number;
  /** The brackets around it, from the outside in. */
  readonly open: readonly ('{' | '[')[];
}

function finding(text: string, code: string, { offset, length, open }: Place): Finding {
  const character = text.charAt(offset);
  const nearby = text.slice(Math.max(0, offset - LOOK_BACK), offset);
  const before = nearby.trimEnd();
  if (character === '"') return brokenString(text, offset) ?? missing(text, offset, open);
  const number = /-?\d[\d.eE+-]*$/.exec(nearby)?.[0] ?? '';
  if (number !== '' && /[\w.+-]/.test(character)) return badNumber(text, offset - number.length);
  if (offset >= text.length) return unfinished(text, open);
  const isAfterWhole = open.length === 0 && before !== '' && code !== 'ValueExpected';
  if (isAfterWhole) return unexpected(text, offset, 'the end of the text', 'Send one JSON value and nothing after it.');
  if (character === '/' || character === '#')
    return unexpected(text, offset, 'JSON', 'Remove the comment: JSON has none.');
  if (code === 'CommaExpected') return missing(text, offset, open);
  if (code === 'ColonExpected') return unexpected(text, offset, 'a colon after the key', 'Write "key": value.');
  const last = before.at(-1);
  if (last === '{' || (last === ',' && open.at(-1) === '{')) {
    const remedy = character === '}' ? 'Remove the comma before it.' : 'Put the key in double quotes.';
    return unexpected(text, offset, 'a key in double quotes', remedy, length);
  }
  return last === ':' || last === '[' || last === ',' || last === undefined
    ? unexpectedValue(text, offset)
    : missing(text, offset, open);
}

function missing(text: string, offset: number, open: Place['open']): Finding {
  const closing = open.at(-1) === '{' ? '}' : ']';
  if (open.length === 0)
    return unexpected(text, offset, 'the end of the text', 'Send one JSON value and nothing after it.');
  if (/[{,]\s*"[^"]*"$/.test(text.slice(Math.max(0, offset - LOOK_BACK), offset).trimEnd()) && closing === '}')
    return unexpected(text, offset, 'a colon after the key', 'Write "key": value.');
  const remedy = `Put a comma between the entries, or close with ${closing}.`;
  return unexpected(text, offset, `a comma or ${closing}`, remedy);
}

/** What is wrong within the string that begins here; undefined when nothing is. */
function brokenString(text: string, start: number): Finding | undefined {
  const sound = /"(?:[^"\\\p{Cc}]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|[\x7F-\x9F]+)*/uy;
  sound.lastIndex = start;
  const offset = start + (sound.exec(text)?.[0].length ?? 1);
  const character = text.charAt(offset);
  if (character === '"') return undefined;
  if (character === '') {
    return { offset, says: 'The text ends inside a string.', remedy: 'Close the string with ".' };
  }
  if (character === '\\') {
    return {
      offset,
      says: `${shown(text, offset, 2)} is not an escape of JSON.`,
      remedy: String.raw`Write a backslash as \\; the escapes are \" \\ \/ \b \f \n \r \t and \u with four hex digits.`,
    };
  }
  return {
    offset,
    says: character === '\n' ? 'The line ends inside a string.' : 'A string holds a bare control character.',
    remedy: String.raw`Close the string with ", or write the character as an escape such as \n.`,
  };
}

function unexpectedValue(text: string, offset: number): Finding {
  const character = text.charAt(offset);
  if (character === ']' || character === '}' || character === ',')
    return unexpected(text, offset, 'a value', 'Remove the comma or colon before it, or add the value.');
  if (character === "'")
    return unexpected(text, offset, 'a value', 'Put strings in double quotes ("), not single ones.');
  const word = /^[\w.+-]{1,40}/.exec(text.slice(offset, offset + 40))?.[0];
  if (word !== undefined && /^[\d.+-]/.test(word)) return badNumber(text, offset);
  const remedy =
    word === undefined
      ? 'Write an object, an array, a string in double quotes, a number, true, false or null.'
      : (wordRemedies.get(word) ?? 'Put strings in double quotes; the only bare words are true, false and null.');
  return unexpected(text, offset, 'a value', remedy, word?.length);
}

function badNumber(text: string, offset: number): Finding {
  const word = /^[\w.+-]{1,40}/.exec(text.slice(offset, offset + 40))?.[0];
  const remedy = 'Write the number as JSON does: no leading zero, plus sign or bare point.';
  return unexpected(text, offset, 'a value', remedy, word?.length);
}

const wordRemedies = new Map([
  ['True', 'Write true in lower case.'],
  ['False', 'Write false in lower case.'],
  ['None', 'Write null.'],
  ['undefined', 'Write null, or leave the key out.'],
  ['NaN', 'JSON has no NaN: leave the key out or write null.'],
  ['Infinity', 'JSON has no Infinity: leave the key out or write null.'],
]);

function unexpected(text: string, offset: number, wanted: string, remedy: string, length = 1): Finding {
  return { offset, says: `Expected ${wanted}, but found ${shown(text, offset, Math.min(length, 40))}.`, remedy };
}

function unfinished(text: string, open: Place['open']): Finding {
  const brackets = `${open.length} ${open.length === 1 ? 'bracket is' : 'brackets are'} open`;
  return {
    offset: text.length,
    says: `The text ends before the JSON does; ${brackets}.`,
    remedy: 'Send the whole document: it seems to be cut off.',
  };
}

/** The two parsers disagree; ours of the request is right, and says where in words only. */
function unexplained(error: unknown): Finding {
  const says = `It is refused as JSON (${error instanceof Error ? error.message : String(error)}).`;
  return { offset: 0, says, remedy: 'Send what a JSON writer makes.' };
}

function shown(text: string, offset: number, length: number): string {
  return JSON.stringify(
    Array.from(text.slice(offset, offset + Math.max(length, 2)))
      .slice(0, length)
      .join(''),
  );
}

function faultAt(text: string, { offset, says, remedy }: Finding): JsonFault {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const column = Array.from(before.slice(lineStart)).length + 1;
  return { line: before.split('\n').length, column, says, remedy };
}
