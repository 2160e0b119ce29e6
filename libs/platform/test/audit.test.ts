import { DatasetSpec } from '@longrun/contracts';
import { expect } from 'vitest';

import { LifeWriter } from '../src/life/writer.js';
import type { PlatformRecord } from '../src/record/record.js';
import { sha256OfJson } from '../src/record/hash.js';
import { experimentSpec, impatient, test } from './world.js';

test('every change that somebody makes of an experiment is noted, with what was before and after', async ({
  world,
  record,
}) => {
  await world.start(impatient);
  await world.readyDataset();
  const id = await world.submit({ name: 'watched' });
  const { spec } = await world.platform.experiments.get(id);
  const lost = await world.worker('gpu-1').next();
  lost.start().train(3);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 3);
  lost.freeze();
  const successor = await world.worker('gpu-2').next();
  successor.start().train(5);
  await world.when(id, ({ attempts }) => attempts[1]?.lastStep === 5);
  await world.platform.experiments.cancel(id);
  await world.platform.experiments.cancel(id);
  successor.freeze();
  const ended = await world.when(id, ({ status }) => status === 'cancelled');
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['worker_lost', 'worker_lost']);

  expect(await changesOf(record, id)).toEqual([
    ['default', 'submit', null, { name: 'watched', specSha256: sha256OfJson(spec) }],
    [
      'controller',
      'write-off',
      { status: 'running', fence: 1, workerId: 'gpu-1' },
      { status: 'queued', reason: 'worker_lost' },
    ],
    ['default', 'cancel', { status: 'running', cancelRequested: false }, { cancelRequested: true }],
    [
      'controller',
      'write-off',
      { status: 'running', fence: 2, workerId: 'gpu-2' },
      { status: 'running', reason: 'worker_lost' },
    ],
    ['controller', 'end', { status: 'running' }, { status: 'cancelled', reason: 'cancelled' }],
  ]);
});

test('what only its worker ends is no change of the controller', async ({ world, record }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  await (await world.worker('gpu-1').next()).start().train(2).succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  expect((await changesOf(record, id)).map(([, action]) => action)).toEqual(['submit']);
});

test('a request that is answered from what is there, or refused, changes nothing', async ({ world, record }) => {
  const { experiments, datasets } = await world.start();
  const digits = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });
  const submissions = await Promise.all(Array.from({ length: 5 }, () => datasets.submit(digits)));
  const id = submissions[0]?.dataset.id ?? '';
  expect(await changesOf(record, id)).toEqual([
    ['default', 'submit', null, { name: 'digits', specSha256: sha256OfJson(digits) }],
  ]);
  const same = await Promise.all(
    Array.from({ length: 5 }, () => experiments.submit(experimentSpec(), { idempotencyKey: 'one' })),
  );
  expect(new Set(same.map(({ experiment }) => experiment.id)).size).toBe(1);
  await expect(experiments.submit(experimentSpec({ dataset: 'none' }))).rejects.toThrow('no dataset');
  // Its program, the dataset, and one experiment.
  const actions = await record.db.selectFrom('audit').select('action').orderBy('number').execute();
  expect(actions.map(({ action }) => action)).toEqual(['publish', 'submit', 'submit']);
});

test('a transaction that fails leaves no note of what it would have changed', async ({ world, record }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  let noted = 0;
  const failing = new LifeWriter(record).write(async (lives) => {
    (await lives.find(id))?.requestCancel();
    await lives.save();
    const rows = await lives.transaction.selectFrom('audit').select('action').where('subject', '=', id).execute();
    noted = rows.length;
    throw new Error('the disk is full');
  });
  await expect(failing).rejects.toThrow('the disk is full');
  expect(noted).toBe(2);
  expect((await changesOf(record, id)).map(([, action]) => action)).toEqual(['submit']);
  expect(await world.platform.experiments.get(id)).toMatchObject({ cancelRequested: false });
});

/** Who did what, and what was before and after, in order. */
async function changesOf(record: PlatformRecord, subject: string): Promise<unknown[][]> {
  const rows = await record.db
    .selectFrom('audit')
    .selectAll()
    .where('subject', '=', subject)
    .orderBy('number')
    .execute();
  return rows.map(({ actor, action, before, after }) => [actor, action, before, after]);
}
