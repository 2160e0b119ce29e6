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
