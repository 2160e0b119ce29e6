import { open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ExperimentOutcome } from '@longrun/contracts';
import { isRunning, until } from '@longrun/platform/testing';
import type { Head } from '@longrun/serialization';
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

test('damaged checkpoints are passed over for the newest that is whole, and said so', async () => {
  const first = await world.worker();
  const undisturbed = await world.submit();
  const expected = (await world.whenEnded(undisturbed)).result;
  const gate = await Gate.make();
  const id = await world.submit({ holds: [gate.after(32)] });
  await world.whenLogged(id, 31);
  await until(async () => (await world.head(id)).checkpoints.length === 3);
  first.signal('SIGKILL');
  await first.exited;
  await gate.open();
  const [newest, second, third] = (await world.head(id)).checkpoints;
  await damageBlob(newest?.manifestKey, 'bit');
  await damageBlob(second?.manifestKey, 'end');

  const worker = await world.worker();
  const { attempts, result } = await world.whenEnded(id);
  expect(attempts[1]).toMatchObject({ startStep: third?.step, restoredFrom: third?.manifestKey });
  const rejected = attempts[1]?.rejectedCheckpoints ?? [];
  expect(rejected.map((one) => one.step)).toEqual([newest?.step, second?.step]);
  expect(rejected[0]?.reason).toMatch(/parameters\.safetensors has SHA-256 .* its bytes have changed/);
  expect(rejected[1]?.reason).toMatch(/parameters\.safetensors has \d+ bytes but \d+ were committed/);
  const lines = (await world.events(id)).filter((event) => event.type === 'line').map((event) => JSON.stringify(event));
  expect(lines.join('\n')).toContain(`The checkpoint of step ${newest?.step} is damaged`);
  expect(lines.join('\n')).toContain(`Going on from the checkpoint of step ${third?.step}`);
  expect(result).toEqual(expected);
  expect(expected).not.toBe(null);
  expect(isRunning(worker.pid)).toBe(true);
});

test('when all checkpoints are damaged it ends, and they are kept to the last byte', async () => {
  const { id, checkpoints } = await withDamagedCheckpoints('stop');
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'checkpoints_damaged' });
  expect(ended.message).toContain(`that of step ${checkpoints[0]?.step}: file parameters.safetensors has SHA-256`);
  expect(ended.attempts).toMatchObject([{ reason: 'worker_lost' }, { reason: 'checkpoints_damaged', startStep: null }]);
  await expectDamageSaid(id, checkpoints);
  const head = await world.head(id);
  expect(head.checkpoints).toEqual(checkpoints);
  expect(ExperimentOutcome.parse(head.outcome).reason).toBe('checkpoints_damaged');
  for (const { manifestKey } of checkpoints) {
    const manifest = Buffer.from((await world.store.get(manifestKey)) ?? []).toString();
    for (const [, blobKey] of manifest.matchAll(/"blobKey":\s*"([^"]+)"/g))
      expect(await world.store.get(blobKey ?? '')).toBeDefined();
  }
});

test('when all checkpoints are damaged it begins anew if the spec says so', async () => {
  await world.worker();
  const expected = (await world.whenEnded(await world.submit())).result;
  const { id, checkpoints } = await withDamagedCheckpoints('restart');
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded', result: expected });
  expect(ended.attempts[1]).toMatchObject({ startStep: 0, restoredFrom: null });
  await expectDamageSaid(id, checkpoints);
});

test('one whose lease is gone with all that it named does not begin anew unawares', async () => {
  const id = await killedAfterCheckpoint('stop');
  // What the worker had said before it was killed is recorded by then.
  const lost = await world.when(id, ({ attempts }) => attempts[0]?.reason === 'worker_lost');
  const known = lost.checkpoints[0]?.step;
  await world.store.delete([`experiments/${id}/head.json`]);
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'worker_disk', failures: 2 });
  expect(ended.message).toContain(`The record knows a checkpoint of step ${known} of ${id}, but the object store`);
  expect(ended.attempts).toMatchObject([
    { reason: 'worker_lost' },
    { reason: 'worker_disk', startStep: null },
    { reason: 'worker_disk', startStep: null },
  ]);
});

test('one whose lease is gone with all that it named begins anew if the spec says so', async () => {
  await world.worker();
  const expected = (await world.whenEnded(await world.submit())).result;
  const id = await killedAfterCheckpoint('restart');
  await world.store.delete([`experiments/${id}/head.json`]);
  await world.worker();
  expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded', result: expected });
});

