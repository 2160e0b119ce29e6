import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PostgresServer, RedisServer } from '@longrun/platform/testing';
import { atLeastRow, machine, type Report, type Row, versionOf } from '../report.js';
import { ingestion } from './ingestion.js';
import type { ServiceOptions } from './service-protocol.js';

/** Log rows per CPU-second of the process that takes them in. */
const goalRows = 20_000;

/** The record under load: log rows taken in. The services, Redis, PostgreSQL and the load share the machine. */
export async function platform(): Promise<Report> {
  const rows: Row[] = [];
  const samples: Record<string, unknown> = {};
  for (const engine of ['PostgreSQL', 'PGlite'] as const) {
    const took = await withService(engine, ingestion);
    samples[`log rows ingested, ${engine}`] = took;
    const perCpuSecond = took.map(({ count, cpuSeconds }) => count / cpuSeconds);
    rows.push(atLeastRow(`log rows ingested, 20 experiments, ${engine}`, 'rows/CPU-s', perCpuSecond, goalRows));
  }
  const versions = { pglite: versionOf('@electric-sql/pglite'), pg: versionOf('pg'), kysely: versionOf('kysely') };
  return { machine: machine(), versions, rows, samples };
}

/** Runs one measurement on a record, a Redis and a folder of its own. */
async function withService<T>(
  engine: 'PostgreSQL' | 'PGlite',
  measure: (options: ServiceOptions) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'longrun-bench-'));
  const redis = await RedisServer.start();
  const postgres = engine === 'PostgreSQL' ? await PostgresServer.start({ durable: true }) : undefined;
  try {
    return await measure({
      record: postgres === undefined ? { folder: join(folder, 'record') } : { databaseUrl: postgres.databaseUrl },
      redisUrl: redis.url,
      objectStoreUrl: pathToFileURL(join(folder, 'objects')).href,
    });
  } finally {
    await postgres?.stop();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
