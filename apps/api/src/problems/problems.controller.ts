import { StorableText } from '@longrun/contracts';
import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces } from '@nestjs/swagger';
import { AnswersProblems } from '../openapi/answers.js';
import { isProblemKind, problemPage } from './problem-pages.js';
import { refusal } from './refusal.js';

const KindName = StorableText.meta({ description: 'A kind of problem, such as `not-found`.' });

/** What the `type` of a problem document leads to. */
@Controller('problems')
export class ProblemsController {
  @Get(':kind')
  @Header('Cache-Control', 'no-cache')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @ApiOperation({
    summary: 'What a kind of problem means, and what to do',
    description: 'A page for people: the `type` of a problem document is its address.',
    tags: ['service'],
    security: [],
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'The page.', schema: { type: 'string' } })
  @AnswersProblems(['invalid-parameter', 'unknown-route', 'internal-error'])
  problemPage(@Param('kind', { schema: KindName }) kind: string): string {
    if (isProblemKind(kind)) return problemPage(kind);
    throw refusal('unknown-route', [
      { path: [], code: 'route-unknown', facts: { method: 'GET', path: `/problems/${kind}` } },
    ]);
  }
}
