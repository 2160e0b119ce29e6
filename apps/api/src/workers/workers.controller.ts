import { DrainRequest, StorableText, WorkerList, WorkerView } from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Answers, BODY_PROBLEMS } from '../openapi/answers.js';

const WorkerId = StorableText.meta({ description: 'Id of a worker.' });

@Controller('v1/workers')
export class WorkersController {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  @Get()
  @ApiOperation({
    summary: 'List workers: those that are alive or were seen in the last day',
    description: 'The last one seen first, each with its devices, what it runs, and whether it takes jobs.',
    tags: ['workers'],
  })
  @Answers({ description: 'All of them, the last one seen first.', schema: WorkerList, problems: [] })
  listWorkers(): Promise<WorkerList> {
    return this.#platform.workers.list();
  }

  @Post(':id/drain')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Have a worker finish what it runs and take no further job',
    description: 'It stays so until it is released.',
    tags: ['workers'],
  })
  @Answers({
    status: 202,
    description: 'The worker, as it is wanted from now on.',
    schema: WorkerView,
    problems: [...BODY_PROBLEMS, 'not-found'],
  })
  drainWorker(
    @Param('id', { schema: WorkerId }) id: string,
    @Body({ schema: DrainRequest }) { reason }: DrainRequest,
  ): Promise<WorkerView> {
    return this.#platform.workers.drain(id, reason);
  }

  @Post(':id/release')
  @HttpCode(202)
  @ApiOperation({ summary: 'Let a worker take jobs again', description: 'It undoes a drain.', tags: ['workers'] })
  @Answers({
    status: 202,
    description: 'The worker, as it is wanted from now on.',
    schema: WorkerView,
    problems: [...BODY_PROBLEMS, 'not-found'],
  })
  releaseWorker(@Param('id', { schema: WorkerId }) id: string): Promise<WorkerView> {
    return this.#platform.workers.release(id);
  }
}
