import { visibleText } from '@longrun/contracts';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, type LoggerService } from '@nestjs/common';
import type { Request, Response } from 'express';
import { requestIdOf } from '../request/request-log.js';
import type { RouteTable } from './route-table.js';
import { refusalOf } from './refusal-of.js';

/**
 * Answers everything that was thrown with a problem document (RFC 9457). What is not the client's fault is logged with its
 * stack under the request's id, and the client is told no more than that id.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: LoggerService;
  readonly #routes: RouteTable;

  constructor(logger: LoggerService, routes: RouteTable) {
    this.#logger = logger;
    this.#routes = routes;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const requestId = requestIdOf(response);
    const refusal = refusalOf(error, {
      method: request.method,
      path: request.path,
      methods: this.#routes.methodsAt(request.path),
    });
    // That we are not ready is said in full to whoever asks, and anybody may ask. Of an answer that has begun the client is told nothing.
    if (refusal.kind === 'internal-error' || response.headersSent) {
      const cause = refusal.cause ?? error;
      this.#logger.error(visibleText(cause instanceof Error ? cause.message : String(cause)), {
        requestId,
        kind: refusal.kind,
        stack: cause instanceof Error ? visibleText(cause.stack ?? '') : undefined,
        ...(cause instanceof HttpException ? { response: cause.getResponse() } : {}),
      });
    }
    if (response.headersSent) {
      // A stream has begun: cutting it is the only way left to say that it is not complete.
      response.destroy();
      return;
    }
    response.status(refusal.status).set(refusal.headers);
    response.type('application/problem+json').send(JSON.stringify(refusal.document(requestId)));
  }
}
