import type { LiveEvent } from '@longrun/contracts';
import { sql } from 'kysely';
import { expect, test as base } from 'vitest';

import { openRecord } from '../src/record/record.js';
import { migrations } from '../src/record/migrations/index.js';
import { postgresPrograms, PostgresServer } from '../src/testing/index.js';
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
      const rows = await experiments.logRows(id);
      expect(rows.map(({ row }) => row['fence'])).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
      const events: LiveEvent[] = [];
      for await (const event of experiments.subscribe(id)) events.push(event);
      expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1));
      expect(events).toContainEqual(
        expect.objectContaining({ data: { fence: 1, stream: 'stderr', text: 'NUL \uFFFD' } }),
      );
      await world.close();
    } finally {
      await postgres.stop();
    }
  });
}
