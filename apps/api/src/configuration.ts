import type { PlatformRole } from '@longrun/platform';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ConfigurationError,
  type Environment,
  milliseconds,
  places,
  readVariables,
  sparesLateHeartbeat,
  variables,
  wholeNumber,
  wholeNumberIn,
} from '@longrun/platform/configuration';
import type { ChildUserSetting } from '@longrun/platform/worker';
import { z } from 'zod';
import type { Downloads } from './files/file-answers.js';

/** Everything the API is told from outside. Read once, from the environment, by `readConfiguration`. */
export interface Configuration {
  /** Address to bind. LONGRUN_HOST, default 127.0.0.1: other machines cannot reach it. */
  readonly host: string;
  /** Port to bind; 0 takes a free one. LONGRUN_PORT, default 0. */
  readonly port: number;
  /** Folder of the record, the token, the objects and `api.json`, absolute. LONGRUN_STATE, default ./.longrun. */
  readonly stateFolder: string;
  /** PostgreSQL that holds the record; undefined embeds PGlite in `<state>/record`. DATABASE_URL. */
  readonly databaseUrl: string | undefined;
  /** Redis of the queues. REDIS_URL, default redis://127.0.0.1:6379. */
  readonly redisUrl: string;
  /**
   * `all`; `api` serves and never leads; `controller` leads when it can and serves only its health. Of all processes on one
   * PostgreSQL one leads at a time. LONGRUN_ROLE, default `all`.
   */
  readonly role: PlatformRole;
  /** Object store of checkpoints and datasets. LONGRUN_OBJECTS, default file:<state>/objects. */
  readonly objectsUrl: string;
  /** Who the processes of programs run as. LONGRUN_TRAINER_USER: `auto`, `worker` (this process' own user), or a number; default `auto`. */
  readonly trainerUser: ChildUserSetting;
  /** Built dashboard, absolute. LONGRUN_DASHBOARD, default apps/dashboard/dist of this checkout. */
  readonly dashboardFolder: string;
  /** Bearer token; undefined reads or makes `<state>/token`. LONGRUN_TOKEN, at least 16 characters. */
  readonly token: string | undefined;
  /** Prefix of all names in Redis. LONGRUN_REDIS_PREFIX, default `longrun`. */
  readonly redisPrefix: string;
  /**
   * How files of at least 1 MiB are given: `stream`, by the API itself, which every client reaches that has asked it; or `redirect`, where the objects
   * are in S3, by a URL of the store that is valid for ten minutes, which spares the API the bytes. The address of the store as the API has it must be one that clients reach,
   * and whoever gets hold of such a URL needs no token. LONGRUN_DOWNLOADS, default `stream`.
   */
  readonly downloads: Downloads;
  /** Days that experiments are kept after their end; older ones are deleted, see the README. LONGRUN_RETENTION_DAYS, default: for ever. */
  readonly retentionDays: number | undefined;
  /** How often workers say that they are alive. LONGRUN_HEARTBEAT_MS, default 1000. */
  readonly heartbeatMs: number;
  /** A running attempt of which nothing is heard for so long is written off. LONGRUN_WORKER_LOST_MS, default 5000. */
  readonly workerLostMs: number;
  /** Largest request body accepted. LONGRUN_BODY_LIMIT_BYTES, default 1 MiB. */
  readonly bodyLimitBytes: number;
  /** Silence after which an event stream sends a comment, so that proxies keep it. LONGRUN_EVENT_HEARTBEAT_MS, default 15000. */
  readonly eventHeartbeatMs: number;
  /** What does not answer a readiness probe within this counts as failed. LONGRUN_PROBE_TIMEOUT_MS, default 2000. */
  readonly probeTimeoutMs: number;
  /** Time that open requests get at shutdown before their connections are cut. LONGRUN_SHUTDOWN_MS, default 5000. */
  readonly shutdownMs: number;
}

