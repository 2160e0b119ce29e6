import type { RequestHandler } from 'express';
import { refusal } from '../problems/refusal.js';
import { parseJson } from './json-text.js';

/** Refuses a body that does not call itself JSON, before it is read. A request without a body passes. */
export const requireJsonType: RequestHandler = (request, _response, next) => {
  if (!hasBody(request.headers) || isJson(request.headers['content-type'])) return next();
  const facts = { type: request.headers['content-type'] ?? null };
  const fault = { path: [], parameter: 'Content-Type', code: 'type-unsupported', facts } as const;
  next(refusal('unsupported-media-type', [fault], { headers: { Accept: 'application/json' } }));
};

/** Turns the text of the body into its value, or says at which line and column it stops being JSON. */
export const parseBody: RequestHandler = (request, _response, next) => {
  const text: unknown = request.body;
  // Empty bodies stay undefined: whether one is needed is for the route's schema to say.
  if (typeof text !== 'string' || text === '') {
    request.body = undefined;
    return next();
  }
  const parsed = parseJson(text);
  if ('value' in parsed) {
    request.body = parsed.value;
    return next();
  }
  next(refusal('malformed-json', [{ path: [], code: 'json-broken', facts: parsed.fault }]));
};

/** True for `application/json` and its `+json` relatives, with any parameters. */
export function isJson(contentType: string | undefined): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType ?? '');
}

function hasBody(headers: Readonly<Record<string, unknown>>): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
