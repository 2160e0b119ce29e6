import 'reflect-metadata';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { PlatformRole } from '@longrun/platform';
import { AppModule, type ApplicationParts } from './app.module.js';
import { securityHeaders, serveDashboard } from './dashboard/dashboard.js';
import { openApiDocument } from './openapi/document.js';
import { Description } from './openapi/openapi.controller.js';
import { ProblemFilter } from './problems/problem-filter.js';
import { RouteTable } from './problems/route-table.js';
import { authentication } from './request/authentication.js';
import { parseBody, requireJsonType } from './request/json-body.js';
import { isModuleUpload, MODULE_BODY, requireModuleType } from './request/module-upload.js';
import { refuseBrokenHttp } from './request/rejected-connection.js';
import { requestLog } from './request/request-log.js';
import { SessionCookies } from './request/session-cookie.js';
import { SchemaPipe } from './request/schema-pipe.js';

/** What a running application needs to know beyond its parts. */
export interface ApplicationOptions extends Omit<ApplicationParts, 'sessionCookies'> {
  /** What requests must bear. */
  readonly token: string;
  /** Folder of the built dashboard; need not exist. */
  readonly dashboardFolder: string;
  readonly bodyLimitBytes: number;
  readonly role: PlatformRole;
  /** Gets a line for each request, and what goes wrong. */
  readonly logger: LoggerService;
}

/**
 * The HTTP application, initialized and not yet listening. What a request passes, in this order: its line in the log, security
 * headers, the dashboard's files, the token, the body as JSON (or the module of a program), the route's schemas.
 */
export async function createApplication(options: ApplicationOptions): Promise<NestExpressApplication> {
  const { logger } = options;
  const sessionCookies = new SessionCookies(options.token);
  const application = await NestFactory.create<NestExpressApplication>(
    AppModule.of(() => ({ ...options, sessionCookies }), options.role),
    {
      bodyParser: false,
      abortOnError: false,
      logger: false,
    },
  );
  application.disable('x-powered-by');
  // Answers change under their address; only the dashboard's files, which have tags of their own, are worth asking about again.
  application.disable('etag');
  application.use(requestLog(logger), securityHeaders());
  if (options.role !== 'controller') serveDashboard(application, options.dashboardFolder);
  application.use(authentication(options.token, sessionCookies), requireJsonType, requireModuleType);
  application.useBodyParser('raw', MODULE_BODY);
  application.useBodyParser('raw', { type: (request) => !isModuleUpload(request), limit: options.bodyLimitBytes });
  application.use(parseBody);
  application.useGlobalPipes(new SchemaPipe());

  const description = application.get(Description);
  description.describe = () => openApiDocument(application);
  application.useGlobalFilters(new ProblemFilter(logger, new RouteTable(() => description.document)));
  refuseBrokenHttp(application.getHttpServer());
  return application.init();
}
