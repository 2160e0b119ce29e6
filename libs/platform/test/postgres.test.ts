import { expect, test as base } from 'vitest';

import { openRecord } from '../src/record/record.js';
import { migrations } from '../src/record/migrations/index.js';
import { postgresPrograms, PostgresServer } from '../src/testing/index.js';
import { resultAt } from './scripted-worker.js';
import { impatient, test, until } from './world.js';

if (postgresPrograms() === undefined) {
  base('skipped, because PostgreSQL is absent: the record in PostgreSQL', () => {
    expect(postgresPrograms()).toBeUndefined();
  });
} else {
  test('the record in a real PostgreSQL: migrated once by two at a time, one life from end to end with a lost worker', async ({
    world,
  }) => {
    const postgres = await PostgresServer.start();
    try {
      const { databaseUrl } = postgres;
      const records = await Promise.all([openRecord({ databaseUrl }), openRecord({ databaseUrl })]);
      const applied = await records[0].db
        .selectFrom('migrations' as never)
        .selectAll()
        .execute();
      expect(applied).toHaveLength(migrations.length);
      await Promise.all(records.map((record) => record.close()));

      await world.start({ ...impatient, record: { databaseUrl } });
      await world.readyDataset();
      const submissions = await Promise.all(Array.from({ length: 10 }, () => world.submit()));
      expect(new Set(submissions).size).toBe(10);
      const worker = world.worker('gpu-1');
      const lost = await worker.next();
      const id = lost.ticket.id;
      lost.start().train(4);
      await lost.commit();
      lost.outbox.send({ type: 'line', stream: 'stderr', text: 'NUL \0' });
      await world.when(id, ({ checkpoints }) => checkpoints.length === 1);
      lost.freeze();

      const successor = await world.worker('gpu-2').next();
      expect(successor.ticket).toMatchObject({ epoch: expect.any(Number) });
      // The second worker takes whatever is first in the queue; the lost one comes back before the others.
      await until(async () => (await world.platform.experiments.get(id)).preemptions === 1);
      await successor.start().train(5).succeed();
      expect(await world.when(successor.ticket.id, ({ status }) => status === 'succeeded')).toMatchObject({
        result: resultAt(5),
      });
      expect(await world.platform.experiments.logRows(successor.ticket.id)).toHaveLength(5);
      await Promise.all(submissions.map((other) => world.platform.experiments.cancel(other).catch(() => undefined)));
      await world.close();
    } finally {
      await postgres.stop();
    }
  });
}
