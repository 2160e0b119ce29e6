import {
  CheckpointFileQuery,
  CheckpointReference,
  CheckpointVerification,
  ExperimentId,
  StorableText,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
} from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Answers, BODY_PROBLEMS } from '../openapi/answers.js';
import { AnswersFile, FILE_HEADERS } from '../files/described.js';
import { FileAnswers } from '../files/file-answers.js';
import { untilGone } from '../files/until-gone.js';
import { Verifications } from './verifications.js';

const PROBLEMS = ['invalid-parameter', 'not-found', 'unreadable', 'unavailable'] as const;

const WHICH = 'A checkpoint is named by its step, by its name (`<step>-<fence>`), or as `latest`.';

const FileName = StorableText.meta({
  description: 'Name of a file of the checkpoint, such as `parameters.safetensors`.',
});

const VERIFYING =
  'It takes as long as the object store takes to give all bytes: after each `Longrun-Heartbeat-Ms` milliseconds comes a blank before the JSON. It ends ' +
  'when the client leaves; few are under way at once.';

@Controller('v1/experiments/:id/checkpoints')
export class CheckpointsController {
  readonly #platform: Platform;
  readonly #files: FileAnswers;
  readonly #verifications: Verifications;

  constructor(platform: Platform, files: FileAnswers, verifications: Verifications) {
    this.#platform = platform;
    this.#files = files;
    this.#verifications = verifications;
  }

  @Get()
  @ApiOperation({
    summary: 'The checkpoints of an experiment, newest first, as they lie in the object store now',
    description: 'One whose manifest is damaged is among them and says so. Of their files nothing is read.',
    tags: ['checkpoints'],
  })
  @Answers({ description: 'All of them.', schema: StoredCheckpointList, problems: PROBLEMS })
  listCheckpoints(@Param('id', { schema: ExperimentId }) id: string): Promise<StoredCheckpointList> {
    return this.#platform.checkpoints.list(id);
  }

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Read every byte of all checkpoints, and of the log that is kept beside them',
    description: VERIFYING,
    tags: ['checkpoints'],
  })
  @Answers({
    description: 'What was found of each.',
    schema: CheckpointVerification,
    problems: [...BODY_PROBLEMS, ...PROBLEMS],
  })
  async verifyCheckpoints(@Param('id', { schema: ExperimentId }) id: string, @Res() response: Response): Promise<void> {
    await this.#verify(response, id, undefined);
  }

  @Get(':checkpoint')
  @ApiOperation({
    summary: 'What a checkpoint consists of: files, tensors, environment, log',
    description: WHICH,
    tags: ['checkpoints'],
  })
  @Answers({ description: 'The checkpoint.', schema: StoredCheckpointView, problems: PROBLEMS })
  getCheckpoint(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('checkpoint', { schema: CheckpointReference }) checkpoint: string,
  ): Promise<StoredCheckpointView> {
    return this.#platform.checkpoints.get(id, checkpoint);
  }

  @Post(':checkpoint/verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Read every byte of a checkpoint and compare it with what was committed',
    description: VERIFYING,
    tags: ['checkpoints'],
  })
  @Answers({
    description: 'What was found of it.',
    schema: CheckpointVerification,
    problems: [...BODY_PROBLEMS, ...PROBLEMS],
  })
  async verifyCheckpoint(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('checkpoint', { schema: CheckpointReference }) checkpoint: string,
    @Res() response: Response,
  ): Promise<void> {
    await this.#verify(response, id, checkpoint);
  }

  @Put(':checkpoint/pin')
  @ApiOperation({
    summary: 'Keep a checkpoint, whatever is committed after it',
    description: `${WHICH} One that is pinned already stays so.`,
    tags: ['checkpoints'],
  })
  @Answers({
    description: 'The checkpoint, with what holds it.',
    schema: StoredCheckpointSummary,
    problems: [...BODY_PROBLEMS, ...PROBLEMS, 'conflict'],
  })
  pinCheckpoint(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('checkpoint', { schema: CheckpointReference }) checkpoint: string,
  ): Promise<StoredCheckpointSummary> {
    return this.#platform.checkpoints.pin(id, checkpoint);
  }

  @Delete(':checkpoint/pin')
  @ApiOperation({
    summary: 'Let go of a checkpoint that was pinned',
    description: `${WHICH} By a step the newest one of it that is pinned is meant. If nothing else keeps it, the next commit removes it.`,
    tags: ['checkpoints'],
  })
  @Answers({
    description: 'The checkpoint, with what still holds it.',
    schema: StoredCheckpointSummary,
    problems: [...BODY_PROBLEMS, ...PROBLEMS],
  })
  unpinCheckpoint(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('checkpoint', { schema: CheckpointReference }) checkpoint: string,
  ): Promise<StoredCheckpointSummary> {
    return this.#platform.checkpoints.unpin(id, checkpoint);
  }

  @Get(':checkpoint/files/:name')
  @ApiOperation({
    summary: 'The bytes of a file of a checkpoint',
    description: `${WHICH} ${FILE_HEADERS}`,
    tags: ['checkpoints'],
  })
  @AnswersFile()
  async getCheckpointFile(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('checkpoint', { schema: CheckpointReference }) checkpoint: string,
    @Param('name', { schema: FileName }) name: string,
    @Query({ schema: CheckpointFileQuery }) { copy }: CheckpointFileQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.#files.send(request, response, (signal) =>
      this.#platform.checkpoints.file(id, checkpoint, { name, copy, signal }),
    );
  }

  async #verify(response: Response, id: string, checkpoint: string | undefined): Promise<void> {
    await untilGone(response, (signal) =>
      this.#verifications.send(response, (onFound) =>
        this.#platform.checkpoints.verify(id, checkpoint, { signal, onFound }),
      ),
    );
  }
}
