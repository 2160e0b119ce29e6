import { expect, test } from 'vitest';
import { SessionCookies } from './session-cookie.js';

const cookies = new SessionCookies('a-token-of-sixteen-or-more');
const NOW = Date.UTC(2026, 0, 1);
const DAY = 24 * 3_600_000;
const HOST = '127.0.0.1:4000';

/** What a browser sends of a header `Set-Cookie`. */
function sent(header: string): string {
  return header.split(';')[0] ?? '';
}

test('a browser is signed in for thirty days by a cookie that says nothing of the token', () => {
  const header = cookies.issue(false, NOW);
  expect(header).toMatch(/^longrun-[0-9a-f]{12}=\d+\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
  expect(header).not.toContain('sixteen');
  expect(cookies.issue(true, NOW)).toMatch(/; Secure$/);
  const cookie = `theme=dark; ${sent(header)}; other=1`;
  const accepts = (days: number): boolean =>
    cookies.accepts('GET', { host: HOST, cookie, 'sec-fetch-site': 'same-origin' }, NOW + days * DAY);
  expect([0, 29.9, 30.1].map(accepts)).toEqual([true, true, false]);
});

test('a cookie that is signed out, altered, of a longer life or of another token is none', () => {
  const cookie = sent(cookies.issue(false, NOW));
  const [name = '', value = ''] = cookie.split('=');
  const [until = '', proof = ''] = value.split('.');
  const altered = [
    sent(cookies.clear(false)),
    `${name}=${until}.${proof.slice(1)}`,
    `${name}=${Number(until) + 1}.${proof}`,
    `${name}=${until}`,
    `${name}=.${proof}`,
    sent(new SessionCookies('another-token-of-sixteen').issue(false, NOW)),
    `${name}=${sent(new SessionCookies('another-token-of-sixteen').issue(false, NOW)).split('=')[1]}`,
    `x${cookie}`,
    '',
  ];
  const accepted = altered.filter((each) => cookies.accepts('GET', { host: HOST, cookie: each }, NOW));
  expect(accepted).toEqual([]);
  expect(cookies.accepts('GET', { host: HOST, cookie }, NOW)).toBe(true);
  expect(cookies.accepts('GET', { host: HOST }, NOW)).toBe(false);
});

test('pages of others, on this host too, cannot use it', () => {
  const cookie = sent(cookies.issue(false, NOW));
  const accepts = (method: string, headers: Record<string, string>): boolean =>
    cookies.accepts(method, { host: HOST, cookie, ...headers }, NOW);
  expect(accepts('POST', { 'sec-fetch-site': 'same-origin' })).toBe(true);
  expect(accepts('GET', { 'sec-fetch-site': 'none' })).toBe(true);
  expect(accepts('POST', { origin: `http://${HOST}` })).toBe(true);
  expect(accepts('GET', {})).toBe(true);
  for (const method of ['GET', 'POST', 'DELETE']) {
    expect(accepts(method, { 'sec-fetch-site': 'same-site' })).toBe(false);
    expect(accepts(method, { 'sec-fetch-site': 'cross-site', origin: `http://${HOST}` })).toBe(false);
    expect(accepts(method, { origin: 'http://127.0.0.1:8080' })).toBe(false);
    expect(accepts(method, { origin: 'null' })).toBe(false);
  }
  expect(accepts('POST', {})).toBe(false);
});
