import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PostgresServer, RedisServer } from '@longrun/platform/testing';
import { atLeastRow, boundRow, machine, quantile, type Report, type Row, versionOf } from '../report.js';
import { ingestion } from './ingestion.js';
import { listing } from './listing.js';
import type { ServiceOptions } from './service-protocol.js';
import { submission } from './submission.js';

/** Experiments in the list that is read. */
const LISTED = 100_000;

/**
 * The record under load: log rows taken in, submissions, lists. The service, Redis, PostgreSQL and what loads them share the
 * machine; the CPU that is counted is that of the service alone.
 */
export async function platform(): Promise<Report> {
  const rows: Row[] = [];
  const samples: Record<string, unknown> = {};
  for (const engine of ['PostgreSQL', 'PGlite'] as const) {
    const taken = await withService(engine, ingestion);
    samples[`log rows ingested, ${engine}`] = taken;
    rows.push(
      atLeastRow(
        `log rows ingested, 20 experiments, ${engine}`,
        'rows/CPU-s',
        taken.map(({ count, cpuSeconds }) => count / cpuSeconds),
        20_000,
      ),
    );
    const submitted = await withService(engine, submission);
    samples[`submissions, ${engine}`] = submitted;
    const ofEngine = goals[engine];
    rows.push(
      atLeastRow(
        `submit, 50 clients, in process, ${engine}`,
        'per s',
        submitted.map(({ took }) => took.count / took.wallSeconds),
        ofEngine.submissions,
      ),
      boundRow(
        `p95 of a submission, ${engine}`,
        'ms',
        submitted.map(({ latencies }) => quantile(latencies, 0.95)),
        null,
        ofEngine.latencyMs,
      ),
      boundRow(
        `CPU of a submission, ${engine}`,
        'ms',
        submitted.map(({ took }) => (1000 * took.cpuSeconds) / took.count),
        null,
        ofEngine.cpuMs,
      ),
    );
    const read = await withService(engine, (options) => listing(options, LISTED));
    samples[`list of ${LISTED}, ${engine}`] = read;
    rows.push(
      boundRow(
        `p95 of a page of ${LISTED}, ${engine}`,
        'ms',
        read.map((latencies) => quantile(latencies, 0.95)),
        null,
        100,
      ),
    );
  }
  const versions = { pglite: versionOf('@electric-sql/pglite'), pg: versionOf('pg'), kysely: versionOf('kysely') };
  return { machine: machine(), load: loadavg().map((load) => Math.round(load * 10) / 10), versions, rows, samples };
}

const goals = {
  PostgreSQL: { submissions: 300, latencyMs: 250, cpuMs: 2 },
  PGlite: { submissions: 150, latencyMs: 500, cpuMs: 6 },
};

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
