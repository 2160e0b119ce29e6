const KEY = 'longrun.token';

/**
 * The API's token for this tab. A `#token=…` in the address is moved to the session storage and taken out of the address
 * bar, so that it is neither bookmarked nor seen over a shoulder; a fragment never reaches a server.
 */
export function takeToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    keepToken(given);
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** Keeps the token until the tab is closed. */
export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token.trim());
}

/** Forgets the token of this tab. */
export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}
