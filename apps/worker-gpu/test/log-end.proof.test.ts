import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashFile, newestLog, newestManifest } from '@longrun/serialization';
import { until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test.each([
  ['before its first checkpoint', 5],
  ['after a checkpoint', 10],
])(
  'of a run that failed %s, was to be tried again and was cancelled instead, no row is missing, though Redis lost every word',
  async (_, step) => {
    const id = await world.submit({ fault: { kind: 'throw', step } });
    // A job of another run, which was cancelled here while it was put in again, may lie there too.
    await until(async () => (await world.redis.members('{longrun}:experiments:prioritized')).includes(`${id}.1`));
    await world.platform.close();
    const worker = await world.newWorker();
    await until(
      () => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: program_error`)),
      () => worker.output,
    );
    worker.signal('SIGKILL');
    await worker.exited;
    const { checkpoints, outcome } = await world.head(id);
    expect(checkpoints.map((checkpoint) => checkpoint.step)).toEqual(step > 7 ? [7] : []);
    expect(outcome).toBeNull();
    await world.redis.flushAll();

    // Of a worker that was killed while no platform watched, only its silence tells.
    await world.missWorkerOf(id);
    expect(await world.platform.experiments.get(id)).toMatchObject({ status: 'queued' });
    expect((await world.rows(id)).at(-1)?.step).toBeUndefined();
    await world.platform.experiments.cancel(id);
    expect(await world.whenEnded(id)).toMatchObject({ status: 'cancelled' });
    expect((await world.rows(id)).map((row) => row.step)).toEqual(upTo(step));
  },
);

test('a run that was tried again to the end of its budget has the rows of its last attempt once', async () => {
  await world.worker();
  const id = await world.submit({ fault: { kind: 'throw', step: 10 } }, { retry: { maxFailures: 1, backoffMs: 10 } });
  expect(await world.whenEnded(id)).toMatchObject({ status: 'failed', failures: 2 });
  const log = await newestLog(world.store, `experiments/${id}`);
  expect(log).toMatchObject({ fence: 2 });
  expect(log?.log.reduce((sum, { rows }) => sum + rows, 0)).toBe((await world.rows(id)).length);
  expect((await world.rows(id)).map((row) => row.step)).toEqual(upTo(10));
});

test('a run that is cancelled while it trains has the row of every batch that it did', async () => {
  await world.worker();
  const gate = await Gate.make();
  const id = await world.submit({ epochs: 2, holds: [gate.after(12)] });
  await world.when(id, ({ attempts }) => (attempts[0]?.lastStep ?? 0) >= 10);
  await world.platform.experiments.cancel(id);
  const { attempts, status } = await world.whenEnded(id);
  expect(status).toBe('cancelled');
  const { lastStep } = attempts[0] ?? {};
  expect((await world.rows(id)).map((row) => row.step)).toEqual(upTo(lastStep ?? 0));
  const log = await newestLog(world.store, `experiments/${id}`);
  expect(log?.log.at(-1)?.lastStep).toBe(lastStep);
});

test('a run that is preempted and cancelled before it goes on has the row of every batch that it did', async () => {
  const worker = await world.worker();
  const gate = await Gate.make();
  const id = await world.submit({ epochs: 2, holds: [gate.after(12)] });
  await world.when(id, ({ attempts }) => (attempts[0]?.lastStep ?? 0) >= 10);
  worker.signal('SIGTERM');
  await worker.exited;
  const { attempts } = await world.when(id, (experiment) => experiment.attempts[0]?.reason === 'preempted');
  await world.platform.experiments.cancel(id);
  expect(await world.whenEnded(id)).toMatchObject({ status: 'cancelled' });
  expect((await world.rows(id)).map((row) => row.step)).toEqual(upTo(attempts[0]?.lastStep ?? 0));
});

test('rows that cannot be kept are said, and the run ends as it would', async () => {
  const id = await world.submit({ fault: { kind: 'throw', step: 5 } }, { retry: { maxFailures: 0 } });
  // Where the folder of the segments should be.
  await world.store.put(`experiments/${id}/log`, Buffer.from('a file'));
  await world.worker();
  expect(await world.whenEnded(id)).toMatchObject({ status: 'failed', reason: 'program_error' });
  expect((await world.head(id)).log).toBeNull();
  expect((await world.rows(id)).map((row) => row.step)).toEqual(upTo(5));
  const said = (await world.events(id)).filter((event) => event.type === 'line').map((event) => event.data.text);
  expect(said.join('\n')).toContain('[longrun] Could not keep the log rows after the last checkpoint, tried 5 times: ');
});

test('a copy of the log that is damaged is written again while the run goes on', async () => {
  const worker = await world.worker();
  const [first, second] = [await Gate.make(), await Gate.make()];
  const id = await world.submit({ epochs: 2, holds: [first.after(10), second.after(40)] });
  const prefix = `experiments/${id}`;
  await until(
    async () => (await newestManifest(world.store, prefix)) !== undefined,
    () => worker.output,
  );
  const [segment] = (await newestManifest(world.store, prefix))?.log ?? [];
  const [one = '', other = ''] = (segment?.keys ?? []).map((key) => join(fileURLToPath(world.store.url), key));
  await damage(other);
  expect((await hashFile(other)).sha256).not.toBe(segment?.sha256);
  await first.open();
  await until(
    async () => (await hashFile(other)).sha256 === segment?.sha256,
    () => worker.output,
  );
  expect((await hashFile(one)).sha256).toBe(segment?.sha256);
  await damage(one);
  await second.open();
  expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded' });
  expect((await world.checkpointLog(id)).entries).toEqual(await world.rows(id));
  expect((await world.rows(id)).map((row) => row.step)).toEqual(upTo(60));
});

async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, step) => step);
}
