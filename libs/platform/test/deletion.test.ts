import { EventEmitter, once } from 'node:events';

import { DatasetSpec } from '@longrun/contracts';
import {
  LeaseLost,
  LeaseRefused,
  type ObjectStore,
  StoreAround,
  type StoreOperation,
  type TransferOptions,
} from '@longrun/serialization';
import { sql } from 'kysely';
import { expect } from 'vitest';

import { LifeWriter } from '../src/life/writer.js';
import { Checkpoints } from '../src/requests/checkpoints.js';
import { deleteExperiment, expireExperiment } from '../src/requests/delete-experiment.js';
import { until } from '../src/testing/index.js';
import { ExperimentByHand } from './by-hand.js';
import { refusalOf } from './refusal-of.js';
import { experimentSpec, test, type World } from './world.js';

test('an experiment that is deleted is found nowhere, and what a crash leaves of it is removed, whoever still believes to have it', async ({
  world,
  record,
}) => {
  const { verbs, experiments } = await world.start();
  await world.readyDataset();
  const spec = experimentSpec({ name: 'gone', retry: { maxFailures: 0 } });
  const { experiment } = await experiments.submit(spec, { idempotencyKey: 'key' });
  const { id } = experiment;
  const zombie = (await world.worker('gpu-1').next()).start().train(4);
  await zombie.commit();
  await world.when(id, ({ status }) => status === 'running');
  expect(await refusalOf(verbs.delete(id))).toEqual({
    code: 'not-ended',
    facts: { what: 'experiment', id, status: 'running' },
  });
  await zombie.train(6).end('program_error', { message: 'it fails' });
  await world.when(id, ({ status }) => status === 'failed');
  await world.platform.close();

  // Nobody acts by itself here: what is asked for is done, and no more.
  const { verbs: asked, ...api } = await restarted(world, 'api');
  const { name } = await api.checkpoints.pin(id, 'latest');
  expect(await refusalOf(asked.delete(id))).toEqual({
    code: 'checkpoints-pinned',
    facts: { experiment: id, checkpoints: [name] },
  });
  await api.checkpoints.unpin(id, 'latest');
  const from = { experiment: id, allow: [] };
  const child = await world.submit({ from });
  expect(await refusalOf(asked.delete(id))).toEqual({
    code: 'copies-awaited',
    facts: { experiment: id, by: [child], others: 0 },
  });
  await api.experiments.cancel(child);
  await asked.delete(id);

  const { deletedAt } = await record.db
    .selectFrom('lives')
    .select('deletedAt')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const deleted = { code: 'deleted', facts: { what: 'experiment', id, at: deletedAt?.toISOString() } };
  const everything = [
    () => api.experiments.get(id),
    () => api.experiments.logPage(id),
    () => api.experiments.cancel(id),
    () => api.metrics.list(id),
    () => api.metrics.series(id, 'cost', 10),
    () => api.metrics.seriesOf([id], 'cost', 10),
    () => api.checkpoints.list(id),
    () => api.checkpoints.pin(id, 'latest'),
    () => asked.retry(id),
    () => asked.change(id, { notes: 'late' }),
    () => asked.delete(id),
  ];
  for (const ask of everything) expect(await refusalOf(ask())).toEqual(deleted);
  expect((await api.experiments.list({ exactName: 'gone' })).items).toEqual([]);
  expect((await api.experiments.list()).counts).toMatchObject({ failed: 0, cancelled: 1 });
  expect(await refusalOf(api.experiments.submit(spec, { idempotencyKey: 'key' }))).toEqual({
    code: 'made-deleted',
    facts: { key: 'key', by: id, at: deletedAt?.toISOString() },
  });
  const other = experimentSpec({ seed: 7 });
  expect(await refusalOf(api.experiments.submit(other, { idempotencyKey: 'key' }))).toMatchObject({
    code: 'key-reused',
  });
  expect(await refusalOf(world.submit({ from }))).toMatchObject({ code: 'origin-unknown' });

  // A crash came when a part of it was removed.
  const keys = await keysOf(world, id);
  expect(keys.length).toBeGreaterThan(4);
  await world.store.delete(keys.filter((key) => key.includes('/blobs/')));
  await sql`delete from events where id = ${id} and event < 3`.execute(record.db);
  await world.platform.close();
  const { eventCounts } = await restarted(world, 'all');
  await until(async () => !(await isLeft(world, id)));
  expect(await keysOf(world, id)).toEqual([`experiments/${id}/head.json`]);
  expect(await rowsOf(world, id)).toEqual({ lives: 1 });

  await expect(zombie.train(7).commit()).rejects.toThrow(LeaseLost);
  await expect(world.claimAs('late', id, 99)).rejects.toThrow(LeaseRefused);
  const late = world.worker('gpu-1').link.openOutbox('experiment', id, 1);
  late.send({ type: 'line', stream: 'stdout', text: 'I am here' });
  await until(() => world.platform.eventCounts.refused > eventCounts.refused);
  await late.close();
  expect(await keysOf(world, id)).toEqual([`experiments/${id}/head.json`]);
  expect(await rowsOf(world, id)).toEqual({ lives: 1 });

  const { rows } =
    await sql`select actor, before, after from audit where subject = ${id} and action = 'delete'`.execute(record.db);
  expect(rows).toEqual([
    { actor: 'default', before: { name: 'gone', status: 'failed', reason: 'program_error' }, after: null },
  ]);
});

