import { Controller, Get, Header, Injectable } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, type OpenAPIObject } from '@nestjs/swagger';
import { AnswersProblems } from './answers.js';

/** The description of the application, made when it is first asked for: that takes as long as a tenth of a start. */
@Injectable()
export class Description {
  /** Makes it. To be set once the application exists, before it answers. */
  describe: (() => OpenAPIObject) | undefined;
  #document: OpenAPIObject | undefined;

  get document(): OpenAPIObject {
    this.#document ??= this.describe?.();
    if (this.#document === undefined) throw new Error('The application answers before it can be described');
    return this.#document;
  }
}

@Controller()
export class OpenApiController {
  readonly #description: Description;

  constructor(description: Description) {
    this.#description = description;
  }

  @Get('openapi.json')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({
    summary: 'This description, as OpenAPI 3.1',
    description: 'Made from the schemas that requests are read by.',
    tags: ['service'],
    security: [],
  })
  @ApiOkResponse({ description: 'The OpenAPI document.', schema: { type: 'object' } })
  @AnswersProblems(['bad-request', 'internal-error'])
  describe(): OpenAPIObject {
    return this.#description.document;
  }
}
