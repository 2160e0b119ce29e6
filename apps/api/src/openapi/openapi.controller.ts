import { Controller, Get, Header, Injectable } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, type OpenAPIObject } from '@nestjs/swagger';
import { AnswersProblems } from './answers.js';

/** Holds the description of the application, which exists only after the application does. */
@Injectable()
export class Description {
  document: OpenAPIObject | undefined;
}

@Controller()
export class OpenApiController {
  readonly #description: Description;

  constructor(description: Description) {
    this.#description = description;
  }

  @Get('openapi.json')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({ summary: 'This description, as OpenAPI 3.1', tags: ['service'], security: [] })
  @ApiOkResponse({ description: 'The OpenAPI document.', schema: { type: 'object' } })
  @AnswersProblems(['internal-error'])
  describe(): OpenAPIObject {
    const { document } = this.#description;
    if (document === undefined) throw new Error('The application answers before it was described');
    return document;
  }
}
