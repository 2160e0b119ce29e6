import { assertNever } from '@longrun/contracts';

/** How often the page asks the API for what it shows, in milliseconds. */
export const REFRESH_MS = 2_000;

/** Refreshes without an answer after which what is shown may be old. */
const MISSED_REFRESHES = 3;

/** Whether what is shown is what is: by how long ago the API answered. */
export type Liveness =
  | { readonly state: 'connecting' | 'live' }
  /** `refused`: the last request failed. `silent`: it was not answered. `forMs`: since its last answer; null: it never gave one. */
  | { readonly state: 'refused' | 'silent'; readonly forMs: number | null };

/**
 * @param answeredAt when the API answered last, the least of what is shown, by a clock that is never set; undefined: never
 * @param failed whether the last request failed
 * @param now by the same clock
 */
export function liveness(answeredAt: number | undefined, failed: boolean, now: number): Liveness {
  if (answeredAt === undefined) return failed ? { state: 'refused', forMs: null } : { state: 'connecting' };
  const forMs = now - answeredAt;
  if (failed) return { state: 'refused', forMs };
  return forMs > MISSED_REFRESHES * REFRESH_MS ? { state: 'silent', forMs } : { state: 'live' };
}

/**
 * `Live`, `Not live since 14:03:05`
 *
 * @param date the present moment, in milliseconds of the calendar
 */
export function livenessText(given: Liveness, date: number): string {
  switch (given.state) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'refused':
      return given.forMs === null ? 'No connection' : `No connection since ${clock(date - given.forMs)}`;
    case 'silent':
      return given.forMs === null ? 'Not live' : `Not live since ${clock(date - given.forMs)}`;
    default:
      return assertNever(given, 'liveness');
  }
}

function clock(moment: number): string {
  return new Date(moment).toLocaleTimeString('en-GB');
}
