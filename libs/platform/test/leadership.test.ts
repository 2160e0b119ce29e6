import { sql } from 'kysely';
import { describe, expect, test as base } from 'vitest';

import { Leadership, NotLeader, type Term } from '../src/controller/leadership.js';
import { LifeWriter } from '../src/life/writer.js';
import { openRecord, type PlatformRecord } from '../src/record/record.js';
import { postgresPrograms, PostgresServer, until } from '../src/testing/index.js';

const timings = { beatEveryMs: 50, expiresAfterMs: 600 };
/** Those of a leader whose next sign of life never comes. */
const standsStill = { ...timings, beatEveryMs: 3_600_000 };

const test = base.extend<{ postgres: PostgresServer; records: PlatformRecord[] }>({
  postgres: [
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the fixtures wanted from the pattern
    async ({}, use) => {
      const server = await PostgresServer.start();
      await use(server);
      await server.stop();
    },
    { scope: 'file' },
  ],
  records: async ({ postgres: { databaseUrl } }, use) => {
    const records = await Promise.all([1, 2, 3].map(() => openRecord({ databaseUrl })));
    await sql`update controller set number = 0`.execute(records[0]?.db ?? fail());
    await sql`update controller_beats set at = null`.execute(records[0]?.db ?? fail());
    await use(records);
    await Promise.all(records.map((record) => record.close()));
  },
});

describe.skipIf(postgresPrograms() === undefined)('leadership, which needs PostgreSQL to be installed', () => {
  test('of many that want to lead one does, and when it gives up another does at once', async ({ records }) => {
    const candidates = records.map((record) => new Candidate(record, { ...timings, expiresAfterMs: 60_000 }));
    await until(() => candidates.some(({ term }) => term !== undefined));
    const first = candidates.find(({ term }) => term !== undefined) ?? fail();
    expect(candidates.filter(({ term }) => term !== undefined)).toEqual([first]);
    expect(first.term?.number).toBe(1);

    await first.leadership.close();
    const others = candidates.filter((candidate) => candidate !== first);
    await until(() => others.some(({ term }) => term !== undefined));
    expect(others.filter(({ term }) => term !== undefined).map(({ term }) => term?.number)).toEqual([2]);
    await Promise.all(others.map(({ leadership }) => leadership.close()));
  });

  test('a leader whose signs of life stop is followed, and nothing that it still writes is written', async ({
    records,
  }) => {
    const [one = fail(), other = fail()] = records;
    const first = new Candidate(one, standsStill);
    await until(() => first.term !== undefined);
    const { term } = first;
    const writer = new LifeWriter(one, term === undefined ? {} : { guard: term.guard });
    await writer.write((lives) => note(lives, 'in time'));
    const second = new Candidate(other);
    await until(() => second.term !== undefined);

    expect(second.term?.number).toBeGreaterThan(term?.number ?? fail());
    await expect(writer.write((lives) => note(lives, 'too late'))).rejects.toThrow(NotLeader);
    const { rows } = await sql<{ cursor: string }>`select cursor from ingest_cursors where stream = 'test'`.execute(
      other.db,
    );
    expect(rows).toEqual([{ cursor: 'in time' }]);
    await Promise.all([first.leadership.close(), second.leadership.close()]);
  });

  test('a transaction of a leader that stands still does not keep another from leading', async ({ records }) => {
    const [one = fail(), other = fail()] = records;
    const first = new Candidate(one, standsStill);
    await until(() => first.term !== undefined);
    let began = false;
    let second: Candidate | undefined;
    const frozen = one.db.transaction().execute(async (transaction) => {
      await first.term?.guard(transaction);
      began = true;
      // Longer than the database bears a session that holds locks and does nothing.
      await until(() => second?.term !== undefined);
      await sql`select 1`.execute(transaction);
    });
    const outcome = frozen.then(
      () => 'committed',
      (error: unknown) => String(error),
    );
    await until(() => began);
    second = new Candidate(other);
    await until(() => second?.term !== undefined);
    expect(await outcome).toMatch(/connection|terminat/i);
    await Promise.all([first.leadership.close(), second.leadership.close()]);
  });
});

class Candidate {
  term: Term | undefined;
  readonly leadership: Leadership;

  constructor(record: PlatformRecord, patience = timings) {
    this.leadership = new Leadership({ record, timings: patience, warn: () => undefined, isFlowing: () => true });
    this.leadership.start(async (term) => {
      this.term = term;
      await new Promise<void>((resolve) => term.over.addEventListener('abort', () => resolve(), { once: true }));
      this.term = undefined;
    });
  }
}

async function note(lives: { transaction: Parameters<Term['guard']>[0] }, cursor: string): Promise<void> {
  await lives.transaction
    .insertInto('ingestCursors')
    .values({ stream: 'test', cursor })
    .onConflict((conflict) => conflict.column('stream').doUpdateSet({ cursor }))
    .execute();
}

function fail(): never {
  throw new Error('there is none');
}
