import { ExperimentId, ParametersQuery } from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Bytes, FILE_HEADERS, FILE_PROBLEMS } from '../files/described.js';
import { sendFile } from '../files/send-file.js';
import { untilGone } from '../files/until-gone.js';
import { Answers } from '../openapi/answers.js';

/** As `libs/blocks` calls it in every snapshot. */
const PARAMETERS = 'parameters.safetensors';

@Controller('v1/experiments/:id/parameters')
export class ParametersController {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  @Get()
  @ApiOperation({
    summary: 'The trained parameters of an experiment, as a safetensors file',
    description: `Those of the newest checkpoint, which are the final ones once it has ended; \`checkpoint\` names another one. ${FILE_HEADERS}`,
    tags: ['checkpoints'],
  })
  @ApiProduces('application/octet-stream')
  @Answers({ description: 'Its bytes.', schema: Bytes, problems: FILE_PROBLEMS })
  async getParameters(
    @Param('id', { schema: ExperimentId }) id: string,
    @Query({ schema: ParametersQuery }) { checkpoint }: ParametersQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await untilGone(response, async (signal) => {
      const file = await this.#platform.checkpoints.file(id, checkpoint, { name: PARAMETERS, signal });
      await sendFile(request, response, file, signal);
    });
  }
}
