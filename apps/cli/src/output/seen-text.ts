import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';

import { visibleLine, visibleText } from '@longrun/contracts';
import stringWidth from 'string-width';

/** The colours and weights in use. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Tells our own control sequences from those that others have written, who cannot know it. */
const OURS = `${randomInt(1_000, 10_000)};${randomInt(1_000, 10_000)}`;

const ESCAPE = '\x1B';
const STYLES = new RegExp(`${ESCAPE}\\[(\\d+);${OURS}m`);

/** The text in a style, as {@link writable} knows it. It takes no columns. */
export function styled(style: Style, text: string): string {
  const [on, off] = inspect.colors[style] ?? [];
  return `${sequence(on)}${text}${sequence(off)}`;
}

/** What is seen of a line: its control characters, line ends and tabs included, as escapes; what was {@link styled} stays so. */
export function seenLine(text: string): string {
  return mapped(text, visibleLine, sequence);
}

/** A text as a terminal takes it: its styles as colours or left out, all other control characters but line ends and tabs as escapes. */
export function writable(text: string, coloured: boolean): string {
  return mapped(text, visibleText, (code) => (coloured ? `${ESCAPE}[${code}m` : ''));
}

/** Columns that a text of one line takes at a terminal: wide characters take two, combining marks none. */
export function shownWidth(line: string): number {
  return stringWidth(line);
}

/** As much of a line as `columns` hold, whole characters only, and all of its styles. */
export function cutLine(line: string, columns: number): string {
  let left = columns;
  return mapped(
    line,
    (text) => {
      let kept = '';
      for (const { segment } of characters.segment(text)) {
        left -= shownWidth(segment);
        if (left < 0) break;
        kept += segment;
      }
      return kept;
    },
    sequence,
  );
}

const characters = new Intl.Segmenter();

function sequence(code: number | string | undefined): string {
  return code === undefined ? '' : `${ESCAPE}[${code};${OURS}m`;
}

function mapped(text: string, ofText: (piece: string) => string, ofStyle: (code: string) => string): string {
  // A capturing group has split give the codes, in turn with the texts between them.
  return text
    .split(STYLES)
    .map((piece, index) => (index % 2 === 0 ? ofText(piece) : ofStyle(piece)))
    .join('');
}
