import { type ProcessUnderTest, until } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

const BACKOFF_MS = 10;
/** A trainer with a user of its own could not kill its worker. */
const OWN_USER = { LONGRUN_TRAINER_USER: 'worker' };

let world: World;
let keepers: Keeper[] = [];

beforeAll(async () => {
  world = await World.begin();
});

afterEach(async () => {
  for (const keeper of keepers) keeper.stop();
  keepers = [];
  await world.endProcesses();
});

afterAll(async () => {
  await world.end();
});

test('an experiment that kills its workers ends after 4 of them, and the one beside it does not notice', async () => {
  const first = await Keeper.start();
  const innocent = await world.submit({ epochs: 10_000, pauseMs: 60 });
  await world.when(innocent, ({ status }) => status === 'running');
  const second = await Keeper.start();
  const id = await world.submit(
    { fault: { kind: 'killWorker', step: 3 } },
    { checkpoint: { everyBatches: 1000 }, retry: { maxFailures: 0, backoffMs: BACKOFF_MS } },
  );
  const poison = await world.whenEnded(id);
  expect(poison).toMatchObject({ status: 'failed', reason: 'worker_lost', failures: 0, losses: 4, preemptions: 4 });
  expect(poison.message).toMatch(/lost 4 times in a row .* retry\.maxLosses is 3/);
  expect(poison.attempts.map(({ reason }) => reason)).toEqual(Array(4).fill('worker_lost'));
  expect(new Set(poison.attempts.map(({ workerId }) => workerId)).size).toBe(4);
  await until(() => second.killed === 4);
  expect(first.killed).toBe(0);
  const step = (await world.platform.experiments.get(innocent)).progress?.step ?? 0;
  const beside = await world.when(innocent, ({ progress }) => (progress?.step ?? 0) > step);
  expect({ status: beside.status, attempts: beside.attempts.length }).toEqual({ status: 'running', attempts: 1 });
  await world.platform.experiments.cancel(innocent);
});

test('losses with a checkpoint between them are no losses in a row', async () => {
  const keeper = await Keeper.start();
  const id = await world.submit(
    { epochs: 1, fault: { kind: 'killWorkerOften', step: 12 } },
    { checkpoint: { everyBatches: 5 }, retry: { maxFailures: 0, maxLosses: 1, backoffMs: BACKOFF_MS } },
  );
  const { status, failures, losses, preemptions } = await world.whenEnded(id);
  expect({ status, failures, losses }).toEqual({ status: 'succeeded', failures: 0, losses: 0 });
  expect(preemptions).toBeGreaterThanOrEqual(2);
  expect(keeper.killed).toBe(preemptions);
});

test('experiments that kill workers without end leave others their turn', async () => {
  const keeper = await Keeper.start();
  const poison = await Promise.all(
    [1, 2].map(async () =>
      world.submit(
        { fault: { kind: 'killWorker', step: 1 } },
        { checkpoint: { everyBatches: 1000 }, retry: { maxFailures: 0, maxLosses: null, backoffMs: 2_000 } },
      ),
    ),
  );
  await until(() => keeper.killed > 0);
  const innocent = await world.submit({ epochs: 1 });
  expect(await world.whenEnded(innocent)).toMatchObject({ status: 'succeeded' });
  expect(keeper.killed).toBeGreaterThanOrEqual(2);
  for (const id of poison) await world.platform.experiments.cancel(id);
  for (const id of poison) expect(await world.whenEnded(id)).toMatchObject({ status: 'cancelled', failures: 0 });
});

/** Keeps one worker running, as systemd would: one that was killed is followed by another. */
class Keeper {
  /** Workers of this keeper that were killed. */
  killed = 0;
  #stopped = false;

  static async start(): Promise<Keeper> {
    const keeper = new Keeper();
    keepers.push(keeper);
    void keeper.#keep(await world.newWorker(OWN_USER));
    return keeper;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #keep(worker: ProcessUnderTest): Promise<void> {
    let current = worker;
    while ((await current.exited) === 'SIGKILL' && !this.#stopped) {
      this.killed += 1;
      current = world.unreadyWorker(OWN_USER);
    }
  }
}
