import { applyDecorators } from '@nestjs/common';
import { ApiProduces, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { Answers } from '../openapi/answers.js';

/** How every file is answered. */
export const FILE_HEADERS =
  '`ETag` and `Repr-Digest` are the SHA-256 of the whole file. One `Range` of bytes is served (206), with `If-Range` only of the ' +
  'same bytes. A file that was asked for whole and turns out to be damaged is cut off before its end. Where LONGRUN_DOWNLOADS is `redirect` and the ' +
  'objects are in S3, a GET of 1 MiB or more is answered with where it is to be fetched (307).';

/** Describes the answers of a route that gives a file. */
export function AnswersFile(): MethodDecorator {
  return applyDecorators(
    ApiProduces('application/octet-stream'),
    Answers({ description: 'Its bytes.', schema: z.string().meta({ format: 'binary' }), problems: FILE_PROBLEMS }),
    ApiResponse({
      status: 307,
      description:
        'A URL of the object store, valid for ten minutes, that gives the same bytes for the same `Range`. Send it no token, keep it from logs, and compare ' +
        'what comes with `Repr-Digest`: the store does not.',
      headers: {
        Location: { schema: { type: 'string', format: 'uri' }, description: 'The URL.' },
        'Repr-Digest': { schema: { type: 'string' }, description: 'The SHA-256 of the whole file.' },
      },
    }),
  );
}

const FILE_PROBLEMS = [
  'invalid-parameter',
  'not-found',
  'unreadable',
  'unavailable',
  'conflict',
  'range-not-satisfiable',
] as const;
