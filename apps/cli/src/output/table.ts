import { cutLine, seenLine, shownWidth } from './seen-text.js';

/** How a table is laid out. */
export interface TableOptions {
  /** Columns that are aligned to the right; these are never cut. */
  readonly right?: readonly string[];
  /** Columns of the terminal, which no row may exceed. Default: as many as it takes. */
  readonly width?: number | undefined;
}

/** Spaces between two columns. */
const GAP = 2;

/** A column is not cut to less: enough of an id to tell it by, and to give it by. */
const LEAST_WIDTH = 14;

/**
 * A table of text below its head, in which no control character acts. Where it is wider than the terminal the widest columns are cut,
 * which an ellipsis shows; in a terminal too narrow for that its rows wrap.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [], width }: TableOptions = {},
): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.split('\n').map(seenLine)));
  const isRight = head.map((name) => right.includes(name));
  const widths = fitted(
    head.map((_name, column) => ({
      natural: Math.max(...cells.flatMap((row) => row[column] ?? '').map(shownWidth)),
      isCut: isRight[column] !== true,
    })),
    width,
  );
  return cells.flatMap((row) => linesOf(row, widths, isRight)).join('\n');
}

/** The lines of a row, which has as many as the highest of its cells. */
function linesOf(
  row: readonly (readonly string[])[],
  widths: readonly number[],
  isRight: readonly boolean[],
): readonly string[] {
  const height = Math.max(...row.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, column) => {
        const text = cut(row[column]?.[line] ?? '', width);
        const padding = ' '.repeat(Math.max(0, width - shownWidth(text)));
        return isRight[column] === true ? padding + text : text + padding;
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

function cut(line: string, width: number): string {
  return shownWidth(line) > width ? `${cutLine(line, width - 1)}…` : line;
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
