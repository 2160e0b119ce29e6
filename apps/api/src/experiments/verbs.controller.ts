import { ExperimentChange, ExperimentId, ExperimentView, HyperparameterChange } from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Body, Controller, Delete, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Answers, BODY_PROBLEMS } from '../openapi/answers.js';

const PROBLEMS = [...BODY_PROBLEMS, 'not-found', 'conflict'] as const;

/** What is done with an experiment that is there. */
@Controller('v1/experiments/:id')
export class VerbsController {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  @Patch()
  @ApiOperation({
    summary: 'Change the notes, tags or priority of an experiment',
    description: 'What is left out stays as it is. Nothing that is computed depends on them.',
    tags: ['experiments'],
  })
  @Answers({
    description: 'The experiment.',
    schema: ExperimentView,
    problems: [...BODY_PROBLEMS, 'not-found', 'invalid-request'],
  })
  changeExperiment(
    @Param('id', { schema: ExperimentId }) id: string,
    @Body({ schema: ExperimentChange }) change: ExperimentChange,
  ): Promise<ExperimentView> {
    return this.#platform.verbs.change(id, change);
  }

  @Post('preempt')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Have a running experiment give its machine back, as if it were preempted',
    description:
      'Its attempt checkpoints and ends at its next step; the next one goes on from there, at the place in the queue that the experiment had. ' +
      'It counts as a preemption. Said again before the attempt has ended, it changes nothing.',
    tags: ['experiments'],
  })
  @Answers({ status: 202, description: 'The experiment, as it is by now.', schema: ExperimentView, problems: PROBLEMS })
  preemptExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<ExperimentView> {
    return this.#platform.verbs.preempt(id);
  }

  @Post('pause')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Have an experiment give its machine back, and wait until it is resumed',
    description:
      'One that waits is paused at once, a running one at its next step, with a checkpoint: `pauseRequested` says so meanwhile. One that is paused ' +
      'stays so.',
    tags: ['experiments'],
  })
  @Answers({ status: 202, description: 'The experiment, as it is by now.', schema: ExperimentView, problems: PROBLEMS })
  pauseExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<ExperimentView> {
    return this.#platform.verbs.pause(id);
  }

  @Post('resume')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Queue a paused experiment again, at the place that it had',
    description: 'One whose pause was only asked for goes on; one that was never paused stays as it is.',
    tags: ['experiments'],
  })
  @Answers({ status: 202, description: 'The experiment, as it is by now.', schema: ExperimentView, problems: PROBLEMS })
  resumeExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<ExperimentView> {
    return this.#platform.verbs.resume(id);
  }

  @Post('set')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Set hyperparameters of an experiment that trains',
    description:
      'They are set before the next batch, once: training that goes on from an earlier checkpoint sets them again at the same step, so that it ends ' +
      'with the same bits. `settings` say which were set at which step; the log has the new values at it. What can be set, the newest attempt that ' +
      'trained says: `hyperparameters`. The last part of a name is enough where only one has it: `learningRate` or `learning_rate`.',
    tags: ['experiments'],
  })
  @Answers({
    status: 202,
    description: 'The experiment, as it is by now.',
    schema: ExperimentView,
    problems: [...PROBLEMS, 'invalid-request', 'unavailable'],
  })
  setHyperparameters(
    @Param('id', { schema: ExperimentId }) id: string,
    @Body({ schema: HyperparameterChange }) { hyperparameters }: HyperparameterChange,
  ): Promise<ExperimentView> {
    return this.#platform.hyperparameters.set(id, hyperparameters);
  }

  @Post('retry')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Queue an experiment again that has failed or was cancelled',
    description:
      'It has new budgets of failures, preemptions and time, and goes on from its newest checkpoint, or from its beginning where it has none. ' +
      'Its earlier attempts and its log stay; a stream of its events that is opened from now on goes on beyond its end.',
    tags: ['experiments'],
  })
  @Answers({
    status: 202,
    description: 'The experiment, which is queued.',
    schema: ExperimentView,
    problems: [...PROBLEMS, 'unreadable', 'unavailable'],
  })
  retryExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<ExperimentView> {
    return this.#platform.verbs.retry(id);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an experiment that has ended, for good',
    description:
      'From now on it is neither listed nor found, nor are its log, metrics, events, checkpoints and outputs, whose bytes are removed in the background. Its ' +
      'program and its datasets stay, and so do experiments that went on from it, which have copies of their own. Refused while it has not ended, has a ' +
      'checkpoint that is pinned, or one that another experiment is to begin from and has not copied yet. The `Idempotency-Key` that made it makes no other.',
    tags: ['experiments'],
  })
  @Answers({
    status: 204,
    description: 'It is deleted.',
    problems: ['invalid-parameter', 'not-found', 'conflict', 'unreadable', 'unavailable'],
  })
  async deleteExperiment(@Param('id', { schema: ExperimentId }) id: string): Promise<void> {
    await this.#platform.verbs.delete(id);
  }
}
