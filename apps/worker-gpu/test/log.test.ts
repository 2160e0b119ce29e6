import type { StoredLogRow } from '@longrun/contracts';
import { isRunning, until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { World } from './world.js';

vi.setConfig({ testTimeout: 120_000 });

/** 2 epochs of 30 batches, slow enough to be caught in the act. */
const slow = { epochs: 2, pauseMs: 12 };
const LAST_STEP = 60;

let world: World;
let undisturbed: readonly StoredLogRow[];

beforeAll(async () => {
  world = await World.begin();
  await world.worker();
  const id = await world.submit(slow);
  await world.whenEnded(id);
  undisturbed = await world.rows(id);
  expect(undisturbed).toHaveLength(LAST_STEP + 1);
  expect(await world.checkpointLog(id)).toEqual({ step: LAST_STEP, entries: undisturbed });
}, 120_000);

afterAll(async () => {
  await world.close();
});

test('rows that never left a worker that was killed are in the log of its last checkpoint, and in the end every row is there once', async () => {
  const worker = await world.worker();
  const id = await world.submit(slow);
  await world.whenLogged(id, 8);
  await world.redis.stopServing();
  const recorded = (await world.rows(id)).at(-1)?.step ?? 0;
  // The checkpoint after the next one has rows that Redis has never seen.
  await until(
    async () => ((await world.head(id)).checkpoints[0]?.step ?? 0) > recorded + 8,
    () => worker.output,
  );
  const trainer = worker.childPid();
  worker.signal('SIGKILL');
  expect(await worker.exited).toBe('SIGKILL');
  await until(() => !isRunning(trainer ?? 0));

  // The row of the step itself was not finished when its snapshot was taken: it is in the snapshot.
  const { step, entries } = await world.checkpointLog(id);
  expect((await world.rows(id)).at(-1)?.step).toBeLessThan(step - 1);
  expect(step).toBeLessThan(LAST_STEP);
  expect(entries).toEqual(undisturbed.filter((row) => row.step < step));

  await world.redis.restart();
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded' });
  expect(ended.attempts.map((attempt) => attempt.startStep)).toEqual([0, step]);
  expect(await world.checkpointLog(id)).toEqual({ step: LAST_STEP, entries: undisturbed });
});

test('a worker that gives an experiment back hands on the rows up to the step in which it stopped', async () => {
  const worker = await world.worker();
  const id = await world.submit(slow, { checkpoint: { everyBatches: 1000 } });
  await world.whenLogged(id, 20);
  worker.signal('SIGTERM');
  expect(await worker.exited).toBe(0);
  const { step, entries } = await world.checkpointLog(id);
  expect(entries).toEqual(undisturbed.filter((row) => row.step < step));
  await world.worker();
  expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded' });
  expect(await world.checkpointLog(id)).toEqual({ step: LAST_STEP, entries: undisturbed });
});

test('of rows that are too large a text is left, and the attempt goes on', async () => {
  await world.worker();
  const id = await world.submit({ fault: { kind: 'largeRow', step: 9 } });
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded', failures: 0 });
  expect(ended.attempts).toHaveLength(1);

  const rows = await world.rows(id);
  const { entries } = await world.checkpointLog(id);
  const of9 = entries.filter(({ step }) => step === 9).map(({ row }) => row);
  expect(of9).toContainEqual(
    expect.objectContaining({ samples: '[longrun] left out: 52428802 bytes, at most 262144 per row' }),
  );
  expect(of9).toContainEqual({ list: '[longrun] left out: 1000001 bytes, at most 262144 per row' });
  expect(of9.some((row) => typeof row['batch_cost'] === 'number')).toBe(true);
  expect(rows.find(({ step }) => step === 9)?.row).toEqual(Object.assign({}, ...of9));

  const said = (await world.events(id)).filter((event) => JSON.stringify(event).includes('A log row has at most'));
  // By the trainer of its own row, and by the worker of the one that went past it.
  expect(said).toHaveLength(2);
});
