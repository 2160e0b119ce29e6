import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordLocation } from '@longrun/platform';
import { PostgresServer, RedisServer } from '@longrun/platform/testing';

export const engines = ['PostgreSQL', 'PGlite'] as const;
export type Engine = (typeof engines)[number];

/** What a measured service stands on: all of it empty at the start, and gone afterwards. */
export interface Servers {
  /** For its state: record, objects. */
  readonly folder: string;
  readonly redisUrl: string;
  /** PostgreSQL, with fsync, of the record; undefined where PGlite is to be measured. */
  readonly databaseUrl: string | undefined;
}

/** Where the record of a service on these servers is. */
export function recordOf({ folder, databaseUrl }: Servers): RecordLocation {
  return databaseUrl === undefined ? { folder: join(folder, 'record') } : { databaseUrl };
}

/** Runs one measurement on a record, a Redis and a folder of its own. */
export async function withServers<T>(engine: Engine, measure: (servers: Servers) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'longrun-bench-'));
  const redis = await RedisServer.start();
  const postgres = engine === 'PostgreSQL' ? await PostgresServer.start({ durable: true }) : undefined;
  try {
    return await measure({ folder, redisUrl: redis.url, databaseUrl: postgres?.databaseUrl });
  } finally {
    await postgres?.stop();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
