/** Where and why a text stops being JSON. Lines and columns count from 1, columns in characters. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** A sentence: what stands there and what was expected. */
  readonly says: string;
  /** A sentence: what to do about it. */
  readonly remedy: string;
}

/**
 * The value of a JSON text (RFC 8259), or where it breaks. `JSON.parse` alone does not say where in every version of Node,
 * and never what to do.
 */
export function parseJson(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  const found = scan(text);
  if (found !== undefined)
    return { fault: { ...position(text, found.offset), says: found.says, remedy: found.remedy } };
  return { value: JSON.parse(text) as unknown };
}

interface Finding {
  readonly offset: number;
  readonly says: string;
  readonly remedy: string;
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end' | 'nothing more';

/** One pass with a stack of its own: the depth of the text is the client's choice. */
function scan(text: string): Finding | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let offset = 0;

  const afterValue = (): Expected => (open.length === 0 ? 'nothing more' : 'comma or end');
  for (;;) {
    offset = skipBlanks(text, offset);
    const character = text[offset];
    if (character === undefined) return expected === 'nothing more' ? undefined : unfinished(text, open, expected);
    switch (expected) {
      case 'value or ]':
      case 'value':
        if (character === ']' && expected === 'value or ]') {
          open.pop();
          expected = afterValue();
          offset += 1;
        } else if (character === '{' || character === '[') {
          open.push(character);
          expected = character === '{' ? 'key or }' : 'value or ]';
          offset += 1;
        } else {
          const end = character === '"' ? endOfString(text, offset) : endOfScalar(text, offset);
          if (typeof end !== 'number') return end;
          if (end === offset) return unexpectedValue(text, offset, expected);
          offset = end;
          expected = afterValue();
        }
        break;
      case 'key or }':
      case 'key': {
        if (character === '}' && expected === 'key or }') {
          open.pop();
          expected = afterValue();
          offset += 1;
          break;
        }
        if (character !== '"') return unexpectedKey(text, offset);
        const end = endOfString(text, offset);
        if (typeof end !== 'number') return end;
        offset = end;
        expected = 'colon';
        break;
      }
      case 'colon':
        if (character !== ':') return unexpected(text, offset, 'a colon after the key', 'Write "key": value.');
        offset += 1;
        expected = 'value';
        break;
      case 'comma or end': {
        const inObject = open.at(-1) === '{';
        if (character === ',') expected = inObject ? 'key' : 'value';
        else if (character === (inObject ? '}' : ']')) {
          open.pop();
          expected = afterValue();
        } else {
          const closing = inObject ? '}' : ']';
          return unexpected(
            text,
            offset,
            `a comma or ${closing}`,
            `Put a comma between the entries, or close with ${closing}.`,
          );
        }
        offset += 1;
        break;
      }
      case 'nothing more':
        return unexpected(text, offset, 'the end of the text', 'Send one JSON value and nothing after it.');
    }
  }
}

function skipBlanks(text: string, offset: number): number {
  while (offset < text.length && ' \t\n\r'.includes(text.charAt(offset))) offset += 1;
  return offset;
}

function endOfString(text: string, start: number): number | Finding {
  for (let offset = start + 1; offset < text.length; offset += 1) {
    const character = text.charAt(offset);
    if (character === '"') return offset + 1;
    if (character < ' ') {
      return {
        offset,
        says: character === '\n' ? 'The line ends inside a string.' : 'A string holds a bare control character.',
        remedy: String.raw`Close the string with ", or write the character as an escape such as \n.`,
      };
    }
    if (character !== '\\') continue;
    const escape = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(offset, offset + 6))?.[0];
    if (escape === undefined) {
      return {
        offset,
        says: `${shown(text, offset, 2)} is not an escape of JSON.`,
        remedy: String.raw`Write a backslash as \\; the escapes are \" \\ \/ \b \f \n \r \t and \u with four hex digits.`,
      };
    }
    offset += escape.length - 1;
  }
  return { offset: text.length, says: 'The text ends inside a string.', remedy: 'Close the string with ".' };
}

/** End of the number, true, false or null at `start`; `start` itself when there is none. */
function endOfScalar(text: string, start: number): number {
  const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
  scalar.lastIndex = start;
  return scalar.test(text) ? scalar.lastIndex : start;
}

function unexpectedValue(text: string, offset: number, expected: Expected): Finding {
  const character = text.charAt(offset);
  if (character === ']' || character === '}') {
    return unexpected(
      text,
      offset,
      'a value',
      expected === 'value' ? 'Remove the comma or colon before it, or add the value.' : 'Add the value.',
    );
  }
  if (character === "'")
    return unexpected(text, offset, 'a value', `Put strings in double quotes ("), not single ones.`);
  if (character === '/' || character === '#')
    return unexpected(text, offset, 'a value', 'Remove the comment: JSON has none.');
  const word = /^[\w.+-]{1,40}/.exec(text.slice(offset, offset + 40))?.[0];
  const remedy =
    word === undefined
      ? 'Write an object, an array, a string in double quotes, a number, true, false or null.'
      : /^[\d.+-]/.test(word)
        ? 'Write the number as JSON does: no leading zero, plus sign or bare point.'
        : (wordRemedies.get(word) ?? 'Put strings in double quotes; the only bare words are true, false and null.');
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

function unexpectedKey(text: string, offset: number): Finding {
  const character = text.charAt(offset);
  const remedy =
    character === '}'
      ? 'Remove the comma before it.'
      : character === '/' || character === '#'
        ? 'Remove the comment: JSON has none.'
        : 'Put the key in double quotes.';
  const word = /^\w{1,40}/.exec(text.slice(offset, offset + 40))?.[0];
  return unexpected(text, offset, 'a key in double quotes', remedy, word?.length);
}

function unexpected(text: string, offset: number, wanted: string, remedy: string, length = 1): Finding {
  return { offset, says: `Expected ${wanted}, but found ${shown(text, offset, length)}.`, remedy };
}

function unfinished(text: string, open: readonly ('{' | '[')[], expected: Expected): Finding {
  const offset = text.length;
  if (text.trim() === '') return { offset: 0, says: 'The body is empty.', remedy: 'Send a JSON object.' };
  const closing = open.at(-1) === '{' ? '}' : ']';
  const wanted = expected === 'colon' ? 'a colon' : expected === 'value' ? 'a value' : closing;
  return {
    offset,
    says: `The text ends where ${wanted} is missing; ${open.length} ${open.length === 1 ? 'bracket is' : 'brackets are'} open.`,
    remedy: 'Send the whole document: it seems to be cut off.',
  };
}

function shown(text: string, offset: number, length: number): string {
  return JSON.stringify(
    Array.from(text.slice(offset, offset + Math.max(length, 2)))
      .slice(0, length)
      .join(''),
  );
}

function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 };
}
