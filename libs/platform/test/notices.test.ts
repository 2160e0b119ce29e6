import type { LiveEvent } from '@longrun/contracts';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { LiveEvents } from '../src/life/live-events.js';
import { Notices } from '../src/record/notices.js';
import { openRecord, PlatformRecord } from '../src/record/record.js';
import { postgresPrograms, PostgresServer, until } from '../src/testing/index.js';
import { ExperimentByHand } from './by-hand.js';
import { test as withRecord } from './world.js';

/** So long between two looks that what comes within a test was said. */
const NEVER = 3_600_000;

withRecord('followers of one experiment cost the record no more than one does', async ({ record }) => {
  const statements: string[] = [];
  const counted = new PlatformRecord(
    record.db.withPlugin({
      transformQuery: ({ node }) => {
        if (node.kind === 'RawNode') statements.push(JSON.stringify(node));
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
    record.notices,
    () => Promise.resolve(),
    false,
  );
  const live = new LiveEvents(counted, () => undefined, NEVER);
  const experiment = await ExperimentByHand.start(record);
  const followers = Array.from({ length: 100 }, () => follow(live, experiment.id));
  await until(() => followers.every(({ types }) => types.includes('caught-up')));
  const before = statements.length;
  expect(before).toBeGreaterThanOrEqual(100);
  await experiment.goOnFrom(0);
  for (let step = 1; step <= 20; step += 1) await experiment.take(1, { type: 'log_row', step, row: { cost: step } });
  await until(() => followers.every(({ types }) => types.filter((type) => type === 'log_row').length === 20));
  // One for each transaction at most; not one for each follower.
  expect(statements.length - before).toBeLessThanOrEqual(25);
  live.close();
  for (const { over } of followers) await over;
});

if (postgresPrograms() === undefined) {
  test('skipped, because PostgreSQL is absent: notices between processes', () => {
    expect(postgresPrograms()).toBeUndefined();
  });
} else {
  describe('two records on one PostgreSQL', () => {
    let postgres: PostgresServer;
    const warnings: string[] = [];
    let here: PlatformRecord;
    let there: PlatformRecord;
    beforeAll(async () => {
      postgres = await PostgresServer.start();
      const { databaseUrl } = postgres;
      here = await openRecord({ databaseUrl }, { warn: (sentence) => warnings.push(sentence) });
      there = await openRecord({ databaseUrl }, { warn: (sentence) => warnings.push(sentence) });
    });
    afterAll(async () => {
      await here.close();
      await there.close();
      await postgres.stop();
    });

    test('whoever commits, followers everywhere are sent it, and all processes hear what moves', async () => {
      const live = new LiveEvents(here, () => undefined, NEVER);
      const heard: string[] = [];
      const stops = (['longrun_moved', 'longrun_decided'] as const).map((channel) =>
        here.notices.on(channel, (payload) => heard.push(`${channel} ${payload}`)),
      );
      const experiment = await ExperimentByHand.start(there);
      const follower = follow(live, experiment.id);
      await until(() => follower.types.includes('caught-up'));
      await experiment.goOnFrom(0);
      await experiment.take(
        1,
        { type: 'log_row', step: 1, row: { cost: 'NaN' } },
        { type: 'progress', step: 1, epoch: 0, stepsPerSecond: 0.5 },
      );
      await until(() => follower.types.includes('log_row') && follower.types.includes('progress'));
      await experiment.write((life) => life.endWith({ reason: 'cancelled', message: null }));
      await until(() => heard.includes(`longrun_decided ${experiment.id}`));
      await experiment.write((life) =>
        life.end({ reason: 'cancelled', message: null, result: null }, null, new Date()),
      );
      await follower.over;
      expect(follower.types.filter((type) => type === 'caught-up')).toHaveLength(1);
      expect(follower.types.at(-1)).toBe('status');
      expect(heard).toContain('longrun_moved ');
      for (const stop of stops) stop();
      live.close();
    });

    test('a connection that breaks is opened again, and what was said meanwhile is found', async () => {
      const live = new LiveEvents(here, () => undefined, NEVER);
      const experiment = await ExperimentByHand.start(there);
      const follower = follow(live, experiment.id);
      await until(() => follower.types.includes('caught-up'));
      const before = warnings.length;
      // Both listeners, and what is written while nobody listens.
      const ended =
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %'`.execute(
          there.db,
        );
      expect(ended.rows).toHaveLength(2);
      await experiment.goOnFrom(0);
      await experiment.take(1, { type: 'line', stream: 'stdout', text: 'said to nobody' });
      await until(() => follower.types.includes('line'));
      expect(warnings.slice(before).some((sentence) => sentence.includes('connecting again'))).toBe(true);
      // And it hears again.
      await experiment.take(1, { type: 'log_row', step: 1, row: {} });
      await until(() => follower.types.includes('log_row'));
      live.close();
      await follower.over;
    });
  });
}

withRecord('a notice that was lost is made up for by looking', async ({ record }) => {
  const deaf = new PlatformRecord(record.db, new Notices(), () => Promise.resolve(), false);
  const live = new LiveEvents(deaf, () => undefined, 50);
  const experiment = await ExperimentByHand.start(record);
  const follower = follow(live, experiment.id);
  await until(() => follower.types.includes('caught-up'));
  await experiment.goOnFrom(0);
  await until(() => follower.types.includes('attempt_started'));
  live.close();
  await follower.over;
});

interface Followed {
  readonly types: LiveEvent['type'][];
  readonly over: Promise<void>;
}

function follow(live: LiveEvents, id: string): Followed {
  const types: LiveEvent['type'][] = [];
  const over = (async () => {
    for await (const { type } of live.subscribe(id, 0)) types.push(type);
  })();
  return { types, over };
}
