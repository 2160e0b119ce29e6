import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@longrun/client';
import { until } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { LAST_STEP, LONG_ENOUGH_MS, Services, stepsOf, tinyExperiment, untilEnded, upTo } from './services.js';

let services: Services;

beforeAll(async () => {
  // A busy machine must not lose a worker for us.
  services = await Services.begin({ LONGRUN_WORKER_LOST_MS: '120000' });
});

afterEach(async () => {
  await services.endProcesses();
});

afterAll(async () => {
  await services.end();
});

test.each([
  ['keeps what it has', 1],
  ['loses all it has', 3],
])(
  'runs that ended while the API was dead have every row after its restart, if Redis %s meanwhile',
  async (fate, count) => {
    const api = await services.startApi();
    const client = await services.connect();
    const ids = await Promise.all(Array.from({ length: count }, () => submit(client)));
    await until(async () => (await services.waitingJobs()) >= count, undefined, LONG_ENOUGH_MS);
    api.signal('SIGKILL');
    expect(await api.exited).toBe('SIGKILL');

    const worker = services.start('worker-gpu');
    await until(
      () => ids.every((id) => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: succeeded`))),
      () => worker.output,
    );
    if (fate === 'loses all it has') {
      // Nor does anybody have what Redis lost.
      await worker.end();
      await services.redis.flushAll();
    }

    const again = await services.startApi();
    const after = await services.connect();
    for (const id of ids) {
      await untilEnded(after, id, () => again.output);
      const { status, attempts, result } = await after.experiments.get(id);
      expect({ status, fences: attempts.map(({ fence }) => fence) }).toEqual({ status: 'succeeded', fences: [1] });
      const rows = [];
      for await (const row of after.experiments.logRows(id)) rows.push(row);
      expect(rows.map(({ step }) => step)).toEqual(upTo(LAST_STEP));
      expect(rows.at(-1)?.row).toEqual(result?.lastRow);
    }
    await Promise.all([worker.end(), again.end()]);
  },
);

test('of runs that failed while the API was dead no row is missing, though Redis loses all it has', async () => {
  const api = await services.startApi();
  const client = await services.connect();
  // Before the first checkpoint, right after it, and long after it.
  const ends = [5, 16, 29];
  const ids = await Promise.all(ends.map((refuseAt) => submit(client, { program: 'turns', params: { refuseAt } })));
  await until(async () => (await services.waitingJobs()) >= ids.length, undefined, LONG_ENOUGH_MS);
  api.signal('SIGKILL');
  expect(await api.exited).toBe('SIGKILL');

  const worker = services.start('worker-gpu');
  await until(
    () => ids.every((id) => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: invalid_params`))),
    () => worker.output,
  );
  await worker.end();
  await services.redis.flushAll();

  const again = await services.startApi();
  const after = await services.connect();
  for (const [index, id] of ids.entries()) {
    await untilEnded(after, id, () => again.output);
    const { status, reason, attempts, checkpoints } = await after.experiments.get(id);
    expect({ status, reason, fences: attempts.map(({ fence }) => fence) }).toEqual({
      status: 'failed',
      reason: 'invalid_params',
      fences: [1],
    });
    // Nothing was heard of the attempt: what is known of it is in the store.
    expect(checkpoints).toEqual([]);
    expect(await stepsOf(after, id)).toEqual(upTo(ends[index] ?? 0).slice(1));
  }
  await again.end();
});

test('of a run that was cancelled while the API was dead no row is missing, though Redis loses all it has', async () => {
  const api = await services.startApi();
  // A trainer with a user of its own could not write the witness.
  const worker = services.start('worker-gpu', { LONGRUN_TRAINER_USER: 'worker' });
  const client = await services.connect();
  const witness = join(services.folder, 'witness');
  const id = await submit(client, {
    program: 'turns',
    params: { epochs: 100_000, pauseMs: 5, witness },
    checkpoint: { everyBatches: 1_000_000 },
  });
  await until(
    async () => (await stepsOf(client, id)).length > 3,
    () => worker.output,
  );
  // It hears that it is cancelled when the API is dead, and its trainer has gone on.
  worker.signal('SIGSTOP');
  await client.experiments.act(id, 'cancel');
  const recorded = (await stepsOf(client, id)).length;
  api.signal('SIGKILL');
  expect(await api.exited).toBe('SIGKILL');
  const batchesDone = async (): Promise<number> => Number(await readFile(witness, 'utf8'));
  await until(async () => (await batchesDone()) > recorded + 10);
  // The row of the batch after which it is said may still be in the making.
  const logged = (await batchesDone()) - 1;
  worker.signal('SIGCONT');
  await until(
    () => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: cancelled`)),
    () => worker.output,
  );
  await worker.end();
  await services.redis.flushAll();

  // There is no worker that could be lost.
  const again = await services.startApi({ LONGRUN_HEARTBEAT_MS: '500', LONGRUN_WORKER_LOST_MS: '2000' });
  const after = await services.connect();
  await untilEnded(after, id, () => again.output);
  expect(await after.experiments.get(id)).toMatchObject({ status: 'cancelled', attempts: [{ fence: 1 }] });
  const steps = await stepsOf(after, id);
  expect(steps.length).toBeGreaterThanOrEqual(logged);
  expect(steps).toEqual(upTo(steps.length).slice(1));
  await again.end();
});

async function submit(client: Client, spec: Parameters<typeof tinyExperiment>[0] = {}): Promise<string> {
  return (await client.experiments.submit(tinyExperiment(spec))).id;
}
