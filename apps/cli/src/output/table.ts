import { stripVTControlCharacters } from 'node:util';

import Table from 'cli-table3';

/** How a table is laid out. */
export interface TableOptions {
  /** Columns that are aligned to the right; these are never cut. */
  readonly right?: readonly string[];
  /** Characters in a line of the terminal, which no row may exceed. Default: as many as it takes. */
  readonly width?: number | undefined;
}

/** Spaces between two columns. */
const GAP = 2;

/** A column is not cut to less: enough of an id to tell it by, and to give it by. */
const LEAST_WIDTH = 14;

/**
 * A table of text with a rule below its head. Where it is wider than the terminal the widest columns are cut, which an ellipsis
 * shows; in a terminal too narrow for that its rows wrap.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [], width }: TableOptions = {},
): string {
  const widths = fitted(
    head.map((name, column) => ({
      natural: Math.max(...[name, ...rows.map((row) => row[column] ?? '')].map(shownWidth)),
      isCut: !right.includes(name),
    })),
    width,
  );
  const text = new Table({
    head: [...head],
    chars: { ...noBorders, middle: ' '.repeat(GAP) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((column) => (right.includes(column) ? 'right' : 'left')),
    colWidths: widths,
  });
  text.push(...rows.map((row) => [...row]));
  return text
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The widths of columns that together take no more than a line: always the widest of those that may be cut is made narrower. */
function fitted(
  columns: readonly { readonly natural: number; readonly isCut: boolean }[],
  width: number | undefined,
): number[] {
  const widths = columns.map(({ natural }) => natural);
  let excess = widths.reduce((sum, each) => sum + each + GAP, -GAP) - (width ?? Number.POSITIVE_INFINITY);
  for (; excess > 0; excess -= 1) {
    const widest = widths.reduce(
      (found, each, at) => (columns[at]?.isCut === true && each > (widths[found] ?? LEAST_WIDTH) ? at : found),
      -1,
    );
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function shownWidth(text: string): number {
  const lines = stripVTControlCharacters(text).split('\n');
  return Math.max(...lines.map((line) => Array.from(line).length));
}

const noBorders = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, '']),
);