test('an experiment that went on from one that is deleted has a copy of its own, and still says where it came from', async ({
  world,
}) => {
  const { verbs, experiments } = await world.start();
  await world.readyDataset();
  const worker = world.worker('gpu-1');
  const parent = await world.submit({ seed: 3 });
  const first = (await worker.next()).start().train(4);
  await first.commit();
  await first.train(5).succeed();
  await world.when(parent, ({ status }) => status === 'succeeded');
  const child = await world.submit({ seed: 3, from: { experiment: parent } });
  const second = await worker.next();

  await verbs.delete(parent);
  await until(async () => !(await isLeft(world, parent)));
  expect(second.start().step).toBe(4);
  await second.train(6).succeed();
  expect(await world.when(child, ({ status }) => status === 'succeeded')).toMatchObject({
    from: { experiment: parent, step: 4 },
  });
  expect((await experiments.logPage(child)).items.map(({ step }) => step)).toEqual([1, 2, 3, 5, 6]);
});

test('a checkpoint that is pinned while its experiment is deleted keeps it, or is not pinned', async ({
  world,
  record,
}) => {
  const { checkpoints } = await world.start();
  await world.readyDataset();
  const id = await failedWithCheckpoint(world);
  const writer = new LifeWriter(record);
  // Pinned after the deletion has looked for pins.
  const store = new Interrupted(world.store, 'readRegister', async () => void (await checkpoints.pin(id, 'latest')));
  expect(await refusalOf(deleteExperiment({ record, writer, store }, id))).toMatchObject({
    code: 'checkpoints-pinned',
  });
  await checkpoints.unpin(id, 'latest');

  // The same, and the deletion is done before the pin is noted.
  const events = new EventEmitter();
  const pausing = new Interrupted(world.store, 'compareAndSet', async () => {
    const deleted = once(events, 'deleted');
    events.emit('held');
    await deleted;
  });
  let pin: Promise<unknown> | undefined;
  const pinning = new Interrupted(world.store, 'readRegister', async () => {
    const held = once(events, 'held');
    pin = refusalOf(new Checkpoints({ record, store: pausing }).pin(id, 'latest'));
    await held;
  });
  await deleteExperiment({ record, writer, store: pinning }, id);
  events.emit('deleted');
  expect(await pin).toMatchObject({ code: 'deleted' });
});