/** Reads the configuration from environment variables; an empty variable counts as absent. Throws ConfigurationError. */
export function readConfiguration(environment: Environment): Configuration {
  const read = readVariables(apiVariables, environment);
  const { LONGRUN_HEARTBEAT_MS: heartbeatMs, LONGRUN_WORKER_LOST_MS: workerLostMs } = read;
  if (!sparesLateHeartbeat({ heartbeatMs, workerLostAfterMs: workerLostMs })) {
    throw new ConfigurationError(
      `LONGRUN_WORKER_LOST_MS: ${workerLostMs} is not more than twice LONGRUN_HEARTBEAT_MS ` +
        `(${heartbeatMs}), so that one late heartbeat would write a living worker off; raise it, or lower the other`,
    );
  }
  if (read.LONGRUN_ROLE !== 'all' && read.DATABASE_URL === undefined) {
    throw new ConfigurationError(
      `LONGRUN_ROLE: ${read.LONGRUN_ROLE} is for several processes on one record, and the embedded one has room for one; ` +
        'set DATABASE_URL, or leave LONGRUN_ROLE out',
    );
  }
  return {
    host: read.LONGRUN_HOST,
    port: read.LONGRUN_PORT,
    ...places(read),
    databaseUrl: read.DATABASE_URL,
    role: read.LONGRUN_ROLE,
    redisUrl: read.REDIS_URL,
    trainerUser: read.LONGRUN_TRAINER_USER,
    dashboardFolder: resolve(read.LONGRUN_DASHBOARD ?? fromCheckout('apps/dashboard/dist')),
    token: read.LONGRUN_TOKEN,
    redisPrefix: read.LONGRUN_REDIS_PREFIX,
    downloads: read.LONGRUN_DOWNLOADS,
    retentionDays: read.LONGRUN_RETENTION_DAYS,
    heartbeatMs,
    workerLostMs,
    bodyLimitBytes: read.LONGRUN_BODY_LIMIT_BYTES,
    eventHeartbeatMs: read.LONGRUN_EVENT_HEARTBEAT_MS,
    probeTimeoutMs: read.LONGRUN_PROBE_TIMEOUT_MS,
    shutdownMs: read.LONGRUN_SHUTDOWN_MS,
  };
}

/** Those that workers and commands read as well, and the API's own. */
const apiVariables = {
  LONGRUN_STATE: variables.LONGRUN_STATE,
  LONGRUN_OBJECTS: variables.LONGRUN_OBJECTS,
  DATABASE_URL: variables.DATABASE_URL,
  REDIS_URL: variables.REDIS_URL,
  LONGRUN_REDIS_PREFIX: variables.LONGRUN_REDIS_PREFIX,
  LONGRUN_TRAINER_USER: variables.LONGRUN_TRAINER_USER,
  LONGRUN_TOKEN: variables.LONGRUN_TOKEN,
  LONGRUN_HEARTBEAT_MS: variables.LONGRUN_HEARTBEAT_MS,
  LONGRUN_WORKER_LOST_MS: variables.LONGRUN_WORKER_LOST_MS,
  LONGRUN_ROLE: z
    .enum(['all', 'api', 'controller'], {
      error: ({ input }) => `${JSON.stringify(input)} is no role; give all, api or controller`,
    })
    .default('all'),
  LONGRUN_DOWNLOADS: z
    .enum(['stream', 'redirect'], {
      error: ({ input }) => `${JSON.stringify(input)} is no way to give files; give stream or redirect`,
    })
    .default('stream'),
  LONGRUN_RETENTION_DAYS: wholeNumberIn(
    { least: 1, most: 36_500 },
    'days, or leave it out to keep experiments for ever',
  ).optional(),
  LONGRUN_HOST: z.string().default('127.0.0.1'),
  LONGRUN_PORT: wholeNumber({ least: 0, most: 65_535, byDefault: 0 }, 'a port, or 0 for a free one'),
  LONGRUN_DASHBOARD: z.string().optional(),
  LONGRUN_BODY_LIMIT_BYTES: wholeNumber({ least: 1024, most: 67_108_864, byDefault: 1_048_576 }, 'bytes'),
  LONGRUN_EVENT_HEARTBEAT_MS: milliseconds({ least: 10, most: 600_000, byDefault: 15_000 }),
  LONGRUN_PROBE_TIMEOUT_MS: milliseconds({ least: 10, most: 600_000, byDefault: 2_000 }),
  LONGRUN_SHUTDOWN_MS: milliseconds({ least: 10, most: 600_000, byDefault: 5_000 }),
} as const;

/** A place in the checkout that this module is part of, absolute. */
export function fromCheckout(path: string): string {
  // src/ and dist/ both lie three folders below the root of the checkout.
  return resolve(fileURLToPath(new URL(`../../../${path}`, import.meta.url)));
}
