import { randomUUID } from 'node:crypto';
import type { LoggerService } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';

/**
 * Gives every request an id (response header `X-Request-Id`) and writes one line about it when it is over. Paths are
 * logged without their query, headers and bodies never: they may hold secrets.
 */
export function requestLog(logger: LoggerService): RequestHandler {
  return (request, response, next) => {
    const id = randomUUID();
    response.locals['requestId'] = id;
    response.setHeader('X-Request-Id', id);
    const startedAt = performance.now();
    const { method, path } = request;
    response.once('close', () => {
      logger.log('request', {
        requestId: id,
        method,
        path,
        status: response.statusCode,
        durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
        // A client that went away before the answer was complete.
        ...(response.writableFinished ? {} : { aborted: true }),
      });
    });
    next();
  };
}

/** The id under which the log has the request of this response. */
export function requestIdOf(response: Response): string {
  const id: unknown = response.locals['requestId'];
  return typeof id === 'string' ? id : randomUUID();
}
