import { asked } from './api.js';

/**
 * Signs this browser in with a token of the API: a cookie that no script can read lasts through reloads and other tabs. Throws Refused when the API does not
 * accept it.
 */
export async function signIn(token: string): Promise<void> {
  await asked('/v1/session', { method: 'POST', headers: { authorization: `Bearer ${token.trim()}` } });
}

/** Signs it out, in all tabs. */
export async function signOut(): Promise<void> {
  await asked('/v1/session', { method: 'DELETE' });
}

/** Whether the address has a token. */
export function hasToken(): boolean {
  return new URLSearchParams(location.hash.slice(1)).has('token');
}

/**
 * The token that the address has (`#token=…`), which is taken out of the address bar, so that it is neither bookmarked nor seen over a shoulder; a fragment never
 * reaches a server.
 */
export function takeToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return given;
}