test('experiments that ended longer ago than they are kept are deleted by the platform, but for those that a user could not delete', async ({
  world,
  record,
}) => {
  const { checkpoints } = await world.start();
  await world.readyDataset();
  const [old, pinned, recent] = [
    await failedWithCheckpoint(world),
    await failedWithCheckpoint(world),
    await failedWithCheckpoint(world),
  ];
  await checkpoints.pin(pinned, 'latest');
  await world.platform.close();
  const ended = async (id: string, days: number): Promise<void> => {
    const endedAt = new Date(Date.now() - days * 86_400_000);
    for (const table of ['lives', 'experiments'] as const)
      await record.db.updateTable(table).set({ endedAt }).where('id', '=', id).execute();
  };
  await ended(old, 31);
  await ended(pinned, 31);
  await ended(recent, 29);

  // Kept for ever, where nothing else is said.
  await world.start();
  const waiting = await world.submit();
  await world.when(waiting, ({ attempts }) => attempts.length > 0);
  await world.platform.close();
  expect(await rowsOf(world, old)).toHaveProperty('experiments');
  const { experiments } = await world.start({ keepExperimentsDays: 30 });

  await until(() => world.warnings.some((text) => text.startsWith('1 experiment deleted')));
  await until(async () => !(await isLeft(world, old)));
  expect(await refusalOf(experiments.get(old))).toMatchObject({ code: 'deleted' });
  for (const id of [pinned, recent]) expect(await experiments.get(id)).toMatchObject({ status: 'failed' });
  const { rows } = await sql`select subject, actor from audit where action = 'delete'`.execute(record.db);
  expect(rows).toEqual([{ subject: old, actor: 'controller' }]);
});

test('one that has gone on since it was found to be old enough is not deleted', async ({ world, record }) => {
  const { verbs, experiments } = await world.start();
  await world.readyDataset();
  const id = await failedWithCheckpoint(world);
  const { endedAt } = await record.db
    .selectFrom('lives')
    .select('endedAt')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const writer = new LifeWriter(record);
  await verbs.retry(id);
  await experiments.cancel(id);
  await world.when(id, ({ status }) => status === 'cancelled');

  expect(await expireExperiment({ record, writer, store: world.store }, { id, endedAt: endedAt ?? new Date() })).toBe(
    false,
  );

  expect(await experiments.get(id)).toMatchObject({ status: 'cancelled' });
});

test('an experiment that is retried or begun from while it is deleted is deleted or not, and nothing between', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  for (const rival of [
    async (id: string) => (await world.platform.verbs.retry(id)).id,
    async (id: string) => await world.submit({ from: { experiment: id } }),
  ]) {
    const id = await failedWithCheckpoint(world);
    await world.platform.close();
    const { verbs, experiments } = await world.start({ role: 'api' });
    const [rivalled, deleted] = await Promise.allSettled([rival(id), verbs.delete(id)]);
    expect([rivalled.status, deleted.status].toSorted()).toEqual(['fulfilled', 'rejected']);
    // It is not to be run before the next.
    if (rivalled.status === 'fulfilled') await experiments.cancel(rivalled.value);
    await world.platform.close();
    await world.start();
  }
});

test('a dataset that nothing needs is deleted with its file, and its name is free; one of an experiment that has not ended is not', async ({
  world,
}) => {
  const { datasets, experiments, verbs } = await world.start();
  const digits = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });
  const { dataset } = await datasets.submit(digits, { idempotencyKey: 'key' });
  const { id } = dataset;
  expect(await refusalOf(datasets.delete('digits'))).toEqual({
    code: 'not-ended',
    facts: { what: 'dataset', id, status: 'queued' },
  });
  const preproc = world.worker('preproc', 'dataset');
  await (await preproc.next()).publish(Buffer.from('bytes of digits'));
  await until(async () => (await datasets.get(id)).status === 'ready');
  const users = [];
  for (let count = 0; count < 7; count += 1) users.push(await world.submit());
  expect(await refusalOf(datasets.delete('digits'))).toEqual({
    code: 'dataset-used',
    facts: { dataset: 'digits', by: users.slice(0, 5), others: 2 },
  });
  for (const user of users) await experiments.cancel(user);
  const [user = ''] = users;
  const [retried, deleted] = await Promise.allSettled([verbs.retry(user), datasets.delete('digits')]);
  expect([retried.status, deleted.status].toSorted()).toEqual(['fulfilled', 'rejected']);
  if (retried.status === 'fulfilled') await experiments.cancel(user);
  if (deleted.status === 'rejected') await datasets.delete(id);

  expect(await refusalOf(datasets.get('digits'))).toMatchObject({ code: 'not-found' });
  for (const ask of [() => datasets.get(id), () => datasets.cancel(id), () => datasets.delete(id)])
    expect(await refusalOf(ask())).toMatchObject({ code: 'deleted', facts: { what: 'dataset', id } });
  expect((await datasets.list()).items).toEqual([]);
  expect(await refusalOf(world.submit())).toMatchObject({ code: 'name-unknown' });
  expect(await refusalOf(world.submit({ dataset: id }))).toMatchObject({ code: 'name-unknown' });
  expect(await refusalOf(datasets.submit(digits, { idempotencyKey: 'key' }))).toMatchObject({ code: 'made-deleted' });
  expect((await experiments.get(user)).datasets).toEqual({ train: id });
  expect(await refusalOf(verbs.retry(user))).toEqual({
    code: 'dataset-deleted',
    facts: { experiment: user, dataset: id, name: 'digits' },
  });
  await until(async () => !(await isLeft(world, id)));
  expect(await keysUnder(world, 'datasets/')).toEqual([`datasets/${id}/head.json`]);
  expect((await datasets.submit(digits)).created).toBe(true);
});

