import { randomUUID } from 'node:crypto';
import { begunText } from '@longrun/contracts';
import type { LoggerService } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import { isAuthenticated } from './authentication.js';
import { LineAllowance } from './line-allowance.js';

/**
 * Gives every request an id (response header `X-Request-Id`) and writes one line about it when it is over; of requests without the
 * token only so many, as strangers are not to fill the disk. Paths are logged without their query, headers and bodies never: they may
 * hold secrets.
 */
export function requestLog(logger: LoggerService): RequestHandler {
  const strangers = new LineAllowance({ atOnce: 100, perSecond: 1 });
  return (request, response, next) => {
    const id = randomUUID();
    response.locals['requestId'] = id;
    response.setHeader('X-Request-Id', id);
    const startedAt = performance.now();
    const { method, path } = request;
    response.once('close', () => {
      const line = isAuthenticated(response) ? { leftOut: 0 } : strangers.take();
      if (line === undefined) return;
      logger.log('request', {
        requestId: id,
        method,
        path: begunText(path, MAX_PATH_BYTES),
        status: response.statusCode,
        durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
        // A client that went away before the answer was complete.
        ...(response.writableFinished ? {} : { aborted: true }),
        // Requests without the token that came before this one and have no line.
        ...(line.leftOut > 0 ? { leftOut: line.leftOut } : {}),
      });
    });
    next();
  };
}

const MAX_PATH_BYTES = 500;

/** The id under which the log has the request of this response. */
export function requestIdOf(response: Response): string {
  const id: unknown = response.locals['requestId'];
  return typeof id === 'string' ? id : randomUUID();
}
