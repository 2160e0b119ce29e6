import { ProgramList, ProgramListQuery, ProgramView, PublishQuery, Sha256, StorableText } from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Body, Controller, Get, Param, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import type { Response } from 'express';
import { Answers } from '../openapi/answers.js';
import { refusal } from '../problems/refusal.js';

const ModuleSha256 = Sha256.meta({ description: 'SHA-256 of the module, as 64 lower-case hexadecimal digits.' });
const Reference = StorableText.meta({
  description: 'A program: its name, or its name, `@` and at least 6 of the first digits of its SHA-256.',
});

@Controller('v1/programs')
export class ProgramsController {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  @Get()
  @ApiOperation({
    summary: 'The programs that experiments can name, with the schemas of their parameters, last published first',
    description: 'Of each name the newest; with `name` all that were published under it.',
    tags: ['programs'],
  })
  @Answers({ description: 'One page.', schema: ProgramList, problems: ['invalid-parameter'] })
  listPrograms(@Query({ schema: ProgramListQuery }) query: ProgramListQuery): Promise<ProgramList> {
    return this.#platform.programs.list(query);
  }

  @Put(':program')
  @ApiOperation({
    summary: 'Publish a program: one ES module, under a name of which it is the newest from then on',
    description:
      'The path has the SHA-256 of the module. The module imports nothing but `@longrun/*` and what Node has itself, and its default export is a ' +
      '`defineExperiment`: `longrun programs publish FILE` makes one. It is imported in a process of its own, with limits on time and memory, to see ' +
      'what it takes; one that does not say it is refused, and not kept. Experiments that were submitted keep the program that they have.',
    tags: ['programs'],
  })
  @ApiConsumes('text/javascript')
  @ApiBody({ schema: { type: 'string' } })
  @Answers({
    status: 201,
    repeated: 'The module has been published under this name before. It is the newest now.',
    description: 'It is published.',
    schema: ProgramView,
    problems: ['invalid-parameter', 'body-too-large', 'unsupported-media-type', 'invalid-request', 'unavailable'],
  })
  async publishProgram(
    @Param('program', { schema: ModuleSha256 }) sha256: string,
    @Query({ schema: PublishQuery }) { name }: PublishQuery,
    @Body() module: unknown,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ProgramView> {
    if (!(module instanceof Uint8Array) || module.byteLength === 0) {
      const facts = { program: name, says: 'the body is empty' };
      throw refusal('invalid-request', [{ path: [], code: 'module-broken', facts }]);
    }
    const { program, created } = await this.#platform.programs.publish({ name, sha256, module });
    response.status(created ? 201 : 200).location(`/v1/programs/${name}@${sha256}`);
    return program;
  }

  @Get(':program')
  @ApiOperation({
    summary: 'One program, with the schema of its parameters',
    description:
      'By its name, which means the newest, or by its name, `@` and at least 6 of the first digits of its SHA-256.',
    tags: ['programs'],
  })
  @Answers({ description: 'The program.', schema: ProgramView, problems: ['invalid-parameter', 'not-found'] })
  getProgram(@Param('program', { schema: Reference }) program: string): Promise<ProgramView> {
    return this.#platform.programs.get(program);
  }
}
