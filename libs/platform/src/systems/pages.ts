import { RequestRefused } from '../request-refused.js';

/** Which page of a list. */
export interface PageOptions {
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Items on a page, 1 to 200. Default 50. */
  readonly limit?: number | undefined;
}

/** The place below which a page begins; undefined for the first page. Refuses what no list has answered. */
export function placeBelow(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const place = /^p(\d{1,15})$/.exec(cursor)?.[1];
  if (place !== undefined) return Number(place);
  throw new RequestRefused({
    status: 400,
    type: '/problems/invalid-request',
    title: 'Unknown cursor',
    detail: `cursor ${JSON.stringify(cursor)} is none that a list has answered; leave it out to start from the newest`,
    errors: [{ pointer: 'cursor', detail: 'is unknown', remedy: 'give the nextCursor of a page, or leave it out' }],
  });
}

/** Cuts one row too many off a page, which says that there are more. */
export function cutPage<T extends { readonly place: number }>(
  rows: readonly T[],
  limit: number,
): { readonly rows: readonly T[]; readonly nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last !== undefined ? `p${last.place}` : null };
}
