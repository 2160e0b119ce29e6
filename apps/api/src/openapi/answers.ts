import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { Problem, type ProblemKind, problemKinds } from '@longrun/contracts';
import type { z } from 'zod';

/** What a route can answer, for its OpenAPI description. */
export interface AnswerOptions {
  /** Status of success. Default 200. */
  readonly status?: number;
  readonly description: string;
  /** Described as a second success, of status 200: nothing was made, because it is there already. */
  readonly repeated?: string;
  /** What the body holds. Default: there is none. */
  readonly schema?: z.ZodType;
  /** Problems that this route can answer with, beyond those of every route. */
  readonly problems?: readonly ProblemKind[];
}

/** Problems that every route with parameters and a body has, be the body empty. */
export const BODY_PROBLEMS = [
  'malformed-json',
  'invalid-parameter',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies readonly ProblemKind[];

/** Describes the answers of a route: its success, its own problems, and those that every route behind the token has. */
export function Answers(options: AnswerOptions): MethodDecorator {
  return applyDecorators(
    ApiResponse({
      status: options.status ?? 200,
      description: options.description,
      ...(options.schema !== undefined && { standardSchema: options.schema }),
    }),
    ...(options.repeated === undefined
      ? []
      : [
          ApiResponse({
            status: 200,
            description: options.repeated,
            ...(options.schema !== undefined && { standardSchema: options.schema }),
          }),
        ]),
    AnswersProblems(['unauthenticated', ...(options.problems ?? []), 'internal-error']),
  );
}

/** Describes problem documents, one response for each status. */
export function AnswersProblems(kinds: readonly ProblemKind[]): MethodDecorator {
  const statuses = new Set(kinds.map((kind) => problemKinds[kind].status));
  return applyDecorators(
    ...[...statuses].map((status) =>
      ApiResponse({
        status,
        description: kinds
          .filter((kind) => problemKinds[kind].status === status)
          .map((kind) => `${problemKinds[kind].title} (\`${kind}\`).`)
          .join(' '),
        standardSchema: Problem,
        ...(status === 401
          ? { headers: { 'WWW-Authenticate': { schema: { type: 'string' }, description: 'Bearer' } } }
          : {}),
      }),
    ),
  );
}
