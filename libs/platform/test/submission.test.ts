import { DatasetSpec } from '@longrun/contracts';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { z } from 'zod';

import { ProgramBroken, type ProgramHost, RequestRefused } from '../src/index.js';
import { sha256OfJson } from '../src/record/hash.js';
import type { PlatformRecord } from '../src/record/record.js';
import { anyProgram, publishModule, until } from '../src/testing/index.js';
import { experimentSpec, test } from './world.js';

const digits = DatasetSpec.parse({ name: 'digits', converter: 'mnist' });

test('the same idempotency key and body make one experiment, also at once', async ({ world }) => {
  const { experiments, datasets } = await world.start();
  await datasets.submit(digits);
  const submissions = await Promise.all(
    Array.from({ length: 8 }, () => experiments.submit(experimentSpec(), { idempotencyKey: 'key-1' })),
  );
  expect(new Set(submissions.map(({ experiment }) => experiment.id)).size).toBe(1);
  expect(submissions.filter(({ created }) => created)).toHaveLength(1);
  expect((await experiments.list()).items).toHaveLength(1);
  // Keys in another order are the same body.
  const again = await experiments.submit(experimentSpec({ params: { batchSize: 128, dims: [4, 2] }, name: 'a' }), {
    idempotencyKey: 'key-2',
  });
  const same = await experiments.submit(experimentSpec({ name: 'a', params: { dims: [4, 2], batchSize: 128 } }), {
    idempotencyKey: 'key-2',
  });
  expect(same).toMatchObject({ created: false, experiment: { id: again.experiment.id } });
});

test('a dry run says what a submission would record or is refused for, and changes nothing in any table', async ({
  world,
}) => {
  const { experiments, datasets } = await world.start({ role: 'api' });
  const { dataset } = await datasets.submit(digits);
  const before = await allRows(world.record);
  expect(before).toContain(dataset.id);
  const spec = experimentSpec({ priority: 7 });
  const tried = await experiments.dryRun(spec);
  expect(await datasets.dryRun(digits)).toEqual({
    name: 'digits',
    spec: digits,
    existing: dataset.id,
    action: 'answer',
  });
  expect(await datasets.dryRun({ ...digits, name: 'other' })).toMatchObject({
    name: 'other',
    existing: null,
    action: 'convert',
  });
  await expect(datasets.dryRun({ ...digits, source: { folder: 'x' } })).rejects.toMatchObject({ kind: 'conflict' });
  const wrong = experimentSpec({ dataset: 'digit', params: { refuse: true } });
  const refusal = await experiments.dryRun(wrong).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RequestRefused);
  expect(await allRows(world.record)).toBe(before);

  await expect(experiments.submit(wrong)).rejects.toEqual(refusal);
  const { name, spec: stored, from, datasets: used, programSha256 } = (await experiments.submit(spec)).experiment;
  expect({ name, spec: stored, from, datasets: used, programSha256 }).toEqual(tried);
  expect(await allRows(world.record)).not.toBe(before);
});

/** Every row of every table, as text. */
async function allRows({ db }: PlatformRecord): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`select table_name as name from information_schema.tables
    where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1`.execute(db);
  const texts = [];
  for (const { name } of tables) {
    const { rows } = await sql<{
      text: string;
    }>`select row.*::text as text from ${sql.table(name)} as row order by 1`.execute(db);
    texts.push(name, ...rows.map(({ text }) => text));
  }
  return texts.join('\n');
}

