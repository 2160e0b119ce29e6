import { expect } from 'vitest';

import { until } from '../src/testing/index.js';
import { ToldWorker } from './told-worker.js';
import { test, type World } from './world.js';

const strict = { maxFailures: 0, maxPreemptions: 0, maxLosses: 0 };

test('the record takes in a quarantine and its end, and says what waits for it', async ({ world }) => {
  const { fault, worker } = await checkedWorker(world, 50);
  const id = await world.submit({ retry: strict });
  const told = await worker.next();
  fault.now = 'the disk is full';
  told.end('storage_error');
  const waiting = await world.when(id, ({ message }) => message !== null);
  expect(waiting.message).toBe(
    'The only worker is quarantined: told (the disk is full); it runs when one passes its check or is released',
  );
  expect(waiting.attempts[0]).toMatchObject({ reason: 'worker_unfit', workerId: 'told' });
  expect(await row(world)).toMatchObject({ status: 'quarantined', statusReason: 'the disk is full', alive: true });
  fault.now = 'the disk is gone';
  await until(async () => (await row(world))?.statusReason === 'the disk is gone');

  fault.now = null;
  (await worker.next()).end('succeeded');
  await until(async () => (await row(world))?.status === 'ready');
  expect(await row(world)).toMatchObject({ statusReason: null });
  const ended = await world.when(id, ({ endedAt }) => endedAt !== null);
  expect(ended).toMatchObject({ status: 'succeeded', failures: 0, preemptions: 0, losses: 0 });
  expect(await audited(world)).toEqual(['worker-seen', 'quarantine', 'release']);
  await worker.stop();
});

test('who passes its check is not to blame, whatever failed in it', async ({ world }) => {
  const { worker, checks } = await checkedWorker(world);
  for (const reason of ['storage_error', 'internal_error', 'program_error', 'checkpoint_unreadable'] as const) {
    const id = await world.submit({ retry: strict });
    (await worker.next()).end(reason);
    expect(await world.when(id, ({ endedAt }) => endedAt !== null)).toMatchObject({ reason, failures: 1 });
  }
  // Once at the start.
  expect(checks()).toBe(5);
  const id = await world.submit({ retry: strict });
  (await worker.next()).end('out_of_memory');
  await world.when(id, ({ endedAt }) => endedAt !== null);
  expect(checks()).toBe(5);
  expect(await row(world)).toMatchObject({ status: 'ready' });
  await worker.stop();
});

test('a user releases a worker from quarantine, and drains one that is in it', async ({ world }) => {
  const { fault, worker } = await checkedWorker(world, 3_600_000);
  await world.submit({ retry: strict });
  fault.now = 'the disk is full';
  (await worker.next()).end('storage_error');
  await until(async () => (await row(world))?.status === 'quarantined');

  expect(await world.platform.workers.release('told')).toMatchObject({ status: 'ready', statusReason: null });
  // Back in quarantine before the record has heard that it was out of it: its word is not for this one.
  (await worker.next()).end('storage_error');
  await until(async () => (await row(world))?.status === 'quarantined');

  await world.platform.workers.drain('told', 'it is old');
  expect(await row(world)).toMatchObject({ status: 'draining', statusReason: 'it is old' });
  await world.platform.workers.release('told');
  (await worker.next()).end('succeeded');
  await until(async () => (await reported(world)) === 'ready');
  expect(await audited(world)).toEqual(['worker-seen', 'quarantine', 'release', 'quarantine', 'drain', 'release']);
  await worker.stop();
});

/** A worker that the record knows, whose check fails with `fault.now`. */
async function checkedWorker(world: World, checkAgainAfterMs = 50) {
  await world.start();
  await world.readyDataset();
  const fault: { now: string | null } = { now: null };
  let checks = 0;
  const check = async (): Promise<void> => {
    checks += 1;
    if (fault.now !== null) throw new Error(fault.now);
  };
  const worker = await ToldWorker.start(world, { check, checkAgainAfterMs });
  await until(async () => (await row(world)) !== undefined);
  return { fault, worker, checks: () => checks };
}

async function row(world: World) {
  return (await world.platform.workers.list()).items.find(({ id }) => id === 'told');
}

async function reported(world: World): Promise<string | undefined> {
  const rows = await world.record.db.selectFrom('workers').selectAll().where('id', '=', 'told').execute();
  return rows[0]?.reportedStatus;
}

async function audited(world: World): Promise<string[]> {
  const rows = await world.record.db.selectFrom('audit').selectAll().orderBy('number').execute();
  return rows.filter(({ subject }) => subject === 'told').map(({ action }) => action);
}
