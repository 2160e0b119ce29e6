import { Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Answers } from '../openapi/answers.js';
import { SessionCookies } from '../request/session-cookie.js';

/** Browsers that stay signed in. */
@Controller('v1/session')
export class SessionController {
  readonly #cookies: SessionCookies;

  constructor(cookies: SessionCookies) {
    this.#cookies = cookies;
  }

  @Post()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Sign this browser in',
    description:
      'Sets a cookie for 30 days that no script can read (`HttpOnly`, `SameSite=Strict`). With it pages of this API need no token; pages of others ' +
      'cannot use it. It is no longer accepted once the API has another token.',
    tags: ['session'],
  })
  @Answers({ status: 204, description: 'It is signed in.' })
  signIn(@Req() request: Request, @Res({ passthrough: true }) response: Response): void {
    response.setHeader('Set-Cookie', this.#cookies.issue(isSecure(request)));
  }

  @Get()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Whether this browser is signed in, or the token is right',
    description: 'Answers without a word; 401 where neither is so.',
    tags: ['session'],
  })
  @Answers({ status: 204, description: 'It is.' })
  check(): void {}

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Sign this browser out',
    description:
      'Takes the cookie away from it, in all its tabs. A copy of the cookie elsewhere is accepted until it is too old.',
    tags: ['session'],
  })
  @Answers({ status: 204, description: 'It is signed out.' })
  signOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): void {
    response.setHeader('Set-Cookie', this.#cookies.clear(isSecure(request)));
  }
}

/** TLS ends at a proxy, if there is one. */
function isSecure(request: Request): boolean {
  return request.secure || request.headers['x-forwarded-proto'] === 'https';
}
