import { ExperimentQuery } from '@longrun/contracts';
import { CamelCasePlugin, CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, types } from 'pg';
import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';
import { z } from 'zod';

import { readEventPage } from '../src/life/event-page.js';
import { readLogPage } from '../src/life/series.js';
import { startOn } from '../src/platform.js';
import { openRecord, PlatformRecord } from '../src/record/record.js';
import type { Tables } from '../src/record/tables.js';
import { anyProgram, crowd, postgresPrograms, PostgresServer, until } from '../src/testing/index.js';
import { test } from './world.js';

/** Tables with few rows may be read from end to end. */
const small = new Set([
  'datasets',
  'programs',
  'ingest_cursors',
  'migrations',
  'controller',
  'controller_beats',
  'workers',
]);
/** Rows that a statement may sort, at most. */
const SORTABLE = 1_000;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string | undefined;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly Plan[] | undefined;
}

const Plan: z.ZodType<Plan> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Plan Rows': z.number(),
    Plans: z.array(Plan).optional(),
  }),
);

if (postgresPrograms() === undefined) {
  base('skipped, because PostgreSQL is absent: plans on 25,000 experiments', () => {
    expect(postgresPrograms()).toBeUndefined();
  });
} else {
  describe('on 25,000 experiments no statement reads a table from end to end, or sorts one', () => {
    let postgres: PostgresServer;
    let record: PlatformRecord;
    let seen = new Map<string, readonly unknown[]>();
    beforeAll(async () => {
      postgres = await PostgresServer.start();
      const { databaseUrl } = postgres;
      const migrated = await openRecord({ databaseUrl });
      types.setTypeParser(types.builtins.INT8, Number);
      const db = new Kysely<Tables>({
        dialect: new PostgresDialect({ pool: new Pool({ connectionString: databaseUrl, max: 10 }) }),
        plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
        log: ({ query }) => void seen.set(query.sql, query.parameters),
      });
      const close = async (): Promise<void> => {
        await db.destroy();
        await migrated.close();
      };
      record = new PlatformRecord(db, migrated.notices, close, false);
    });
    afterAll(async () => {
      await record.close();
      await postgres.stop();
    });

    test.for([
      { ended: 24_000, queued: 900, running: 100 },
      { ended: 5_000, queued: 19_900, running: 100 },
    ])('%o', async (many, { world }) => {
      await sql`truncate lives, programs, ingest_cursors cascade`.execute(record.db);
      await crowd(record.db, many);
      seen = new Map();
      const platform = await startOn(new PlatformRecord(record.db, record.notices, () => Promise.resolve(), true), {
        redisUrl: world.redis.url,
        objectStoreUrl: world.store.url,
        prefix: world.prefix,
        programHost: anyProgram,
        timings: { reconcileEveryMs: 100, workerLostAfterMs: 60_000 },
        warn: (sentence) => world.warnings.push(sentence),
      });
      try {
        for (const list of [platform.experiments, platform.datasets]) {
          const first = await list.list({ limit: 10 });
          expect(first.items).toHaveLength(10);
          await list.list({ limit: 10, cursor: first.nextCursor ?? 'p1' });
        }
        const middleOf = (sort: string): string =>
          Buffer.from(JSON.stringify([sort, 0, '12500', '12500'])).toString('base64url');
        await platform.experiments.list({ cursor: middleOf('-created') });
        await platform.experiments.exportPage({ cursor: middleOf('created') });
        for (const query of [
          { status: 'running' },
          { exactName: 'experiment 77' },
          { id: (77).toString(16).padStart(32, '0') },
          { sort: 'name' },
          { sort: '-ended' },
          { sort: 'metric.cost', metrics: 'cost' },
          { where: 'metric.cost<0.001' },
          { tag: 'group 7' },
          { tag: 'group 0,rare' },
        ])
          await platform.experiments.list(ExperimentQuery.parse({ ...query, limit: 10 }));
        const id = `exp_${(77).toString(16).padStart(32, '0')}`;
        await platform.experiments.get(id);
        await platform.datasets.get('dataset-05');
        await readLogPage(record.db, id);
        await readEventPage(record.db, id, 0);
        // The scheduler has filled its window, and the reconciler has looked after all of it.
        await until(async () => {
          const { rows } = await sql<{
            enqueued: number;
          }>`select count(*) as enqueued from lives where enqueued`.execute(record.db);
          return rows[0]?.enqueued === 64;
        });
        const wanted = [
          'order by "lives"."priority"',
          'min("not_before")',
          '"cancel_requested"',
          '"dataset"."reason" !=',
        ];
        await until(() => wanted.every((words) => [...seen.keys()].some((text) => text.includes(words))));
      } finally {
        await platform.close();
      }
      const statements = [...seen].filter(
        ([text]) => /^\s*(select|with|update|insert|delete)/i.test(text) && !text.includes('count(*) as enqueued'),
      );
      const slow: string[] = [];
      for (const [text, parameters] of statements) {
        const { rows } = await record.db.executeQuery<{ 'QUERY PLAN': unknown }>(
          CompiledQuery.raw(`explain (format json) ${text}`, [...parameters]),
        );
        const [explained] = z.tuple([z.object({ Plan })]).parse(Object.values(rows[0] ?? {})[0]);
        slow.push(...faults(explained.Plan).map((fault) => `${fault}: ${text}`));
      }
      expect(slow).toEqual([]);
      expect(statements.length).toBeGreaterThan(10);
    });
  });
}

/** What is wrong with a plan. */
function faults(plan: Plan): string[] {
  const type = plan['Node Type'];
  const relation = plan['Relation Name'];
  const own: string[] = [];
  if (type === 'Seq Scan' && !small.has(relation ?? '')) own.push(`reads all of ${relation}`);
  if (type.includes('Sort') && plan['Plan Rows'] > SORTABLE) own.push(`sorts ${plan['Plan Rows']} rows`);
  return [...own, ...(plan.Plans ?? []).flatMap(faults)];
}
