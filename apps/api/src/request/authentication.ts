import { createHash, timingSafeEqual } from 'node:crypto';
import type { FaultOf } from '@longrun/contracts';
import type { RequestHandler, Response } from 'express';
import { refusal, type Refusal } from '../problems/refusal.js';
import type { SessionCookies } from './session-cookie.js';

/** Paths that anybody may read. Everything that is not named here needs the token, routes of tomorrow included. */
export const publicPaths: readonly RegExp[] = [/^\/health\/(live|ready)$/, /^\/openapi\.json$/, /^\/problems\/[^/]+$/];

/**
 * Lets requests through that bear the token (`Authorization: Bearer …`, RFC 6750), come from a page of ours in a browser that is signed in, or read a public
 * path. It runs before the body is read, so that strangers cannot make us parse anything. Others are refused with 401 and `WWW-Authenticate`.
 */
export function authentication(token: string, cookies: SessionCookies): RequestHandler {
  const expected = digest(token);
  return (request, response, next) => {
    const isPublic =
      (request.method === 'GET' || request.method === 'HEAD') && publicPaths.some((path) => path.test(request.path));
    if (isPublic) return next();

    const header = request.headers.authorization;
    if (header === undefined && cookies.accepts(request.method, request.headers)) {
      response.locals['isAuthenticated'] = true;
      return next();
    }
    if (header === undefined) return next(unauthenticated('token-missing'));
    const given = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    if (given === undefined) return next(unauthenticated('token-malformed'));
    // Digests have one length, so that the comparison takes one time whatever was sent.
    if (!timingSafeEqual(digest(given), expected)) return next(unauthenticated('token-wrong', 'invalid_token'));
    response.locals['isAuthenticated'] = true;
    next();
  };
}

/** Whether the request of this response bore the token or a session, where one was needed. */
export function isAuthenticated(response: Response): boolean {
  return response.locals['isAuthenticated'] === true;
}

function unauthenticated(code: FaultOf<'unauthenticated'>['code'], error?: 'invalid_token'): Refusal {
  return refusal('unauthenticated', [{ path: [], parameter: 'Authorization', code, facts: {} }], {
    headers: { 'WWW-Authenticate': `Bearer realm="longrun"${error === undefined ? '' : `, error="${error}"`}` },
  });
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