test('requests that come at once share transactions; one that is refused is refused alone', async ({ world }) => {
  const { experiments, datasets } = await world.start({ role: 'api' });
  await datasets.submit(digits);
  await experiments.submit(experimentSpec({ name: 'first' }), { idempotencyKey: 'first' });
  const names = Array.from({ length: 40 }, (_, index) => `number ${index}`);
  const outcomes = await Promise.allSettled([
    ...names.map((name) => experiments.submit(experimentSpec({ name }), { idempotencyKey: name })),
    experiments.submit(experimentSpec({ dataset: 'digit' }), { idempotencyKey: 'wrong' }),
    experiments.submit(experimentSpec({ name: 'second' }), { idempotencyKey: 'first' }),
  ]);
  expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))).toMatchObject([
    { kind: 'invalid-request', faults: [{ code: 'name-unknown', facts: { name: 'digit', near: ['digits'] } }] },
    { kind: 'conflict', faults: [{ code: 'key-reused', facts: { key: 'first' } }] },
  ]);
  const { items } = await experiments.list({ limit: 200 });
  expect(items.map(({ name }) => name)).toEqual(['first', ...names].toReversed());
  const { rows } = await sql<{ transactions: number }>`select count(distinct xmin::text)::integer as transactions
    from lives where kind = 'experiment'`.execute(world.record.db);
  // The one before all, the first of them, and one for all that have come meanwhile.
  expect(rows).toEqual([{ transactions: 3 }]);
});

test('a program that is broken, or slow, concerns the request for it, and none that came with it', async ({
  world,
}) => {
  const programHost: ProgramHost = {
    ...anyProgram,
    validate: async ({ name }, params) => {
      if (name !== 'broken') return { ok: true, value: params };
      // It is slower than all others.
      await until(async () => (await world.platform.experiments.list()).items.length === 7);
      throw new ProgramBroken('its refinement reads a length of nothing');
    },
  };
  const { experiments, datasets } = await world.start({ role: 'api', programHost });
  await publishModule(world.platform, 'broken', 'the module of broken');
  await datasets.submit(digits);
  const submit = (index: number) =>
    experiments.submit(experimentSpec({ program: index === 4 ? 'broken' : 'mlp', name: `number ${index}` }), {
      idempotencyKey: `key-${index}`,
    });
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => submit(index)));
  const failed = outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [[index, outcome.reason]] : []));
  const facts = { program: 'broken', says: 'its refinement reads a length of nothing' };
  expect(failed).toMatchObject([[4, { faults: [{ path: ['program'], code: 'program-broken', facts }] }]]);
  expect((await experiments.list()).items).toHaveLength(7);
  // Nothing was made under its key.
  await expect(submit(4)).rejects.toThrow(RequestRefused);
});

test('a request that comes many times at once is written once, and costs the others nothing', async ({ world }) => {
  const { experiments, datasets } = await world.start({ role: 'api' });
  await datasets.submit(digits);
  const before = await transactions(world.record);
  const many = await Promise.all([
    ...Array.from({ length: 500 }, () => experiments.submit(experimentSpec(), { idempotencyKey: 'again' })),
    experiments.submit(experimentSpec({ name: 'other' })),
  ]);
  expect(many.filter(({ created }) => created).map(({ experiment }) => experiment.name)).toEqual(['mlp', 'other']);
  expect(new Set(many.slice(0, 500).map(({ experiment }) => experiment.id)).size).toBe(1);
  // The first request by itself, those that came meanwhile, and this look.
  expect((await transactions(world.record)) - before).toBeLessThanOrEqual(8);
  const refusals = await Promise.allSettled(
    Array.from({ length: 50 }, () => experiments.submit(experimentSpec({ dataset: 'none' }), { idempotencyKey: 'no' })),
  );
  expect(refusals.every(({ status }) => status === 'rejected')).toBe(true);
});

test('what a request for an experiment or a dataset answers is what asking for it then answers', async ({ world }) => {
  const { experiments, datasets } = await world.start({ role: 'api' });
  const { dataset } = await datasets.submit(digits);
  expect(dataset).toEqual(await datasets.get(dataset.id));
  const { experiment } = await experiments.submit(experimentSpec({ name: 'a', seed: 3, priority: 4 }));
  expect(experiment).toEqual(await experiments.get(experiment.id));
  expect(experiment.message).toBe('Waits for dataset digits');
});

