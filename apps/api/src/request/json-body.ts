import { decodeText } from '@longrun/contracts';
import type { RequestHandler } from 'express';
import { refusal } from '../problems/refusal.js';
import { excessOf } from './json-limits.js';
import { parseJson } from './json-text.js';
import { isModuleUpload } from './module-upload.js';

/** Refuses a body that does not call itself JSON, or says that it is not in UTF-8, before it is read. A request without a body passes. */
export const requireJsonType: RequestHandler = (request, _response, next) => {
  if (!hasBody(request.headers) || isModuleUpload(request)) return next();
  const type = request.headers['content-type'];
  const charset = charsetOf(type);
  if (isJson(type) && !isUtf8(charset)) {
    const facts = { says: `it is said to be in ${JSON.stringify(charset)}, and JSON is in UTF-8` };
    return next(
      refusal('unsupported-media-type', [{ path: [], parameter: 'Content-Type', code: 'encoding-unsupported', facts }]),
    );
  }
  if (isJson(type)) return next();
  const fault = {
    path: [],
    parameter: 'Content-Type',
    code: 'type-unsupported',
    facts: { type: type ?? null },
  } as const;
  next(refusal('unsupported-media-type', [fault], { headers: { Accept: 'application/json' } }));
};

/**
 * Turns the bytes of the body into the value of their JSON, or says which encoding they are in, at which line and column they stop being
 * JSON, or what their JSON has too much of.
 */
export const parseBody: RequestHandler = (request, _response, next) => {
  if (isModuleUpload(request)) return next();
  const bytes: unknown = request.body;
  // Empty bodies stay undefined: whether one is needed is for the route's schema to say.
  request.body = undefined;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return next();
  const decoded = decodeText(bytes);
  if (!decoded.ok)
    return next(refusal('malformed-json', [{ path: [], code: 'text-undecodable', facts: decoded.fault }]));
  const excess = excessOf(decoded.text);
  if (excess !== undefined)
    return next(refusal('body-too-large', [{ path: [], code: 'json-too-large', facts: excess }]));
  const parsed = parseJson(decoded.text);
  if ('fault' in parsed)
    return next(refusal('malformed-json', [{ path: [], code: 'json-broken', facts: parsed.fault }]));
  request.body = parsed.value;
  next();
};

/** True for `application/json` and its `+json` relatives, with any parameters. */
export function isJson(contentType: string | undefined): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType ?? '');
}

function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1];
}

/** ASCII is UTF-8, and what is not said is so (RFC 8259). */
function isUtf8(charset: string | undefined): boolean {
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset);
}

function hasBody(headers: Readonly<Record<string, unknown>>): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
