import type { IncomingMessage } from 'node:http';
import { MAX_PROGRAM_BYTES } from '@longrun/contracts';
import type { RequestHandler } from 'express';
import { refusal } from '../problems/refusal.js';

/** True for a request whose body is the module of a program, and no JSON. */
export function isModuleUpload({ method, url = '' }: Pick<IncomingMessage, 'method' | 'url'>): boolean {
  return method === 'PUT' && /^\/v1\/programs\/[^/?]+\/?(?:\?|$)/i.test(url);
}

/** How the body of such a request is read. */
export const MODULE_BODY = { type: isModuleUpload, limit: MAX_PROGRAM_BYTES } as const;

/** Refuses the upload of something that does not call itself JavaScript, before it is read. */
export const requireModuleType: RequestHandler = (request, _response, next) => {
  const type = request.headers['content-type'];
  if (!isModuleUpload(request) || /^(?:text|application)\/javascript\s*(?:;|$)/i.test(type ?? '')) return next();
  const fault = {
    path: [],
    parameter: 'Content-Type',
    code: 'module-type-unsupported',
    facts: { type: type ?? null },
  } as const;
  next(refusal('unsupported-media-type', [fault], { headers: { Accept: 'text/javascript' } }));
};