test('an idempotency key with another body is refused, and nothing is made', async ({ world }) => {
  const { experiments, datasets } = await world.start();
  await datasets.submit(digits);
  const first = await experiments.submit(experimentSpec(), { idempotencyKey: 'key-1' });
  await expect(experiments.submit(experimentSpec({ seed: 2 }), { idempotencyKey: 'key-1' })).rejects.toMatchObject({
    name: 'RequestRefused',
    kind: 'conflict',
    faults: [{ parameter: 'idempotencyKey', code: 'key-reused', facts: { key: 'key-1', by: first.experiment.id } }],
  });
  expect((await experiments.list()).items).toHaveLength(1);
});

test('a spec that cannot run is refused with the field and the remedy', async ({ world }) => {
  const { experiments, datasets } = await world.start();
  await datasets.submit(digits);
  await expect(experiments.submit(experimentSpec({ dataset: 'digit' }))).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [{ path: ['dataset'], code: 'name-unknown', facts: { name: 'digit', near: ['digits'], others: 0 } }],
    message: 'There is no dataset "digit".',
  });
  await expect(experiments.submit(experimentSpec({ program: 'mpl' }))).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [{ path: ['program'], code: 'name-unknown', facts: { name: 'mpl', near: ['mlp'], others: 0 } }],
  });
  await expect(
    experiments.submit(experimentSpec({ params: { dims: [4, 0], batchSize: -1 }, dataset: 'none' })),
  ).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [
      { path: ['params', 'dims', 1], code: 'out-of-range', facts: { value: '0', relation: 'at least', bound: 1 } },
      { path: ['params', 'batchSize'], code: 'out-of-range', facts: { value: '-1' } },
      { path: ['dataset'], code: 'name-unknown' },
    ],
  });
  expect((await experiments.list()).items).toEqual([]);
});

test('a dataset is named by its name or its id', async ({ world }) => {
  const { experiments, datasets } = await world.start();
  const { dataset } = await datasets.submit(digits);
  const byName = await experiments.submit(experimentSpec());
  const byId = await experiments.submit(experimentSpec({ dataset: dataset.id }));
  expect([byName.experiment.datasets, byId.experiment.datasets]).toEqual([
    { train: dataset.id },
    { train: dataset.id },
  ]);
  expect((await datasets.get('digits')).id).toBe(dataset.id);
});

test('an identical request for a dataset is answered from what is there, another one under its name is refused', async ({
  world,
}) => {
  const { datasets } = await world.start();
  const submissions = await Promise.all(Array.from({ length: 5 }, () => datasets.submit(digits)));
  expect(submissions.filter(({ created }) => created)).toHaveLength(1);
  expect(new Set(submissions.map(({ dataset }) => dataset.id)).size).toBe(1);
  await expect(datasets.submit({ ...digits, converter: 'fashion-mnist' })).rejects.toMatchObject({
    kind: 'conflict',
    faults: [{ path: ['name'], code: 'name-taken', facts: { name: 'digits', by: submissions[0]?.dataset.id } }],
  });
  await expect(datasets.submit({ ...digits, name: 'other', converter: 'mnits' })).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [{ path: ['converter'], code: 'name-unknown', facts: { near: ['mnist', 'fashion-mnist', 'silhouettes'] } }],
  });
});

test('a request for a dataset is the same as one from before its spec had limits and params, and under its key', async ({
  world,
}) => {
  const { datasets } = await world.start();
  const { dataset } = await datasets.submit(digits, { idempotencyKey: 'key' });
  await sql`update datasets set spec = spec - 'limits' - 'params'`.execute(world.record.db);
  expect(await datasets.submit(digits)).toMatchObject({ created: false, dataset: { id: dataset.id, spec: digits } });
  const { rows } = await sql<{ sha: string }>`select request_sha256 as sha from idempotency_keys`.execute(
    world.record.db,
  );
  const { params: _, ...before } = digits;
  expect(rows.map(({ sha }) => sha)).toEqual([sha256OfJson(before)]);
});

