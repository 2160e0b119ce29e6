import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { maskedUrl } from '@longrun/serialization';
import { z } from 'zod';

import { DEFAULT_PREFIX, PREFIX_PATTERN } from '../redis/keys.js';
import { graceMs, heartbeatMs, workerLostAfterMs } from './limits.js';
import { milliseconds, secretUrl, userNumber } from './read-variables.js';

/** What a bearer token may look like (RFC 6750, section 2.1), at a length that cannot be guessed. */
export const TOKEN_PATTERN = /^[A-Za-z0-9._~+/-]{16,512}={0,2}$/;

/**
 * The environment variables that more than one app reads: each with its default, its limits and what is said to a value that
 * cannot be. An app picks those that it needs and hands them to `readVariables`, with the ones of its own.
 */
export const variables = {
  /** Folder of all state. Default ./.longrun. */
  LONGRUN_STATE: z.string().default('.longrun'),
  /** Object store of checkpoints and datasets. Default: the folder `objects` of the state, see {@link places}. */
  LONGRUN_OBJECTS: z
    .string()
    .regex(/^[a-z0-9]+:/, {
      error: ({ input }) =>
        `${JSON.stringify(maskedUrl(String(input)))} is not an object store; give a URL such as file:/var/lib/longrun/objects or s3://bucket/prefix`,
    })
    .optional(),
  /** Redis of queues, events and commands. Default redis://127.0.0.1:6379. */
  REDIS_URL: secretUrl(['redis:', 'rediss:'], 'redis://127.0.0.1:6379').default('redis://127.0.0.1:6379'),
  /** Prefix of all names in Redis, the same for all who are to meet there. Default `longrun`. */
  LONGRUN_REDIS_PREFIX: z
    .string()
    .regex(PREFIX_PATTERN, {
      error: ({ input }) => `${JSON.stringify(input)} is not a prefix; give letters, digits, - and _ only`,
    })
    .default(DEFAULT_PREFIX),
  /** PostgreSQL that holds the record. Default: one embedded in the state folder. */
  DATABASE_URL: secretUrl(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/longrun').optional(),
  /** Who programs and converters run as, see `Isolation`. Default `auto`. */
  LONGRUN_TRAINER_USER: userNumber(),
  /** Where clients find the API. Default: what `api.json` in the state folder says. */
  LONGRUN_URL: secretUrl(['http:', 'https:'], 'http://127.0.0.1:4000').optional(),
  /** Bearer token of the API. Default: the content of the file `token` in the state folder. */
  LONGRUN_TOKEN: z
    .string()
    .regex(TOKEN_PATTERN, {
      // The value is a secret: it is the one value an error must not repeat.
      error:
        'the token must be 16 to 512 of the characters A-Z a-z 0-9 . _ ~ + / - ; make one with: openssl rand -hex 32',
    })
    .optional(),
  /** Pause between two signs of life of a worker, in milliseconds. Default 1000. */
  LONGRUN_HEARTBEAT_MS: milliseconds(heartbeatMs),
  /** An attempt of which nothing was heard for so many milliseconds is written off. Default 5000. */
  LONGRUN_WORKER_LOST_MS: milliseconds(workerLostAfterMs),
  /** Milliseconds that a running job gets to end in good order after SIGTERM. Default 25000. */
  LONGRUN_GRACE_MS: milliseconds(graceMs),
} as const;

/** Where state and objects are, by their variables: an absolute folder and a URL. */
export function places(read: { readonly LONGRUN_STATE: string; readonly LONGRUN_OBJECTS?: string | undefined }): {
  readonly stateFolder: string;
  readonly objectsUrl: string;
} {
  const stateFolder = resolve(read.LONGRUN_STATE);
  return { stateFolder, objectsUrl: read.LONGRUN_OBJECTS ?? pathToFileURL(resolve(stateFolder, 'objects')).href };
}
