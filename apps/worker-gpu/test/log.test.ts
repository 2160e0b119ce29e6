import type { StoredLogRow } from '@longrun/contracts';
import { isRunning, until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

/** 2 epochs of 30 batches. */
const params = { epochs: 2 };
const LAST_STEP = 60;

/** Long enough for a worker on a busy machine that is not killed. */
const SILENCE_MS = 30_000;

let world: World;
let undisturbed: readonly StoredLogRow[];

beforeAll(async () => {
  // A worker that is killed while Redis is away is missed by its silence only.
  world = await World.begin(SILENCE_MS);
  await world.worker();
  const id = await world.submit(params);
  await world.whenEnded(id);
  undisturbed = await world.rows(id);
  expect(undisturbed).toHaveLength(LAST_STEP + 1);
  expect(await world.checkpointLog(id)).toEqual({ step: LAST_STEP, entries: undisturbed });
});

afterAll(async () => {
  await world.end();
});

test('rows that never left a worker that was killed are in the log of its last checkpoint, and in the end every row is there once', async () => {
  const worker = await world.worker();
  const [first, second] = [await Gate.make(), await Gate.make()];
  const id = await world.submit({ ...params, holds: [first.after(9), second.after(40)] });
  await world.whenLogged(id, 8);
  await world.redis.stopServing();
  await first.open();
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
  await second.open();

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
  const gate = await Gate.make();
  const id = await world.submit({ ...params, holds: [gate.after(21)] }, { checkpoint: { everyBatches: 1000 } });
  await world.whenLogged(id, 20);
  worker.signal('SIGTERM');
  expect(await worker.exited).toBe(0);
  await gate.open();
  const { step, entries } = await world.checkpointLog(id);
  expect(entries).toEqual(undisturbed.filter((row) => row.step < step));
  await world.worker();
  expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded' });
  expect(await world.checkpointLog(id)).toEqual({ step: LAST_STEP, entries: undisturbed });
});

test('in place of a record of 50 MB a text is left, and the attempt goes on: it ends, and every row is there', async () => {
  await world.worker();
  const id = await world.submit({ fault: { kind: 'largeRow', step: 9 } });
  await expectOneAttempt(id);

  const leftOut = new Map([
    [9, '[longrun] left out: 52428802 bytes, at most 262144 per row'],
    [10, '[longrun] left out: 1048578 bytes, at most 262144 per row'],
  ]);
  const expected = undisturbed.map(({ step, row }) => {
    const samples = leftOut.get(step);
    return { step, row: samples === undefined ? row : { ...row, samples } };
  });
  expect(await world.rows(id)).toEqual(expected);
  expect(await world.checkpointLog(id)).toEqual({ step: LAST_STEP, entries: expected });
  expect(await saidOf(id)).toEqual([expect.stringContaining('this one was larger: samples left out')]);
});

test('rows that went past the reporting of the trainer are cut by the worker', async () => {
  await world.worker();
  const id = await world.submit({ fault: { kind: 'foreignRows', step: 9 } });
  await expectOneAttempt(id);

  const leftOut = '[longrun] left out: 1000001 bytes, at most 262144 per row';
  const expected = undisturbed.map(({ step, row }) => ({
    step,
    row: step === 9 ? { ...row, one: leftOut, two: leftOut } : row,
  }));
  expect(await world.rows(id)).toEqual(expected);
  const { entries } = await world.checkpointLog(id);
  const foreign = entries.filter(({ row }) => 'one' in row || 'two' in row);
  expect(foreign).toEqual([
    { step: 9, row: { one: leftOut } },
    { step: 9, row: { two: leftOut } },
  ]);
  expect(entries.filter((entry) => !foreign.includes(entry))).toEqual(undisturbed);
  expect(await saidOf(id)).toEqual([expect.stringContaining('this one was larger: one left out')]);
});

async function expectOneAttempt(id: string): Promise<void> {
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded', failures: 0 });
  expect(ended.attempts).toEqual([
    expect.objectContaining({ fence: 1, reason: 'succeeded', startStep: 0, lastStep: LAST_STEP }),
  ]);
}

/** What was said of rows that were too large. */
async function saidOf(id: string): Promise<string[]> {
  return (await world.events(id))
    .flatMap((event) => (event.type === 'line' ? event.data.text : []))
    .filter((text) => text.includes('A log row has at most'));
}
