import { CHECKPOINT_FILES, ExperimentId, OutputList, ResultsQuery, StorableText } from '@longrun/contracts';
import { type FileRequest, Platform } from '@longrun/platform';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AnswersFile, FILE_HEADERS } from '../files/described.js';
import { FileAnswers } from '../files/file-answers.js';
import { Answers } from '../openapi/answers.js';

const WHICH =
  'Those of the newest checkpoint, which are the final ones once it has succeeded; `checkpoint` names another one.';

const OutputName = StorableText.meta({ description: 'Name of an output of the program, such as `epochs.csv`.' });

/** What an experiment has made so far. */
@Controller('v1/experiments/:id')
export class ResultsController {
  readonly #platform: Platform;
  readonly #files: FileAnswers;

  constructor(platform: Platform, files: FileAnswers) {
    this.#platform = platform;
    this.#files = files;
  }

  @Get('parameters')
  @ApiOperation({
    summary: 'The trained parameters of an experiment, as a safetensors file',
    description: `${WHICH} ${FILE_HEADERS}`,
    tags: ['checkpoints'],
  })
  @AnswersFile()
  async getParameters(
    @Param('id', { schema: ExperimentId }) id: string,
    @Query({ schema: ResultsQuery }) { checkpoint }: ResultsQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.#send(request, response, id, { checkpoint, name: CHECKPOINT_FILES.parameters });
  }

  @Get('outputs')
  @ApiOperation({
    summary: 'The files that the program of an experiment has written',
    description: WHICH,
    tags: ['checkpoints'],
  })
  @Answers({
    description: 'All of them.',
    schema: OutputList,
    problems: ['invalid-parameter', 'not-found', 'unreadable', 'unavailable'],
  })
  async listOutputs(
    @Param('id', { schema: ExperimentId }) id: string,
    @Query({ schema: ResultsQuery }) { checkpoint }: ResultsQuery,
  ): Promise<OutputList> {
    const { name: found, step, files } = await this.#platform.checkpoints.get(id, checkpoint);
    const { outputPrefix } = CHECKPOINT_FILES;
    const items = files
      .filter(({ name }) => name.startsWith(outputPrefix))
      .map(({ name, sha256, sizeBytes }) => ({ name: name.slice(outputPrefix.length), sha256, sizeBytes }));
    return { checkpoint: found, step, items };
  }

  @Get('outputs/:name')
  @ApiOperation({
    summary: 'A file that the program of an experiment has written',
    description: `${WHICH} ${FILE_HEADERS}`,
    tags: ['checkpoints'],
  })
  @AnswersFile()
  async getOutput(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('name', { schema: OutputName }) name: string,
    @Query({ schema: ResultsQuery }) { checkpoint }: ResultsQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.#send(request, response, id, { checkpoint, name, prefix: CHECKPOINT_FILES.outputPrefix });
  }

  async #send(
    request: Request,
    response: Response,
    id: string,
    { checkpoint, ...file }: { readonly checkpoint: string } & Pick<FileRequest, 'name' | 'prefix'>,
  ): Promise<void> {
    await this.#files.send(request, response, (signal) =>
      this.#platform.checkpoints.file(id, checkpoint, { ...file, signal }),
    );
  }
}