test('a running experiment that is cancelled ends at once, and its worker is free for the next', async () => {
  const worker = await world.worker();
  const id = await world.submit({ pauseMs: 50, epochs: 100 });
  await world.whenLogged(id, 3);
  const trainer = worker.childPid();
  await world.platform.experiments.cancel(id);

  const cancelled = await world.whenEnded(id);
  expect(cancelled).toMatchObject({ status: 'cancelled', reason: 'cancelled', failures: 0 });
  expect(ExperimentOutcome.parse((await world.head(id)).outcome)).toMatchObject({ reason: 'cancelled' });
  expect(trainer).toBeDefined();
  await until(() => !isRunning(trainer ?? 0));
  const next = await world.submit({ epochs: 1 });
  expect((await world.whenEnded(next)).status).toBe('succeeded');
});

test('a program that throws is tried again within its budget, and its message and stack are kept', async () => {
  await world.worker();
  const id = await world.submit({ fault: { kind: 'throw', step: 9 } }, { retry: { maxFailures: 1, backoffMs: 10 } });
  const failed = await world.whenEnded(id);
  expect(failed).toMatchObject({ status: 'failed', reason: 'program_error', failures: 2 });
  expect(failed.attempts.map((attempt) => attempt.reason)).toEqual(['program_error', 'program_error']);
  expect(failed.attempts[0]).toMatchObject({ startStep: 0, lastStep: 9, stepsRun: 9 });
  // The checkpoint of step 7 counts although what came after it failed.
  expect(failed.attempts[1]).toMatchObject({ startStep: 7, lastStep: 9, stepsRun: 2 });
  expect(failed.message).toContain('RangeError: the cost is lost at step 9');
  expect(failed.message).toContain('program/program.mjs');
  const events = JSON.stringify(await world.events(id));
  expect(events).toContain('about to divide by zero');
});

test('parameters that the program refuses once it sees the data are final', async () => {
  await world.worker();
  const id = await world.submit({ fault: { kind: 'refuse', step: 0 } });
  const failed = await world.whenEnded(id);
  expect(failed).toMatchObject({ status: 'failed', reason: 'invalid_params' });
  expect(failed.attempts).toHaveLength(1);
  expect(failed.message).toContain('params.fault: this dataset does not go with it');
  expect(ExperimentOutcome.parse((await world.head(id)).outcome).reason).toBe('invalid_params');
});

test('a program that leaves or eats all memory is told apart', async () => {
  await world.endProcesses();
  await world.newWorker({ NODE_OPTIONS: '--max-old-space-size=96' });
  const retry = { maxFailures: 0 };
  const leaving = await world.submit({ fault: { kind: 'exit', step: 2 } }, { retry });
  const eating = await world.submit({ fault: { kind: 'heap', step: 2 } }, { retry });
  const left = await world.whenEnded(leaving);
  expect(left).toMatchObject({ status: 'failed', reason: 'program_error' });
  expect(left.message).toContain('Its exit code was 5');
  const ate = await world.whenEnded(eating);
  expect(ate).toMatchObject({ status: 'failed', reason: 'out_of_memory' });
  expect(ate.message).toContain('heap limit');
});

test('a step that never ends is not waited for longer than the grace', async () => {
  await world.endProcesses();
  const worker = await world.newWorker({ LONGRUN_GRACE_MS: '700' });
  const id = await world.submit({ fault: { kind: 'block', step: 21 } }, { checkpoint: { everyBatches: 5 } });
  await until(async () => JSON.stringify(await linesSoFar(id)).includes('the step that never ends'));
  await until(async () => (await world.head(id)).checkpoints.length > 0);
  const trainer = worker.childPid();
  worker.signal('SIGTERM');
  expect(await worker.exited).toBe(0);
  expect(trainer).toBeDefined();
  expect(isRunning(trainer ?? 0)).toBe(false);

  const given = await world.when(id, ({ attempts }) => attempts[0]?.reason !== null);
  expect(given.attempts[0]).toMatchObject({ reason: 'preempted' });
  expect(given.failures).toBe(0);
  const committed = (await world.head(id)).checkpoints[0]?.step;
  expect([5, 10, 15, 20]).toContain(committed);
  expect(given.attempts[0]?.lastStep).toBeGreaterThanOrEqual(committed ?? 0);
  await world.platform.experiments.cancel(id);
});

test('a trainer that is caught in a step goes all the same when its worker is killed', async () => {
  const worker = await world.worker();
  const id = await world.submit({ fault: { kind: 'block', step: 3 } });
  await until(async () => JSON.stringify(await linesSoFar(id)).includes('the step that never ends'));
  const trainer = worker.childPid();
  expect(trainer).toBeDefined();
  worker.signal('SIGKILL');
  await worker.exited;
  await until(() => !isRunning(trainer ?? 0));
  await world.platform.experiments.cancel(id);
  expect((await world.whenEnded(id)).status).toBe('cancelled');
});

test('an idle worker stops at once', async () => {
  const worker = await world.worker();
  worker.signal('SIGTERM');
  expect(await worker.exited).toBe(0);
  expect(worker.lines.at(-1)).toBe('worker-gpu: stopped');
});

