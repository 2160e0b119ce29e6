import { assertNever } from '@longrun/contracts';

/** How often the page asks the API for what it shows, in milliseconds. */
export const REFRESH_MS = 2_000;

/** Refreshes without an answer after which what is shown may be old. */
const MISSED_REFRESHES = 3;

/** Whether what is shown is what is: by when the API answered last. `since` is that moment, in milliseconds. */
export type Liveness =
  | { readonly state: 'connecting' | 'live' }
  /** `refused`: the last request failed. `silent`: it was not answered. */
  | { readonly state: 'refused' | 'silent'; readonly since: number };

/**
 * @param answeredAt when the API answered last, the least of what is shown; 0: never
 * @param failed whether the last request failed
 */
export function liveness(answeredAt: number, failed: boolean, now: number): Liveness {
  if (answeredAt === 0) return failed ? { state: 'refused', since: 0 } : { state: 'connecting' };
  if (failed) return { state: 'refused', since: answeredAt };
  const isSilent = now - answeredAt > MISSED_REFRESHES * REFRESH_MS;
  return isSilent ? { state: 'silent', since: answeredAt } : { state: 'live' };
}

/** `Live`, `Not live since 14:03:05` */
export function livenessText(given: Liveness): string {
  switch (given.state) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'refused':
      return given.since === 0 ? 'No connection' : `No connection since ${clock(given.since)}`;
    case 'silent':
      return `Not live since ${clock(given.since)}`;
    default:
      return assertNever(given, 'liveness');
  }
}

function clock(moment: number): string {
  return new Date(moment).toLocaleTimeString('en-GB');
}
