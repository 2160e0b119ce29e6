import { z } from 'zod';

/** The bytes of a file. */
export const Bytes = z.string().meta({ format: 'binary' });

/** How every file is answered. */
export const FILE_HEADERS =
  '`ETag` and `Repr-Digest` are the SHA-256 of the whole file. One `Range` of bytes is served (206), with `If-Range` only of the ' +
  'same bytes. A file that was asked for whole and turns out to be damaged is cut off before its end.';

export const FILE_PROBLEMS = [
  'invalid-parameter',
  'not-found',
  'unreadable',
  'unavailable',
  'conflict',
  'range-not-satisfiable',
] as const;
