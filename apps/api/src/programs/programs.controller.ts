import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Answers } from '../openapi/answers.js';
import { ProgramList } from './program-view.js';
import { Programs } from './programs.js';

@Controller('v1/programs')
export class ProgramsController {
  readonly #programs: Programs;

  constructor(programs: Programs) {
    this.#programs = programs;
  }

  @Get()
  @ApiOperation({
    summary: 'The programs that experiments can name, with the schemas of their parameters',
    tags: ['programs'],
  })
  @Answers({ description: 'Every program, by name.', schema: ProgramList, problems: ['unavailable'] })
  async listPrograms(): Promise<ProgramList> {
    return { items: await this.#programs.list() };
  }
}
