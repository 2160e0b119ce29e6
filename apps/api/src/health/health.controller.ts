import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { AnswersProblems } from '../openapi/answers.js';
import { Refusal } from '../problems/refusal.js';
import { type Dependency, Liveness, Readiness } from './health-view.js';
import { Probes } from './probes.js';

@Controller('health')
export class HealthController {
  constructor(private readonly probes: Probes) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether the process answers', tags: ['service'], security: [] })
  @ApiResponse({ status: 200, description: 'It does.', standardSchema: Liveness })
  @AnswersProblems(['internal-error'])
  isAlive(): Liveness {
    return { status: 'alive' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Whether requests can be served: record, Redis, object store and the flow of events',
    tags: ['service'],
    security: [],
  })
  @ApiResponse({ status: 200, description: 'All of them work.', standardSchema: Readiness })
  @AnswersProblems(['internal-error', 'unavailable'])
  async isReady(): Promise<Readiness> {
    const checks = await this.probes.check();
    const failed = checks.filter((check) => !check.ok);
    if (failed.length === 0) return { status: 'ready', checks: checks.map(({ name }) => ({ name, ok: true })) };
    throw new Refusal('unavailable', {
      errors: failed.map(({ name }) => ({ pointer: name, ...faults[name] })),
      headers: { 'Retry-After': '5' },
    });
  }
}

const faults: Readonly<Record<Dependency, { readonly detail: string; readonly remedy: string }>> = {
  record: {
    detail: 'The record does not answer.',
    remedy: 'See that PostgreSQL at DATABASE_URL runs, or without it, that the state folder has space left.',
  },
  redis: {
    detail: 'Redis does not answer.',
    remedy: 'Start Redis at REDIS_URL; the API connects again by itself.',
  },
  objects: {
    detail: 'The object store does not take bytes.',
    remedy: 'See that the folder or bucket of LONGRUN_OBJECTS can be written and has space left.',
  },
  events: {
    detail: 'The events of the workers do not arrive.',
    remedy: 'Wait some seconds after Redis has come back; if it lasts, see the log of the API.',
  },
};