test('a file that datasets of an earlier build share is removed with the last of them', async ({ world, record }) => {
  const { datasets } = await world.start();
  const preproc = world.worker('preproc', 'dataset');
  const ids: string[] = [];
  for (const name of ['one', 'two']) {
    const { dataset } = await datasets.submit(DatasetSpec.parse({ name, converter: 'mnist' }));
    await (await preproc.next()).publish(Buffer.from('bytes'));
    await until(async () => (await datasets.get(name)).status === 'ready');
    ids.push(dataset.id);
  }
  const fileKey = 'datasets/files/shared.hdf5';
  await world.store.put(fileKey, Buffer.from('bytes'));
  await sql`update lives set result = jsonb_set(result, '{fileKey}', to_jsonb(${fileKey}::text))`.execute(record.db);
  for (const [index, id] of ids.entries()) {
    await datasets.delete(id);
    await until(async () => !(await isLeft(world, id)));
    expect((await world.store.head(fileKey)) === undefined).toBe(index === 1);
  }
});

test('what an attempt still says of an experiment that is deleted is refused, before its rows are removed', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  const fence = await experiment.goOnFrom(0);
  await experiment.write((life) => {
    life.end({ reason: 'cancelled', message: null, result: null }, fence, new Date());
    expect(life.judge(fence, 1)).toBe('taken');
    life.delete({}, new Date(), 'default');
    expect(life.judge(fence, 1)).toBe('refused');
  });
});

/** A store in whose first operation of a kind, once it is done, something else is done. */
class Interrupted extends StoreAround {
  readonly #method: StoreOperation['method'];
  #meanwhile: (() => Promise<void>) | undefined;

  constructor(store: ObjectStore, method: StoreOperation['method'], meanwhile: () => Promise<void>) {
    super(store);
    this.#method = method;
    this.#meanwhile = meanwhile;
  }

  protected override async around<T>(
    operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const value = await perform(options);
    const meanwhile = operation.method === this.#method ? this.#meanwhile : undefined;
    if (meanwhile !== undefined) this.#meanwhile = undefined;
    await meanwhile?.();
    return value;
  }
}

async function failedWithCheckpoint(world: World): Promise<string> {
  const id = await world.submit({ retry: { maxFailures: 0 } });
  const worker = world.worker(`gpu-${id}`);
  const attempt = (await worker.next()).start().train(2);
  await attempt.commit();
  await attempt.end('program_error');
  await world.when(id, ({ status }) => status === 'failed');
  await worker.close();
  return id;
}

async function restarted(world: World, role: 'all' | 'api') {
  return await world.start({ role });
}

async function keysOf(world: World, id: string): Promise<string[]> {
  return await keysUnder(world, `experiments/${id}/`);
}

async function keysUnder(world: World, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of world.store.list(prefix)) keys.push(key);
  return keys;
}

async function isLeft({ record }: World, id: string): Promise<boolean> {
  const { removing } = await record.db
    .selectFrom('lives')
    .select('removing')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return removing;
}

/** How many rows each table has of an experiment; those without any left out. */
async function rowsOf({ record }: World, id: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of OWN) {
    const { rows } = await sql<{
      count: number;
    }>`select count(*) as count from ${sql.table(table)} where id = ${id}`.execute(record.db);
    if (rows[0]?.count !== 0) counts[table] = rows[0]?.count ?? NaN;
  }
  return counts;
}

const OWN = [
  'lives',
  'experiments',
  'experiment_datasets',
  'attempts',
  'checkpoints',
  'events',
  'log_chunks',
  'log_columns',
  'metrics',
];
