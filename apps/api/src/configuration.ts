import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';

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
  /** Object store of checkpoints and datasets. LONGRUN_OBJECTS, default file:<state>/objects. */
  readonly objectsUrl: string;
  /** Folder of compiled program modules, absolute. LONGRUN_PROGRAMS, default examples/dist/programs of this checkout. */
  readonly programsFolder: string;
  /** Built dashboard, absolute. LONGRUN_DASHBOARD, default apps/dashboard/dist of this checkout. */
  readonly dashboardFolder: string;
  /** Bearer token; undefined reads or makes `<state>/token`. LONGRUN_TOKEN, at least 16 characters. */
  readonly token: string | undefined;
  /** Prefix of all names in Redis. LONGRUN_REDIS_PREFIX, default `longrun`. */
  readonly redisPrefix: string;
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

/** The environment holds a value that the API cannot use. The message has one line per variable, each with its remedy. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Reads the configuration from environment variables; an empty variable counts as absent. Throws ConfigurationError. */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): Configuration {
  const present = Object.fromEntries(
    Object.keys(Variables.shape).flatMap((name) => {
      const value = environment[name]?.trim();
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const read = Variables.safeParse(present);
  if (!read.success) {
    throw new ConfigurationError(
      read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('\n'),
    );
  }
  const variables = read.data;
  if (variables.LONGRUN_WORKER_LOST_MS <= 2 * variables.LONGRUN_HEARTBEAT_MS) {
    throw new ConfigurationError(
      `LONGRUN_WORKER_LOST_MS: ${variables.LONGRUN_WORKER_LOST_MS} is not more than twice LONGRUN_HEARTBEAT_MS ` +
        `(${variables.LONGRUN_HEARTBEAT_MS}), so that one late heartbeat would write a living worker off; raise it, or lower the other`,
    );
  }
  const stateFolder = resolve(variables.LONGRUN_STATE);
  return {
    host: variables.LONGRUN_HOST,
    port: variables.LONGRUN_PORT,
    stateFolder,
    databaseUrl: variables.DATABASE_URL,
    redisUrl: variables.REDIS_URL,
    objectsUrl: variables.LONGRUN_OBJECTS ?? pathToFileURL(resolve(stateFolder, 'objects')).href,
    programsFolder: resolve(variables.LONGRUN_PROGRAMS ?? fromCheckout('examples/dist/programs')),
    dashboardFolder: resolve(variables.LONGRUN_DASHBOARD ?? fromCheckout('apps/dashboard/dist')),
    token: variables.LONGRUN_TOKEN,
    redisPrefix: variables.LONGRUN_REDIS_PREFIX,
    heartbeatMs: variables.LONGRUN_HEARTBEAT_MS,
    workerLostMs: variables.LONGRUN_WORKER_LOST_MS,
    bodyLimitBytes: variables.LONGRUN_BODY_LIMIT_BYTES,
    eventHeartbeatMs: variables.LONGRUN_EVENT_HEARTBEAT_MS,
    probeTimeoutMs: variables.LONGRUN_PROBE_TIMEOUT_MS,
    shutdownMs: variables.LONGRUN_SHUTDOWN_MS,
  };
}

/** What a bearer token may look like (RFC 6750, section 2.1), at a length that cannot be guessed. */
export const tokenPattern = /^[A-Za-z0-9._~+/-]{16,512}={0,2}$/;

const Variables = z.object({
  LONGRUN_HOST: z.string().default('127.0.0.1'),
  LONGRUN_PORT: integer({ minimum: 0, maximum: 65_535, example: 'a port, or 0 for a free one' }).default(0),
  LONGRUN_STATE: z.string().default('.longrun'),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/longrun').optional(),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://127.0.0.1:6379').default('redis://127.0.0.1:6379'),
  LONGRUN_OBJECTS: z
    .string()
    .regex(/^[a-z0-9]+:/, {
      error: (issue) =>
        `"${String(issue.input)}" is not an object store; give a URL such as file:/var/lib/longrun/objects`,
    })
    .optional(),
  LONGRUN_PROGRAMS: z.string().optional(),
  LONGRUN_DASHBOARD: z.string().optional(),
  LONGRUN_TOKEN: z
    .string()
    .regex(tokenPattern, {
      // The value is a secret: it is the one value an error must not repeat.
      error: `the token must be 16 to 512 of the characters A-Z a-z 0-9 . _ ~ + / - ; make one with: openssl rand -hex 32`,
    })
    .optional(),
  LONGRUN_REDIS_PREFIX: z
    .string()
    .regex(/^[\w-]+$/, { error: 'must be letters, digits, - and _' })
    .default('longrun'),
  LONGRUN_HEARTBEAT_MS: milliseconds(10, 3_600_000).default(1000),
  LONGRUN_WORKER_LOST_MS: milliseconds(50, 86_400_000).default(5000),
  LONGRUN_BODY_LIMIT_BYTES: integer({ minimum: 1024, maximum: 67_108_864, example: 'bytes' }).default(1_048_576),
  LONGRUN_EVENT_HEARTBEAT_MS: milliseconds(10, 600_000).default(15_000),
  LONGRUN_PROBE_TIMEOUT_MS: milliseconds(10, 600_000).default(2000),
  LONGRUN_SHUTDOWN_MS: milliseconds(10, 600_000).default(5000),
});

function integer(range: { minimum: number; maximum: number; example: string }) {
  const { minimum, maximum, example } = range;
  return z.string().transform((text, context) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is not a whole number from ${minimum} to ${maximum}; give ${example}`,
    });
    return z.NEVER;
  });
}

function milliseconds(minimum: number, maximum: number) {
  return integer({ minimum, maximum, example: 'milliseconds' });
}

function url(protocols: readonly string[], example: string) {
  return z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    // A database URL holds a password, so the value stays out of the message.
    error: `is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}; give one such as ${example}`,
  });
}

function fromCheckout(path: string): string {
  // src/ and dist/ both lie three folders below the root of the checkout.
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}
