/**
 * The first key that occurs twice in one object of a valid JSON text, which JSON.parse lets pass. Takes time in proportion to the text,
 * and no stack.
 */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const { token, isKey } of tokens(json)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (isKey) {
      // "a" and "\u0061" are the same key.
      const name = JSON.stringify(JSON.parse(token));
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}

/** The braces and the texts of a valid JSON text. No regular expression: one over a long text runs out of stack. */
function* tokens(json: string): Generator<{ readonly token: string; readonly isKey: boolean }> {
  for (let position = 0; position < json.length; position += 1) {
    const character = json[position];
    if (character === '{' || character === '}') yield { token: character, isKey: false };
    else if (character === '"') {
      const end = endOfText(json, position);
      let next = end;
      while (WHITE_SPACE.has(json[next])) next += 1;
      yield { token: json.slice(position, end), isKey: json[next] === ':' };
      position = end - 1;
    }
  }
}

const WHITE_SPACE: ReadonlySet<string | undefined> = new Set([' ', '\t', '\n', '\r']);

/** The place after the text whose opening quote is at `start`. */
function endOfText(json: string, start: number): number {
  let position = start + 1;
  while (position < json.length && json[position] !== '"') position += json[position] === '\\' ? 2 : 1;
  return position + 1;
}
