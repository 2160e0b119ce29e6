import { DatasetSpec } from '@longrun/contracts';
import { sql } from 'kysely';
import { expect } from 'vitest';

import { until } from '../src/testing/index.js';
import { refusalOf } from './refusal-of.js';
import type { ScriptedWorker } from './scripted-worker.js';
import { experimentSpec, test, type World } from './world.js';

const digits = DatasetSpec.parse({ name: 'digits', converter: 'mnist', source: { folder: 'digits' } });
const identity = {
  converter: 'mnist',
  converterVersion: 1,
  params: {},
  inputs: [{ name: 'a', sizeBytes: 1, sha256: '0'.repeat(64) }],
};

test('a dataset of a folder is looked at again, and what waits for it uses the one that it is the same as', async ({
  world,
}) => {
  const { datasets, experiments } = await world.start();
  const preproc = world.worker('preproc', 'dataset');
  const first = (await datasets.submit(digits)).dataset.id;
  expect(await datasets.submit(digits)).toMatchObject({ created: false, dataset: { id: first, predecessor: null } });
  await (await preproc.next()).publish(Buffer.from('bytes'), identity);
  await world.whenDataset(first, ({ status }) => status === 'ready');
  expect(await datasets.dryRun(digits)).toMatchObject({ existing: first, action: 'compare' });

  // Two at once make one; and it is that of the key for ever.
  const twice = await Promise.all([datasets.submit(digits, { idempotencyKey: 'key' }), datasets.submit(digits)]);
  expect(twice.map(({ created }) => created)).toEqual([true, false]);
  const [{ dataset }] = twice;
  expect(dataset).toMatchObject({ current: true, predecessor: { id: first, sameContent: null }, status: 'queued' });
  const { id } = dataset;
  expect(twice[1].dataset.id).toBe(id);
  expect(await datasets.dryRun(digits)).toMatchObject({ existing: id, action: 'answer' });
  expect(await datasets.get(first)).toMatchObject({ current: false, status: 'ready' });
  const waits = await world.submit();
  const cancelled = await world.submit();
  await experiments.cancel(cancelled);
  // What was submitted with the one before does not wait.
  const byId = await world.submit({ dataset: first });
  await world.when(byId, ({ attempts }) => attempts.length === 1);
  expect(await experiments.get(waits)).toMatchObject({ datasets: { train: id }, message: 'Waits for dataset digits' });
  expect(await refusalOf(datasets.delete(first))).toEqual({
    code: 'dataset-succeeded',
    facts: { dataset: first, by: id },
  });
  expect(await refusalOf(datasets.rebuild('digits'))).toMatchObject({ code: 'still-converted' });

  await (await preproc.next()).findSame();
  await world.when(waits, ({ attempts }) => attempts.length === 1);
  const same = await datasets.get(id);
  const kept = await datasets.get('digits');
  expect(kept).toMatchObject({ id: first, current: true });
  expect(same).toMatchObject({ current: false, status: 'ready', predecessor: { id: first, sameContent: true } });
  expect(same.result).toEqual({ ...kept.result, sameAs: first });
  for (const used of [waits, cancelled, await world.submit({ dataset: id })])
    expect((await experiments.get(used)).datasets).toEqual({ train: first });
  expect((await datasets.list()).items.map((one) => one.id)).toEqual([first]);
  expect((await datasets.submit(digits, { idempotencyKey: 'key' })).dataset.id).toBe(id);
  // It is deleted with the other one.
  for (const { id: one } of (await experiments.list()).items) if (one !== cancelled) await experiments.cancel(one);
  await until(async () => (await experiments.list()).items.every(({ status }) => status === 'cancelled'));
  await datasets.delete(first);
  expect(await refusalOf(datasets.get(id))).toMatchObject({ code: 'deleted' });
  expect((await datasets.submit(digits)).dataset).toMatchObject({ predecessor: null });
});

