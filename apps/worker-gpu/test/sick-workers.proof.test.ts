import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerView } from '@longrun/contracts';
import { type Disk, type ProcessUnderTest, smallDisk, until } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

const retry = { maxFailures: 0, maxLosses: 0, maxPreemptions: 0 };
const checkAgain = { LONGRUN_CHECK_AGAIN_MS: '100' };
const disk: Disk = smallDisk();

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterEach(async () => {
  disk.mend();
  await world.endProcesses();
});

afterAll(async () => {
  await world.end();
  disk.end();
});

test(`a worker that cannot do its work (${disk.how}) takes no more, says why, and goes on when it can again`, async () => {
  const sick = await world.newWorker({ ...checkAgain, LONGRUN_STATE: disk.folder });
  disk.break();
  const id = await world.submit({ epochs: 1 }, { retry });
  const waiting = await world.when(id, ({ status, attempts }) => status === 'queued' && attempts.length === 2);
  expect(waiting.attempts[0]).toMatchObject({
    reason: 'worker_unfit',
    workerId: expect.stringContaining(`${sick.pid}`),
  });
  expect(waiting.attempts[0]?.message).toMatch(disk.fault);
  expect(waiting.attempts[0]?.message).toMatch(/The attempt had ended with (worker_disk|storage_error)/);
  const quarantined = await seenAs(sick, ({ status }) => status === 'quarantined');
  expect(quarantined.statusReason).toMatch(disk.fault);
  expect(quarantined.statusReason).toContain(disk.folder);
  expect(quarantined.alive).toBe(true);
  const { message } = await world.platform.experiments.get(id);
  expect(message).toContain(`The only worker is quarantined: ${quarantined.id}`);

  const healthy = await world.newWorker();
  const { attempts, ...ended } = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded', failures: 0, preemptions: 0, losses: 0 });
  expect(attempts.map(({ reason }) => reason)).toEqual(['worker_unfit', 'succeeded']);
  expect(attempts[1]?.workerId).toContain(String(healthy.pid));

  await healthy.end();
  disk.mend();
  expect(await seenAs(sick, ({ status }) => status === 'ready')).toMatchObject({ statusReason: null });
  const next = await world.submit({ epochs: 1 }, { retry });
  const { status, attempts: again } = await world.whenEnded(next);
  expect(status).toBe('succeeded');
  expect(again.map(({ workerId }) => workerId)).toEqual([quarantined.id]);
});

test('an experiment that fills the disk itself is charged itself, and its worker stays ready', async () => {
  const worker = await world.newWorker({ ...checkAgain, LONGRUN_STATE: disk.folder });
  const id = await world.submit({ fault: { kind: 'fill', step: 2 } }, { retry });
  const failed = await world.whenEnded(id);
  expect(failed).toMatchObject({ status: 'failed', reason: 'worker_disk', failures: 1 });
  expect(failed.message).toMatch(/ENOSPC/);
  expect(worker.output).not.toContain('quarantined');
  const next = await world.submit({ epochs: 1 }, { retry });
  expect(await world.whenEnded(next)).toMatchObject({ status: 'succeeded' });
});

test('what no disk has room for goes to another worker once, uncharged, before it is charged', async () => {
  await world.newWorker({ ...checkAgain, LONGRUN_STATE: disk.folder });
  await world.newWorker();
  const id = await world.submit({ fault: { kind: 'fill', step: 2 } }, { retry });
  const { attempts, ...failed } = await world.whenEnded(id);
  expect(failed).toMatchObject({ status: 'failed', reason: 'worker_disk', failures: 1 });
  expect(attempts.map(({ reason }) => reason)).toEqual(['worker_disk', 'worker_disk']);
  expect(new Set(attempts.map(({ workerId }) => workerId)).size).toBe(2);
});