test('a worker that can reach no Redis or no object store says so and does not start', async () => {
  const withoutRedis = world.unreadyWorker({ REDIS_URL: 'redis://:secret@127.0.0.1:1', LONGRUN_REDIS_WAIT_MS: '300' });
  const withoutStore = world.unreadyWorker({ LONGRUN_OBJECTS: pathToFileURL(join(world.folder, 'digits.hdf5')).href });
  const misled = world.unreadyWorker({ LONGRUN_GRACE_MS: 'soon' });
  expect(await withoutRedis.exited).toBe(1);
  expect(withoutRedis.output).toMatch(/Redis at redis:\/\/.*127\.0\.0\.1:1\S* could not be reached within 300 ms/);
  expect(withoutRedis.output).not.toContain('secret');
  expect(await withoutStore.exited).toBe(1);
  expect(withoutStore.output).toContain('cannot be used');
  expect(await misled.exited).toBe(1);
  expect(misled.output).toContain('LONGRUN_GRACE_MS: "soon" is not a whole number');
});

async function linesSoFar(id: string): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of world.platform.experiments.subscribe(id)) {
    if (event.type === 'caught-up') break;
    events.push(event);
  }
  return events;
}

/** An experiment whose worker was killed, and all of whose checkpoints were damaged since. */
async function withDamagedCheckpoints(
  onAllDamaged: 'stop' | 'restart',
): Promise<{ readonly id: string; readonly checkpoints: Head['checkpoints'] }> {
  const id = await killedAfterCheckpoint(onAllDamaged);
  const { checkpoints } = await world.head(id);
  for (const { manifestKey } of checkpoints) await damageBlob(manifestKey, 'bit');
  return { id, checkpoints };
}

/** An experiment that waits for a worker, its last one killed after it had committed a checkpoint. */
async function killedAfterCheckpoint(onAllDamaged: 'stop' | 'restart'): Promise<string> {
  const worker = await world.worker();
  const gate = await Gate.make();
  const checkpoint = { everyBatches: 7, onAllDamaged };
  const id = await world.submit({ holds: [gate.after(20)] }, { checkpoint, retry: { maxFailures: 1, backoffMs: 10 } });
  await world.when(id, (experiment) => experiment.checkpoints.length > 0);
  worker.signal('SIGKILL');
  await worker.exited;
  await gate.open();
  return id;
}

async function expectDamageSaid(id: string, checkpoints: Head['checkpoints']): Promise<void> {
  const lines = (await world.events(id)).flatMap((event) => (event.type === 'line' ? [event.data.text] : []));
  for (const { step } of checkpoints)
    expect(lines.join('\n')).toContain(`[longrun] The checkpoint of step ${step} is damaged`);
}

/** Damages the stored parameters of one checkpoint: flips a bit, or cuts off the end. */
async function damageBlob(manifestKey: string | undefined, how: 'bit' | 'end'): Promise<void> {
  const root = fileURLToPath(world.store.url);
  const manifest: unknown = JSON.parse(await readFile(join(root, manifestKey ?? 'missing'), 'utf8'));
  const blobKey = /"name": "parameters\.safetensors",\s*"blobKey": "([^"]+)"/.exec(
    JSON.stringify(manifest, null, 1),
  )?.[1];
  const path = join(root, blobKey ?? 'missing');
  const { length } = await readFile(path);
  if (how === 'end') return await truncate(path, length - 5);
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, length - 3);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await file.write(byte, 0, 1, length - 3);
  await file.close();
}

test('a program whose kept module rotted is fetched again; one whose module is gone ends its run, until it is published again', async () => {
  await world.worker();
  const first = await world.submit({ epochs: 1 });
  const { programSha256, status } = await world.whenEnded(first);
  expect(status).toBe('succeeded');
  const kept = join(world.folder, 'state', 'cache', 'programs', 'kept');
  const [entry = ''] = (await readdir(kept)).filter((name) => name.startsWith(programSha256 ?? '-'));
  await rm(join(kept, entry, 'file'));
  await writeFile(join(kept, entry, 'file'), 'throw new Error("rotten");');
  expect(await world.whenEnded(await world.submit({ epochs: 1 }))).toMatchObject({ status: 'succeeded' });
  // The rotten one stays for as long as the first attempt holds it.
  const fetched = (await readdir(kept)).filter((name) => name.startsWith(programSha256 ?? '-') && name !== entry);
  expect(fetched).toHaveLength(1);

  await rm(kept, { recursive: true });
  await world.store.delete([`programs/${programSha256}.mjs`]);
  const lost = await world.whenEnded(await world.submit({ epochs: 1 }));
  expect(lost).toMatchObject({ status: 'failed', reason: 'program_unavailable', failures: 1 });
  expect(lost.message).toContain(`has no programs/${programSha256}.mjs; publish the program again`);
  await world.publishProgram('digits');
  const found = await world.whenEnded(await world.submit({ epochs: 1 }));
  expect(found).toMatchObject({ status: 'succeeded', programSha256 });
});