test('one that fails or is cancelled gives the name back; one of other raw files supersedes, and experiments keep what they used', async ({
  world,
}) => {
  const { datasets, experiments } = await world.start();
  const preproc = world.worker('preproc', 'dataset');
  const first = await ready(world, preproc, 'bytes');
  const used = await world.submit();

  const failing = (await datasets.submit(digits)).dataset.id;
  const waits = await world.submit();
  await (await preproc.next()).failDataset('dataset_unavailable', 'a is missing', true);
  const failed = await world.when(waits, ({ status }) => status === 'failed');
  expect(failed.message).toBe('Dataset digits failed (dataset_unavailable): a is missing');
  expect(await datasets.get('digits')).toMatchObject({ id: first, current: true });
  expect(await datasets.get(failing)).toMatchObject({ current: false, status: 'failed' });
  expect(await refusalOf(world.submit({ dataset: failing }))).toMatchObject({ code: 'dataset-failed' });

  const unwanted = (await datasets.submit(digits)).dataset.id;
  const given = await preproc.next();
  await datasets.cancel('digits');
  await given.failDataset('cancelled', 'as it was told', true);
  await world.whenDataset(unwanted, ({ status }) => status === 'failed');
  expect(await datasets.get('digits')).toMatchObject({ id: first });

  const second = await ready(world, preproc, 'other bytes');
  expect(await datasets.get('digits')).toMatchObject({ id: second, predecessor: { id: first, sameContent: false } });
  expect(await datasets.get(first)).toMatchObject({ current: false, status: 'ready' });
  const items = (await datasets.list()).items.map(({ id, current }) => ({ id, current }));
  expect(items.filter(({ id }) => id === first || id === second)).toEqual([
    { id: second, current: true },
    { id: first, current: false },
  ]);
  // A name means the new one; what has used the other goes on with it, as does what reproduces it.
  expect((await experiments.get(await world.submit())).datasets).toEqual({ train: second });
  const { experiment } = await experiments.reproduce(used);
  expect([experiment.datasets, (await experiments.get(used)).datasets]).toEqual([{ train: first }, { train: first }]);
  expect((await experiments.dryRun(experimentSpec({ dataset: first }))).datasets).toEqual({ train: first });
  expect(await refusalOf(datasets.rebuild(first))).toEqual({
    code: 'not-current',
    facts: { dataset: first, name: 'digits', by: second },
  });
});

test('a dataset is rebuilt whatever it was made of, which the audit has, and a download only when somebody says so', async ({
  world,
  record,
}) => {
  const { datasets } = await world.start();
  const preproc = world.worker('preproc', 'dataset');
  const spec = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });
  const first = (await datasets.submit(spec)).dataset.id;
  await (await preproc.next()).publish(Buffer.from('bytes'), identity);
  await world.whenDataset(first, ({ status }) => status === 'ready');
  expect(await datasets.submit(spec)).toMatchObject({ created: false, dataset: { id: first } });

  const rebuilt = await datasets.rebuild('digits', { idempotencyKey: 'key' });
  expect(rebuilt).toMatchObject({ created: true, dataset: { predecessor: { id: first }, spec } });
  const { id } = rebuilt.dataset;
  expect(await datasets.rebuild('digits', { idempotencyKey: 'key' })).toMatchObject({
    created: false,
    dataset: { id },
  });
  const attempt = await preproc.next();
  // It is told of none that it could be the same as.
  await expect(attempt.findSame()).rejects.toThrow(`${id} has no predecessor`);
  await attempt.publish(Buffer.from('bytes'), identity);
  const made = await world.whenDataset(id, ({ status }) => status === 'ready');
  expect(made).toMatchObject({ current: true, predecessor: { id: first, sameContent: true } });
  const { rows } = await sql`select subject, before, after from audit where action = 'rebuild'`.execute(record.db);
  expect(rows).toEqual([{ subject: first, before: { current: true }, after: { current: false, successor: id } }]);

  // One of before converters had params was made with none.
  await sql`update lives set result = result #- '{identity,params}' where id = ${id}`.execute(record.db);
  expect((await datasets.get(id)).result?.identity).toEqual(identity);

  // A newer converter may make something else of the same.
  await sql`update lives set result = jsonb_set(result, '{identity,converterVersion}', '0') where id = ${id}`.execute(
    record.db,
  );
  expect(await datasets.dryRun(spec)).toMatchObject({ existing: id, action: 'compare' });
  expect(await refusalOf(datasets.rebuild('letters'))).toMatchObject({ code: 'not-found' });
});

/** A dataset of raw files that nobody knows, once it is ready. */
async function ready(world: World, preproc: ScriptedWorker, bytes: string): Promise<string> {
  const { id } = (await world.platform.datasets.submit(digits)).dataset;
  await (await preproc.next()).publish(Buffer.from(bytes));
  await world.whenDataset(id, ({ status }) => status === 'ready');
  return id;
}