test('a worker whose engine cannot be loaded, at its start or later, gets no work until it can', async () => {
  const engine = hiddenEngine();
  // Its check passes, and no trainer that waits has loaded it before.
  engine.hideFromTrainers();
  const worker = await world.newWorker({ ...checkAgain, ...engine.environment });
  engine.hide();
  const id = await world.submit({ epochs: 1 }, { retry });
  const waiting = await world.when(id, ({ attempts }) => attempts.length === 2);
  expect(waiting.attempts[0]).toMatchObject({ reason: 'worker_unfit' });
  expect(waiting.attempts[0]?.message).toContain('The engine does not serve: the engine is hidden');
  const second = await world.newWorker({ ...checkAgain, ...engine.environment });
  expect(second.output).toContain('quarantined: The engine does not serve');
  for (const each of [worker, second]) await seenAs(each, ({ status }) => status === 'quarantined');
  expect((await world.platform.experiments.get(id)).message).toContain('All 2 workers are quarantined');

  engine.show();
  expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded', failures: 0 });
  for (const each of [worker, second]) await seenAs(each, ({ status }) => status === 'ready');
});

test('a trainer that could not get ready is not the one that the next attempt gets', async () => {
  const engine = hiddenEngine();
  engine.hide();
  const worker = await world.newWorker({ LONGRUN_CHECK_AGAIN_MS: '3600000', ...engine.environment });
  const { id: workerId } = await seenAs(worker, ({ status }) => status === 'quarantined');
  await until(() => worker.childPid() === undefined);
  engine.show();
  await world.platform.workers.release(workerId);
  const id = await world.submit({ epochs: 1 }, { retry });
  expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded', failures: 0 });
});

test('a user takes the word of a quarantined worker; its next fault brings it back', async () => {
  const worker = await world.newWorker({ LONGRUN_CHECK_AGAIN_MS: '3600000', LONGRUN_STATE: disk.folder });
  disk.break();
  const id = await world.submit({ epochs: 1 }, { retry });
  const { id: workerId } = await seenAs(worker, ({ status }) => status === 'quarantined');
  await world.platform.workers.release(workerId);
  await world.when(id, ({ attempts }) => attempts[1]?.reason === 'worker_unfit');
  await seenAs(worker, ({ status }) => status === 'quarantined');
  disk.mend();
  await world.platform.workers.release(workerId);
  const { attempts, ...ended } = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'succeeded', failures: 0 });
  expect(attempts.map(({ reason }) => reason)).toEqual(['worker_unfit', 'worker_unfit', 'succeeded']);
});

/** Waits until the record has a worker as wanted. */
async function seenAs(worker: ProcessUnderTest, wanted: (view: WorkerView) => boolean): Promise<WorkerView> {
  let found: WorkerView | undefined;
  await until(
    async () => {
      found = (await world.platform.workers.list()).items.find(({ id }) => id.endsWith(`-${worker.pid}`));
      return found !== undefined && wanted(found);
    },
    () => `${JSON.stringify(found)}\n${worker.output}`,
  );
  if (found === undefined) throw new Error('There is no such worker');
  return found;
}

/** An ONNX Runtime whose native library cannot be loaded while it is hidden, from all or from trainers. */
function hiddenEngine() {
  const preload = join(world.folder, 'hidden-engine.cjs');
  const sign = join(world.folder, 'engine-is-hidden');
  const trainersSign = join(world.folder, 'engine-is-hidden-from-trainers');
  writeFileSync(
    preload,
    `const { dlopen } = process;
    const { existsSync } = require('node:fs');
    const isHidden = () =>
      existsSync(${JSON.stringify(sign)}) ||
      (process.argv[1]?.endsWith('/trainer.js') && existsSync(${JSON.stringify(trainersSign)}));
    process.dlopen = (module, path, ...flags) => {
      if (path.includes('onnxruntime') && isHidden()) throw new Error('the engine is hidden');
      return dlopen(module, path, ...flags);
    };`,
  );
  return {
    environment: { NODE_OPTIONS: `--require ${preload}` },
    hide: () => writeFileSync(sign, ''),
    hideFromTrainers: () => writeFileSync(trainersSign, ''),
    show: () => {
      for (const each of [sign, trainersSign]) rmSync(each, { force: true });
    },
  };
}
