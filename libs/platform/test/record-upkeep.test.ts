import { sql } from 'kysely';
import { expect } from 'vitest';

import { PlatformRecord } from '../src/record/record.js';
import { RecordUpkeep } from '../src/systems/record-upkeep.js';
import { test } from './world.js';

test('a table of the embedded record that has changed much is looked after, and one of a server is left to it', async ({
  record,
}) => {
  const { db, notices } = record;
  await sql`insert into audit (actor, action, subject) select 'default', 'submit', n::text from generate_series(1, 3000) n`.execute(
    db,
  );
  await sql`update audit set action = 'change' where subject < '2'`.execute(db);
  // It counts changes once a second else.
  await sql`select pg_stat_force_next_flush()`.execute(db);

  await new RecordUpkeep(new PlatformRecord(db, notices, () => Promise.resolve(), false), 0).look();
  await new RecordUpkeep(record).look();
  expect(await pagesWithoutDead(record)).toBe(0);
  await new RecordUpkeep(record, 0).look();
  expect(await pagesWithoutDead(record)).toBeGreaterThan(10);
});

async function pagesWithoutDead({ db }: PlatformRecord): Promise<number> {
  const { rows } = await sql<{
    pages: number;
  }>`select relallvisible as pages from pg_class where relname = 'audit'`.execute(db);
  return rows[0]?.pages ?? Number.NaN;
}
