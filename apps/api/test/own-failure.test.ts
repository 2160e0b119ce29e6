import 'reflect-metadata';
import { Controller, Get, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Problem } from '@longrun/contracts';
import request from 'supertest';
import { expect, test } from 'vitest';
import { openApiDocument } from '../src/openapi/document.js';
import { ProblemFilter } from '../src/problems/problem-filter.js';
import { RouteTable } from '../src/problems/route-table.js';
import { requestLog } from '../src/request/request-log.js';
import { problemErrorsOf } from './problem.js';

class Failing {
  fails(): never {
    throw new Error('ENOENT: /secret/place/x');
  }
}
// Decorators are lowered in the source, but not in tests.
Controller()(Failing);
Get('fails')(Failing.prototype, 'fails', Object.getOwnPropertyDescriptor(Failing.prototype, 'fails') ?? {});

test('a failure of ours is logged with its id and tells the client nothing', async () => {
  const logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  const logger: LoggerService = {
    log: () => {},
    warn: () => {},
    error: (message: string, fields: Readonly<Record<string, unknown>>) => logged.push({ message, fields }),
  };
  const application = await NestFactory.create<NestExpressApplication>(
    { module: Failing, controllers: [Failing] },
    { logger: false },
  );
  application.use(requestLog(logger));
  application.useGlobalFilters(new ProblemFilter(logger, new RouteTable(() => openApiDocument(application))));
  await application.init();

  const answer = await request(application.getHttpServer()).get('/fails');
  problemErrorsOf(answer, 'internal-error');
  expect(answer.text).not.toMatch(/ENOENT|secret|\bat\b.*\.[jt]s/);
  const { instance } = Problem.parse(answer.body);
  const line = logged.find(({ fields }) => `urn:uuid:${String(fields['requestId'])}` === instance);
  expect(line?.message).toBe('ENOENT: /secret/place/x');
  expect(String(line?.fields['stack'])).toContain('own-failure.test.ts');
  await application.close();
});