test('params of a dataset are read by its converter, and those of one are another dataset', async ({ world }) => {
  const { datasets } = await world.start();
  const spec = DatasetSpec.parse({ name: 'outlines', converter: 'silhouettes' });
  const { dataset } = await datasets.submit(spec);
  expect(dataset.spec.params).toEqual({ size: 28 });
  expect(await datasets.dryRun({ ...spec, name: 'others' })).toMatchObject({ spec: { params: { size: 28 } } });

  expect(await datasets.submit({ ...spec, params: { size: 28 } })).toMatchObject({
    created: false,
    dataset: { id: dataset.id },
  });
  await expect(datasets.submit({ ...spec, params: { size: 16 } })).rejects.toMatchObject({
    kind: 'conflict',
    faults: [{ path: ['name'], code: 'name-taken', facts: { by: dataset.id } }],
  });
  await expect(datasets.submit({ ...spec, params: { size: 20, sise: 16 } })).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [
      { path: ['params', 'size'], code: 'unknown-word', facts: { allowed: [16, 28] } },
      { path: ['params', 'sise'], code: 'unknown-key', facts: { known: ['size'], nearest: 'size' } },
    ],
  });
  await expect(datasets.submit({ ...digits, params: { size: 16 } })).rejects.toMatchObject({
    faults: [{ path: ['params', 'size'], code: 'unknown-key', facts: { known: [] } }],
  });
});

test('workers of before are told of params where there are some, which they refuse', async ({ world }) => {
  const { datasets } = await world.start();
  const specOf = async (name: string, converter: string): Promise<unknown> => {
    const { id } = (await datasets.submit(DatasetSpec.parse({ name, converter }))).dataset;
    let bytes: Uint8Array | undefined;
    await until(async () => (bytes = await world.store.get(`datasets/${id}/spec.json`)) !== undefined);
    return z.object({ spec: z.unknown() }).parse(JSON.parse(Buffer.from(bytes ?? []).toString())).spec;
  };

  expect(await specOf('digits', 'mnist')).not.toHaveProperty('params');
  expect(await specOf('outlines', 'silhouettes')).toMatchObject({ params: { size: 28 } });
});

test('lists are cut into pages, newest first, without a gap or a repetition', async ({ world }) => {
  const { experiments, datasets } = await world.start();
  await datasets.submit(digits);
  const made: string[] = [];
  for (let index = 0; index < 7; index += 1) made.push(await world.submit({ name: `number ${index}` }));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await experiments.list({ limit: 3, cursor: cursor ?? undefined });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual(made.toReversed());
  await expect(experiments.list({ cursor: 'nonsense' })).rejects.toMatchObject({
    kind: 'invalid-parameter',
    faults: [{ parameter: 'cursor', code: 'cursor-unknown', facts: { cursor: 'nonsense' } }],
  });
});

test('what is not there is not found', async ({ world }) => {
  const { experiments, datasets } = await world.start();
  await expect(experiments.get('exp_0')).rejects.toMatchObject({
    kind: 'not-found',
    faults: [{ code: 'not-found', facts: { what: 'experiment', id: 'exp_0' } }],
  });
  await expect(datasets.get('exp_0')).rejects.toMatchObject({
    kind: 'not-found',
    faults: [{ code: 'not-found', facts: { what: 'dataset', id: 'exp_0' } }],
  });
});

test('without Redis requests are taken and answered, and the platform closes', async ({ world, redis }) => {
  await redis.stopServing();
  try {
    const platform = await world.start();
    await platform.datasets.submit(digits);
    const id = await world.submit();
    expect(await platform.experiments.get(id)).toMatchObject({ status: 'queued' });
    expect(await platform.experiments.cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(await platform.health()).toMatchObject({
      record: true,
      redis: { usable: false, flaw: 'away' },
      events: false,
    });
    await platform.close();
  } finally {
    await redis.restart();
  }
});

/** How many transactions that write there have been. */
async function transactions({ db }: PlatformRecord): Promise<number> {
  const { rows } = await sql<{ next: string }>`select pg_current_xact_id()::text as next`.execute(db);
  return Number(rows[0]?.next);
}
