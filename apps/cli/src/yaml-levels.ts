import { Lexer, Parser } from 'yaml';

/** Levels that are read. The API accepts fewer; with some thousands the parser would run off its stack, which may end the process. */
export const MAX_LEVELS = 256;

/** Whether a YAML text nests deeper than {@link MAX_LEVELS}, found without going down into it. */
export function nestsTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // What it gives out are whole documents, which nobody needs here.
    Array.from(parser.next(lexeme));
    // The lowest entry is the document.
    if (parser.stack.length > MAX_LEVELS + 1) return true;
  }
  return false;
}
