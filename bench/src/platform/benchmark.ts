import { loadavg } from 'node:os';
import { atLeastRow, boundRow, everyRow, machine, quantile, type Report, type Row, versionOf } from '../report.js';
import { comparing } from './comparing.js';
import { ingestion } from './ingestion.js';
import { listing } from './listing.js';
import { engines, withServers } from './servers.js';
import { starting } from './starting.js';
import { watching } from './watching.js';
import { submission } from './submission.js';

/** Experiments in the list that is read. */
const LISTED = 100_000;

/** Experiments whose curves are read in one call, and points of each. */
const COMPARED = { experiments: 100, steps: 10_000 };

/**
 * The platform under load: log rows taken in, submissions, lists; and its start. The service, Redis, PostgreSQL and what loads
 * them share the machine; the CPU that is counted is that of the service alone.
 */
export async function platform(): Promise<Report> {
  const rows: Row[] = [];
  const samples: Record<string, unknown> = {};
  for (const engine of engines) {
    const taken = await withServers(engine, ingestion);
    samples[`log rows ingested, ${engine}`] = taken;
    rows.push(
      atLeastRow(
        `log rows ingested, 20 experiments, ${engine}`,
        'rows/CPU-s',
        taken.map(({ count, cpuSeconds }) => count / cpuSeconds),
        20_000,
      ),
    );
    const submitted = await withServers(engine, submission);
    samples[`submissions, ${engine}`] = submitted;
    const ofEngine = goals[engine];
    rows.push(
      atLeastRow(
        `submit, 50 clients over HTTP, ${engine}`,
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
    const read = await withServers(engine, (servers) => listing(servers, LISTED));
    samples[`list of ${LISTED}, ${engine}`] = read;
    rows.push(
      boundRow(
        `p95 of a page of ${LISTED}, ${engine}`,
        'ms',
        read.pages.map((latencies) => quantile(latencies, 0.95)),
        null,
        100,
      ),
      boundRow(
        `p95 of a first page by any filter or sort of ${LISTED}, with counts, ${engine}`,
        'ms',
        read.filtered.map((latencies) => quantile(latencies, 0.95)),
        null,
        100,
      ),
    );
    const compared = await withServers(engine, (servers) => comparing(servers, COMPARED));
    samples[`series compared, ${engine}`] = compared;
    rows.push(
      boundRow(
        `one metric of ${COMPARED.experiments} experiments with ${COMPARED.steps} points each, ${engine}`,
        'ms',
        compared,
        null,
        300,
      ),
    );
  }
  const watched = await withServers('PostgreSQL', watching);
  samples['events to watchers'] = quantiles(watched.latencies);
  if (watched.latencies.length !== watched.expected) {
    throw new Error(`of ${watched.expected} events that watchers were to get, ${watched.latencies.length} came`);
  }
  rows.push(everyRow('any event to any of 300 watchers on two replicas, PostgreSQL', 'ms', watched.latencies, 500));
  const started = await starting();
  samples['starts'] = started;
  rows.push(
    boundRow(
      'API start on an empty folder, CPU; peer: PGlite alone',
      's',
      started.ours.map(({ cpuSeconds }) => cpuSeconds),
      started.peer.map(({ cpuSeconds }) => cpuSeconds),
      5,
    ),
    boundRow(
      'API start on an empty folder, peak memory; peer: PGlite alone',
      'MB',
      started.ours.map(({ peakMegabytes }) => peakMegabytes),
      started.peer.map(({ peakMegabytes }) => peakMegabytes),
      350,
    ),
  );
  const versions = { pglite: versionOf('@electric-sql/pglite'), pg: versionOf('pg'), kysely: versionOf('kysely') };
  return { machine: machine(), load: loadavg().map((load) => Math.round(load * 10) / 10), versions, rows, samples };
}

const goals = {
  PostgreSQL: { submissions: 300, latencyMs: 250, cpuMs: 2 },
  PGlite: { submissions: 150, latencyMs: 500, cpuMs: 6 },
};

/** Too many to keep each. */
function quantiles(latencies: readonly number[]): Readonly<Record<string, number>> {
  const parts = [0.5, 0.9, 0.95, 0.99, 0.999, 1];
  return Object.fromEntries(parts.map((part) => [String(part), quantile(latencies, part)]));
}
