import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** How long a browser stays signed in, in seconds. */
const LIFETIME_S = 30 * 24 * 3_600;

/** The cookies by which a browser stays signed in to the API that has this token: proofs that it was shown, and until when, without it. */
export class SessionCookies {
  readonly #token: string;
  readonly #name: string;

  constructor(token: string) {
    this.#token = token;
    // Cookies know no ports: those of another API on this host are others.
    this.#name = `longrun-${createHash('sha256').update(`session of ${token}`).digest('hex').slice(0, 12)}`;
  }

  /** The header `Set-Cookie` that signs a browser in. @param isSecure whether it came by HTTPS, as it has to from then on */
  issue(isSecure: boolean, now: number = Date.now()): string {
    const until = String(Math.floor(now / 1_000) + LIFETIME_S);
    return this.#header(`${until}.${this.#proof(until)}`, LIFETIME_S, isSecure);
  }

  /** The header `Set-Cookie` that signs it out. */
  clear(isSecure: boolean): string {
    return this.#header('', 0, isSecure);
  }

  /**
   * Whether a request is that of a page of this API in a browser that is signed in. Pages of others, such as another server on this host, may have
   * a browser send the cookie too.
   */
  accepts(method: string, headers: IncomingHttpHeaders, now: number = Date.now()): boolean {
    return isOfOwnPage(method, headers) && this.#isSignedIn(headers.cookie, now);
  }

  #isSignedIn(header: string | undefined, now: number): boolean {
    const prefix = `${this.#name}=`;
    const value = header
      ?.split(';')
      .map((cookie) => cookie.trim())
      .find((cookie) => cookie.startsWith(prefix))
      ?.slice(prefix.length);
    const [until, proof] = value?.split('.', 2) ?? [];
    if (until === undefined || proof === undefined || !/^\d{1,15}$/.test(until)) return false;
    const [given, expected] = [digest(proof), digest(this.#proof(until))];
    return timingSafeEqual(given, expected) && now < Number(until) * 1_000;
  }

  #proof(until: string): string {
    return createHmac('sha256', this.#token).update(`longrun session until ${until}`).digest('base64url');
  }

  #header(value: string, seconds: number, isSecure: boolean): string {
    return `${this.#name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  }
}

/** Whether a page of this API sends it, or a person by the address bar. */
function isOfOwnPage(method: string, { origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  // Browsers say so to HTTPS and to this machine alone. To others they say where what changes something comes from; what only reads, no other page sees.
  if (origin !== undefined) return URL.canParse(origin) && new URL(origin).host === host;
  return method === 'GET' || method === 'HEAD';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
