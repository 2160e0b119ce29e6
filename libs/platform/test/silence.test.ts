import { setTimeout as pause } from 'node:timers/promises';

import { describe, expect, vi } from 'vitest';

import { postgresPrograms, PostgresServer, until } from '../src/testing/index.js';
import type { ScriptedAttempt } from './scripted-worker.js';
import { impatient, test, type World } from './world.js';

/** Longer than any patience here. */
const AN_HOUR = 3_600_000;

test.for([
  ['a clock on the wall that is set forward by an hour', Date],
  ['a controller that stood still for an hour, and its workers with it,', performance],
] as const)('%s writes nobody off', async ([, clock], { world }) => {
  await world.start();
  await world.readyDataset();
  const looks = await lookCounter(world);
  const { id, attempt } = await runningOn(world, 'gpu-1');
  attempt.freeze();
  const frozen = looks();
  // What it said last is to be heard before the leap.
  await until(() => looks() >= frozen + 3);
  const seen = looks();
  const now = clock.now.bind(clock);
  const leap = vi.spyOn(clock, 'now').mockImplementation(() => now() + AN_HOUR);
  try {
    // One look may have begun before the leap.
    await until(() => looks() >= seen + 3);
    expect(leap).toHaveBeenCalled();
  } finally {
    leap.mockRestore();
  }
  attempt.thaw();
  await endsUndisturbed(world, id, attempt);
});

describe.skipIf(postgresPrograms() === undefined)('with PostgreSQL, which needs to be installed', () => {
  test('a record that stands still for longer than the patience writes nobody off', async ({ world }) => {
    const postgres = await PostgresServer.start();
    try {
      await world.start({ ...impatient, record: { databaseUrl: postgres.databaseUrl } });
      await world.readyDataset();
      const looks = await lookCounter(world);
      const { id, attempt } = await runningOn(world, 'gpu-1');
      const client = await postgres.connect();
      // What workers tell cannot be written down, while all the rest can be read and done.
      await client.query('begin; lock table ingest_cursors in exclusive mode');
      const [seen, row] = [looks(), await lastStepOf(world, id)];
      attempt.train(50);
      await pause(impatient.timings.workerLostAfterMs * 1.5);
      await until(() => looks() >= seen + 3);
      expect(await lastStepOf(world, id)).toBe(row);
      await client.query('rollback');
      await client.end();
      await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 50);
      await endsUndisturbed(world, id, attempt);
      await world.close();
    } finally {
      await postgres.stop();
    }
  });
});

/** An experiment whose worker trains it. */
async function runningOn(world: World, workerId: string): Promise<{ id: string; attempt: ScriptedAttempt }> {
  const id = await world.submit();
  const attempt = await world.worker(workerId).next();
  attempt.start().train(3);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 3);
  return { id, attempt };
}

/** Counts how often the reconciler has looked after what runs: with each look it tells a worker that does not hear to stop. */
async function lookCounter(world: World): Promise<() => number> {
  const { id, attempt } = await runningOn(world, 'deaf');
  await world.platform.experiments.cancel(id);
  return () => attempt.worker.commands.length;
}

async function lastStepOf(world: World, id: string): Promise<number | null | undefined> {
  return (await world.platform.experiments.get(id)).attempts[0]?.lastStep;
}

async function endsUndisturbed(world: World, id: string, attempt: ScriptedAttempt): Promise<void> {
  await attempt.succeed();
  expect(await world.when(id, ({ status }) => status !== 'running')).toMatchObject({
    status: 'succeeded',
    preemptions: 0,
    attempts: [{ fence: 1, reason: 'succeeded' }],
  });
}
