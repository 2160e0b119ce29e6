import { DatasetDryRun, DatasetList, DatasetQuery, DatasetSpec, DatasetView, StorableText } from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AnswersFile, FILE_HEADERS } from '../files/described.js';
import { FileAnswers } from '../files/file-answers.js';
import { Answers, BODY_PROBLEMS } from '../openapi/answers.js';
import { IdempotencyKey } from '../request/idempotency-key.js';

const IdOrName = StorableText.meta({ description: 'Id or name of a dataset.' });

@Controller('v1/datasets')
export class DatasetsController {
  readonly #platform: Platform;
  readonly #files: FileAnswers;

  constructor(platform: Platform, files: FileAnswers) {
    this.#platform = platform;
    this.#files = files;
  }

  @Post()
  @ApiOperation({
    summary: 'Submit a dataset',
    description:
      'A request that is identical to one that has not failed is answered with what that one made while it is converted, and where its converter ' +
      'downloads what it pins. Else a worker looks at the raw files: a new dataset takes the name and `predecessor` says which had it. Where it would be ' +
      'made of the same by the same converter, nothing is converted: it ends with `result.sameAs`, the predecessor has its name again, and what waits for ' +
      'the new one uses that. Where it fails or is cancelled the predecessor has the name again, too.',
    tags: ['datasets'],
  })
  @Answers({
    status: 201,
    repeated: 'An identical request, or the `Idempotency-Key`, has made this one before.',
    description: 'It is in the record: waiting, being converted, or ready.',
    schema: DatasetView,
    problems: [...BODY_PROBLEMS, 'conflict', 'invalid-request'],
  })
  async submitDataset(
    @Body({ schema: DatasetSpec }) spec: DatasetSpec,
    @IdempotencyKey() idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DatasetView> {
    const { dataset, created } = await this.#platform.datasets.submit(spec, { idempotencyKey });
    response.status(created ? 201 : 200).location(`/v1/datasets/${dataset.id}`);
    return dataset;
  }

  @Post('dry-run')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Check a dataset as a submission would, and record nothing',
    description:
      'What is answered, and what is refused, is what a submission at this moment would record, or be refused for.',
    tags: ['datasets'],
  })
  @Answers({
    description: 'What would be recorded, or is already.',
    schema: DatasetDryRun,
    problems: [...BODY_PROBLEMS, 'conflict', 'invalid-request'],
  })
  dryRunDataset(@Body({ schema: DatasetSpec }) spec: DatasetSpec): Promise<DatasetDryRun> {
    return this.#platform.datasets.dryRun(spec);
  }

  @Get()
  @ApiOperation({
    summary: 'List datasets, newest first: those that fit every part of the query',
    description: 'One page; `nextCursor` is `cursor` of the next one, which is asked for with the same query.',
    tags: ['datasets'],
  })
  @Answers({ description: 'One page.', schema: DatasetList, problems: ['invalid-parameter'] })
  listDatasets(@Query({ schema: DatasetQuery }) query: DatasetQuery): Promise<DatasetList> {
    return this.#platform.datasets.list(query);
  }

  @Get(':idOrName')
  @ApiOperation({
    summary: 'One dataset, by its id or its name',
    description: 'Its status, its spec, how far its conversion is, and the file that it has become.',
    tags: ['datasets'],
  })
  @Answers({ description: 'The dataset.', schema: DatasetView, problems: ['invalid-parameter', 'not-found'] })
  getDataset(@Param('idOrName', { schema: IdOrName }) idOrName: string): Promise<DatasetView> {
    return this.#platform.datasets.get(idOrName);
  }

  @Get(':idOrName/file')
  @ApiOperation({
    summary: 'The HDF5 file of a dataset that is ready',
    description: FILE_HEADERS,
    tags: ['datasets'],
  })
  @AnswersFile()
  async getDatasetFile(
    @Param('idOrName', { schema: IdOrName }) idOrName: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.#files.send(request, response, (signal) => this.#platform.datasets.file(idOrName, signal));
  }

  @Post(':idOrName/rebuild')
  @HttpCode(201)
  @ApiOperation({
    summary: 'Convert a dataset anew',
    description:
      'A new dataset of its spec takes its name and is converted, whatever it is made of. The one before stays as it is and is known by its id, until it is ' +
      'deleted; experiments that were submitted with it keep it. `predecessor.sameContent` says at the end whether the files are the same bytes.',
    tags: ['datasets'],
  })
  @Answers({
    status: 201,
    repeated: 'The `Idempotency-Key` has made this one before.',
    description: 'The new dataset: `predecessor` is the one before.',
    schema: DatasetView,
    problems: [...BODY_PROBLEMS, 'not-found', 'conflict'],
  })
  async rebuildDataset(
    @Param('idOrName', { schema: IdOrName }) idOrName: string,
    @IdempotencyKey() idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DatasetView> {
    const { dataset, created } = await this.#platform.datasets.rebuild(idOrName, { idempotencyKey });
    response.status(created ? 201 : 200).location(`/v1/datasets/${dataset.id}`);
    return dataset;
  }

  @Post(':idOrName/cancel')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for the end of a conversion',
    description:
      'One that waits ends at once, a running one when its worker hears it: `cancelRequested` says so meanwhile. The dataset counts as ' +
      'failed, with the reason `cancelled`; its `predecessor` has its name again, or nothing has.',
    tags: ['datasets'],
  })
  @Answers({
    status: 202,
    description: 'The dataset, with what is known by now.',
    schema: DatasetView,
    problems: [...BODY_PROBLEMS, 'not-found', 'conflict'],
  })
  cancelDataset(@Param('idOrName', { schema: IdOrName }) idOrName: string): Promise<DatasetView> {
    return this.#platform.datasets.cancel(idOrName);
  }

  @Delete(':idOrName')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a dataset that is ready or has failed, for good',
    description:
      'From now on it is neither listed nor found, the name that it had is free, and its file is removed in the background. Refused while it is converted, while ' +
      'one that has taken its name is, or an experiment that has not ended uses it. Experiments that have ended still say that they used it, and are not tried again without it.',
    tags: ['datasets'],
  })
  @Answers({ status: 204, description: 'It is deleted.', problems: ['invalid-parameter', 'not-found', 'conflict'] })
  async deleteDataset(@Param('idOrName', { schema: IdOrName }) idOrName: string): Promise<void> {
    await this.#platform.datasets.delete(idOrName);
  }
}
