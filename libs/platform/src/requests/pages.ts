import { ListQuery } from '@longrun/contracts';

import { refused } from './request-refused.js';

/** Which page of a list. */
export interface PageOptions {
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Items on a page, 1 to 200. Default 50. */
  readonly limit?: number | undefined;
}

/**
 * One page of a list, newest first. Refuses a cursor that no list has answered.
 *
 * @param rowsBelow reads at most so many rows whose place is below one, the highest first
 */
export async function readPage<Row extends { readonly place: number }, Item>(
  options: PageOptions,
  rowsBelow: (place: number, limit: number) => Promise<readonly Row[]>,
  view: (row: Row) => Item,
): Promise<{ items: Item[]; nextCursor: string | null }> {
  const { limit } = ListQuery.parse({ limit: options.limit });
  // One row too many says that there are more.
  const rows = await rowsBelow(placeBelow(options.cursor), limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(view), nextCursor: rows.length > limit && last !== undefined ? `p${last.place}` : null };
}

function placeBelow(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  const place = /^p(\d{1,15})$/.exec(cursor)?.[1];
  if (place !== undefined) return Number(place);
  throw cursorUnknown(cursor);
}

/** Refuses a cursor that no such list has answered. */
export function cursorUnknown(cursor: string): Error {
  return refused('invalid-parameter', [{ path: [], parameter: 'cursor', code: 'cursor-unknown', facts: { cursor } }]);
}
