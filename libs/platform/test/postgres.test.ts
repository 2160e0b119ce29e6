import { DatasetSpec, type LiveEvent } from '@longrun/contracts';
import { sql } from 'kysely';
import { expect, test as base } from 'vitest';

import { startPlatform } from '../src/index.js';
import { openRecord } from '../src/record/record.js';
import { migrations } from '../src/record/migrations/index.js';
import { anyProgram, postgresPrograms, PostgresServer } from '../src/testing/index.js';
import { resultAt } from './scripted-worker.js';
import { experimentSpec, impatient, test } from './world.js';

if (postgresPrograms() === undefined) {
  base('skipped, because PostgreSQL is absent: the record in PostgreSQL', () => {
    expect(postgresPrograms()).toBeUndefined();
  });
} else {
  test('the record in a real PostgreSQL: migrated once by two at a time, requests at once, a life with a lost worker', async ({
    world,
  }) => {
    const postgres = await PostgresServer.start();
    try {
      const { databaseUrl } = postgres;
      const records = await Promise.all([openRecord({ databaseUrl }), openRecord({ databaseUrl })]);
      const applied = await sql<{ name: string }>`select name from migrations`.execute(records[0].db);
      expect(applied.rows.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));
      await Promise.all(records.map((record) => record.close()));

      const { experiments } = await world.start({ ...impatient, record: { databaseUrl } });
      await world.readyDataset();
      const submit = () => experiments.submit(experimentSpec(), { idempotencyKey: 'one' });
      const submissions = await Promise.all(Array.from({ length: 12 }, submit));
      expect(submissions.filter(({ created }) => created)).toHaveLength(1);
      const id = submissions[0]?.experiment.id ?? '';

      const lost = await world.worker('gpu-1').next();
      lost.start().train(4);
      await lost.commit();
      lost.train(6);
      lost.outbox.send({ type: 'line', stream: 'stderr', text: 'NUL \0' });
      await world.when(id, ({ checkpoints, attempts }) => checkpoints.length === 1 && attempts[0]?.lastStep === 6);
      lost.freeze();
      const successor = await world.worker('gpu-2').next();
      await successor.start().train(8).succeed();

      expect(await world.when(id, ({ status }) => status === 'succeeded')).toMatchObject({
        result: resultAt(8),
        preemptions: 1,
        checkpoints: [{ step: 4, fence: 1, sizeBytes: 25 }],
        attempts: [
          { fence: 1, reason: 'worker_lost', stepsRun: 6, environment: { threads: 2 } },
          { fence: 2, reason: 'succeeded', startStep: 4, stepsRun: 4, peakMemoryBytes: 1_000_000 },
        ],
      });
      const rows = (await experiments.logPage(id)).items;
      expect(rows.map(({ row }) => row['fence'])).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
      const events: LiveEvent[] = [];
      for await (const event of experiments.subscribe(id)) events.push(event);
      const ids = events.flatMap((event) => event.id ?? []);
      expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
      // Rows 5 and 6 of the first attempt are superseded.
      expect(events.flatMap((event) => (event.type === 'log_row' ? event.data.step : []))).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8,
      ]);
      expect(ids.at(-1)).toBe(ids.length + 2);
      const line = { fence: 1, stream: 'stderr', text: 'NUL \uFFFD' };
      expect(events).toContainEqual(expect.objectContaining({ data: line }));
      await world.close();
    } finally {
      await postgres.stop();
    }
  });

  test('of two replicas that get the same requests at once, each makes one experiment of each, and loses none', async ({
    world,
  }) => {
    const postgres = await PostgresServer.start();
    const { databaseUrl } = postgres;
    try {
      const { datasets, experiments } = await world.start({ record: { databaseUrl }, role: 'api' });
      await datasets.submit(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }));
      const other = await startPlatform({
        role: 'api',
        record: { databaseUrl },
        redisUrl: world.redis.url,
        objectStoreUrl: world.store.url,
        programHost: anyProgram,
      });
      const names = Array.from({ length: 60 }, (_, index) => `number ${index}`);
      const submissions = await Promise.all(
        [experiments, other.experiments].flatMap((replica) =>
          names.map((name) => replica.submit(experimentSpec({ name }), { idempotencyKey: name })),
        ),
      );
      await other.close();
      expect(submissions.filter(({ created }) => created)).toHaveLength(names.length);
      const made = submissions.map(({ experiment: { id, name } }) => `${name}: ${id}`);
      expect(new Set(made).size).toBe(names.length);
      expect((await experiments.list({ limit: 200 })).items).toHaveLength(names.length);
      await world.close();
    } finally {
      await postgres.stop();
    }
  });
}
