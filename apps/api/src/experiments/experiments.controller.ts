import {
  ComparisonQuery,
  ExperimentComparison,
  ExperimentDryRun,
  ExperimentExport,
  ExperimentId,
  ExperimentList,
  ExperimentQuery,
  ExperimentSpec,
  ExperimentView,
  ExportQuery,
  LiveEvent,
  LogPage,
  LogQuery,
} from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces } from '@nestjs/swagger';
import type { Response } from 'express';
import { Verifications } from '../checkpoints/verifications.js';
import { untilGone } from '../files/until-gone.js';
import { Answers, BODY_PROBLEMS } from '../openapi/answers.js';
import { IdempotencyKey } from '../request/idempotency-key.js';
import { EventQuery } from './event-query.js';
import { EventStreams } from './event-streams.js';
import { LastEventId } from './last-event-id.js';

@Controller('v1/experiments')
export class ExperimentsController {
  readonly #platform: Platform;
  readonly #streams: EventStreams;
  readonly #verifications: Verifications;

  constructor(platform: Platform, streams: EventStreams, verifications: Verifications) {
    this.#verifications = verifications;
    this.#platform = platform;
    this.#streams = streams;
  }

  @Post()
  @ApiOperation({
    summary: 'Submit an experiment',
    description:
      'The spec is checked, by its program too, and recorded as `queued` with its `Idempotency-Key`: a repetition makes no second one.',
    tags: ['experiments'],
  })
  @Answers({
    status: 201,
    repeated: 'The `Idempotency-Key` has made this one before.',
    description: 'It is in the record and waits for a worker.',
    schema: ExperimentView,
    problems: [...BODY_PROBLEMS, 'conflict', 'invalid-request', 'unavailable'],
  })
  async submitExperiment(
    @Body({ schema: ExperimentSpec }) spec: ExperimentSpec,
    @IdempotencyKey() idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ExperimentView> {
    const { experiment, created } = await this.#platform.experiments.submit(spec, { idempotencyKey });
    response.status(created ? 201 : 200).location(`/v1/experiments/${experiment.id}`);
    return experiment;
  }

  @Post('dry-run')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Check an experiment as a submission would, and record nothing',
    description:
      'What is answered, and what is refused, is what a submission at this moment would record, or be refused for.',
    tags: ['experiments'],
  })
  @Answers({
    description: 'What would be recorded.',
    schema: ExperimentDryRun,
    problems: [...BODY_PROBLEMS, 'invalid-request', 'unavailable'],
  })
  dryRunExperiment(@Body({ schema: ExperimentSpec }) spec: ExperimentSpec): Promise<ExperimentDryRun> {
    return this.#platform.experiments.dryRun(spec);
  }

  @Post(':id/reproduce')
  @HttpCode(201)
  @ApiOperation({
    summary: 'Submit an experiment once more, the very same',
    description:
      'Of the same module, parameters, seed, resources and datasets, whatever their names mean by now, without its notes and tags; from the same checkpoint, where it ' +
      'began from one. What is refused of its spec is said by the places there. Once both have ended, `comparison` says whether they are identical.',
    tags: ['experiments'],
  })
  @Answers({
    status: 201,
    repeated: 'The `Idempotency-Key` has made this one before.',
    description: 'The new experiment: `reproduces` is the id of the other.',
    schema: ExperimentView,
    problems: [...BODY_PROBLEMS, 'not-found', 'conflict', 'invalid-request', 'unreadable', 'unavailable'],
  })
  async reproduceExperiment(
    @Param('id', { schema: ExperimentId }) id: string,
    @IdempotencyKey() idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ExperimentView> {
    const { experiment, created } = await this.#platform.experiments.reproduce(id, { idempotencyKey });
    response.status(created ? 201 : 200).location(`/v1/experiments/${experiment.id}`);
    return experiment;
  }

  @Get(':id/comparison')
  @ApiOperation({
    summary: 'Whether two experiments have ended with the same result, bit for bit, or where they part',
    description:
      '`a` is the experiment of the path and `b` the one of the query. Compared are the logs, but for what the clock on the wall says, the final parameters and ' +
      'the files that the programs have written. While it reads, blanks come before the answer.',
    tags: ['experiments'],
  })
  @Answers({
    description: 'The verdict, and what differs.',
    schema: ExperimentComparison,
    problems: ['invalid-parameter', 'not-found', 'unreadable', 'unavailable'],
  })
  async compareExperiments(
    @Param('id', { schema: ExperimentId }) id: string,
    @Query({ schema: ComparisonQuery }) { with: other }: ComparisonQuery,
    @Res() response: Response,
  ): Promise<void> {
    await untilGone(response, async (signal) => {
      await this.#verifications.send(response, (onFound) =>
        this.#platform.comparisons.compare(id, other, { signal, onFound }),
      );
    });
  }

  @Get()
  @ApiOperation({
    summary: 'List experiments: those that fit every part of the query',
    description:
      'By default all, newest first. `where` has conditions on the last values of metrics with commas between, such as `metric.valid_cost<0.3`; `sort` is ' +
      '`created`, `ended`, `name`, `status` or `metric.NAME`, with `-` before it descending; `metrics` names those of which each item says the last value; `tag` names tags with commas between, all of which it has. A name with ' +
      'a comma, a quote or a comparison in it is written as a JSON string. The pages after the first are asked for with the same query.',
    tags: ['experiments'],
  })
  @Answers({ description: 'One page.', schema: ExperimentList, problems: ['invalid-parameter'] })
  listExperiments(@Query({ schema: ExperimentQuery }) query: ExperimentQuery): Promise<ExperimentList> {
    return this.#platform.experiments.list(query);
  }

  @Get('export')
  @ApiOperation({
    summary: 'Experiments with their specs and metrics, oldest first: those that fit every part of the query',
    description:
      'For tables of all runs. The query is that of the list, without `sort` and `metrics`. A page has fewer than `limit` where they are large; one that is submitted meanwhile is on ' +
      'a later page.',
    tags: ['experiments'],
  })
  @Answers({ description: 'One page.', schema: ExperimentExport, problems: ['invalid-parameter'] })
  exportExperiments(@Query({ schema: ExportQuery }) query: ExportQuery): Promise<ExperimentExport> {
    return this.#platform.experiments.exportPage(query);
  }

  @Get(':id')
  @ApiOperation({
    summary: 'One experiment with its attempts and checkpoints',
    description:
      'As the record has it now: status, progress, result, spec and what it runs on. `/events` tells what changes.',
    tags: ['experiments'],
  })
  @Answers({ description: 'The experiment.', schema: ExperimentView, problems: ['invalid-parameter', 'not-found'] })
  getExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<ExperimentView> {
    return this.#platform.experiments.get(id);
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for the end of an experiment',
    description: 'One that waits ends at once, a running one at its next step: `cancelRequested` says so meanwhile.',
    tags: ['experiments'],
  })
  @Answers({
    status: 202,
    description: 'The experiment, with what is known by now.',
    schema: ExperimentView,
    problems: [...BODY_PROBLEMS, 'not-found', 'conflict'],
  })
  cancelExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<ExperimentView> {
    return this.#platform.experiments.cancel(id);
  }

  @Get(':id/events')
  @ApiOperation({
    summary: 'Follow an experiment: its events so far, then live, as server-sent events',
    description:
      'Each event has the name of its `type` and is one JSON object. After the event that says that the experiment has ended ' +
      'comes one named `end`, and the stream is over. A stream that breaks off without it is to be opened again with the last id ' +
      'seen. After `Longrun-Heartbeat-Ms` milliseconds of silence comes a comment: a stream that is silent for several of them is dead.',
    tags: ['experiments'],
  })
  @ApiProduces('text/event-stream')
  @Answers({ description: 'The stream.', schema: LiveEvent, problems: ['invalid-parameter', 'not-found'] })
  async followExperiment(
    @Param('id', { schema: ExperimentId }) id: string,
    @Query({ schema: EventQuery }) query: EventQuery,
    @LastEventId() lastEventId: number | undefined,
    @Res() response: Response,
  ): Promise<void> {
    // Refuses what does not exist while there still is a status to say it with.
    await this.#platform.experiments.get(id);
    await this.#streams.send(response, this.#platform, id, lastEventId ?? query.after);
  }

  @Get(':id/log')
  @ApiOperation({
    summary: 'The training log, oldest row first',
    description:
      'One page of rows by step, as they hold now: those that a resume has trained again stand here once. `nextAfter` is `after` of the next page; null: there is none.',
    tags: ['experiments'],
  })
  @Answers({ description: 'One page of rows.', schema: LogPage, problems: ['invalid-parameter', 'not-found'] })
  readLog(
    @Param('id', { schema: ExperimentId }) id: string,
    @Query({ schema: LogQuery }) { after, limit }: LogQuery,
  ): Promise<LogPage> {
    return this.#platform.experiments.logPage(id, { after, limit });
  }
}
