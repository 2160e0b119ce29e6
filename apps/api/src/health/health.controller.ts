import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { AnswersProblems } from '../openapi/answers.js';
import { refusal } from '../problems/refusal.js';
import { Liveness, Readiness } from './health-view.js';
import { Probes } from './probes.js';

@Controller('health')
export class HealthController {
  readonly #probes: Probes;

  constructor(probes: Probes) {
    this.#probes = probes;
  }

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Whether the process answers',
    description: 'It looks at nothing else: who is told that it does not may start it anew.',
    tags: ['service'],
    security: [],
  })
  @ApiResponse({ status: 200, description: 'It does.', standardSchema: Liveness })
  @AnswersProblems(['bad-request', 'internal-error'])
  isAlive(): Liveness {
    return { status: 'alive' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Whether requests can be served: record, Redis, object store and the flow of events',
    description: 'While one of them does not work, the answer is 503, and its `errors` say which and why.',
    tags: ['service'],
    security: [],
  })
  @ApiResponse({ status: 200, description: 'All of them work.', standardSchema: Readiness })
  @AnswersProblems(['bad-request', 'internal-error', 'unavailable'])
  async isReady(): Promise<Readiness> {
    const checks = await this.#probes.latest();
    const failed = checks.filter((check) => !check.ok);
    if (failed.length === 0) return { status: 'ready', checks: checks.map(({ name }) => ({ name, ok: true })) };
    throw refusal(
      'unavailable',
      failed.map(({ name, why }) => ({ path: [], parameter: name, code: 'part-silent', facts: { part: name, why } })),
      { headers: { 'Retry-After': '5' } },
    );
  }
}
