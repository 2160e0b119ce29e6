import {
  ExperimentQuery,
  type ExperimentQueryInput,
  ExportQuery,
  type ExportQueryInput,
  readValue,
} from '@longrun/contracts';
import { sql } from 'kysely';
import { expect } from 'vitest';

import { newId } from '../src/life/begin.js';
import type { PlatformRecord } from '../src/record/record.js';
import { knownWorkers } from '../src/record/known-workers.js';
import { exportExperiments } from '../src/requests/experiment-export.js';
import { listExperiments } from '../src/requests/experiment-list.js';
import { test } from './world.js';

/** Experiments as name, status and last cost, in the order of their submission; those that have ended did so in the opposite order. */
const experiments = [
  ['mlp wide', 'succeeded', '0.5'],
  ['mlp deep', 'failed', 'NaN'],
  ['MLP narrow', 'succeeded', '0.25'],
  ['conv', 'succeeded', '0.25'],
  ['conv', 'running', '0.25'],
  ['conv', 'queued', null],
  ['100 %_\\', 'cancelled', '-Infinity'],
] as const;

/** Of each of them. */
const tags: readonly (readonly string[])[] = [[], ['good'], ['good', 'a, "b"'], ['Good'], [], ['a, "b"', 'good'], []];

const COST = 'valid, "cost" < 1';
const where = (condition: string): { where: string } => ({ where: `metric.${JSON.stringify(COST)}${condition}` });

test('each filter finds what fits, all of them together what fits each, and the counts leave out the status alone', async ({
  record,
}) => {
  const ids = await fill(record);
  const fitting: [ExperimentQueryInput, number[]][] = [
    [{}, [0, 1, 2, 3, 4, 5, 6]],
    [{ status: 'succeeded,queued' }, [0, 2, 3, 5]],
    [{ program: 'mlp' }, [0, 1, 2]],
    [{ program: 'ml' }, []],
    [{ dataset: 'digits' }, [0, 2, 4, 6]],
    [{ dataset: `ds_${'1'.repeat(32)}` }, [1, 3, 5]],
    [{ owner: 'ann' }, [6]],
    [{ project: 'default' }, [0, 1, 2, 3, 4, 5, 6]],
    [{ name: 'MLP' }, [0, 1, 2]],
    [{ name: '%_\\' }, [6]],
    [{ exactName: 'conv' }, [3, 4, 5]],
    [{ exactName: 'con' }, []],
    [{ id: ids[3] }, [3]],
    [{ id: ids[0]?.slice(4, 30) }, [0]],
    [{ id: 'exp_' }, [0, 1, 2, 3, 4, 5, 6]],
    [{ id: 'f'.repeat(32) }, []],
    [where('<0.5'), [2, 3, 4, 6]],
    [where(' <= 0.5'), [0, 2, 3, 4, 6]],
    [where('>=0.25'), [0, 2, 3, 4]],
    [where('>-Infinity'), [0, 2, 3, 4]],
    [where('=NaN'), [1]],
    [where('!=0.25'), [0, 1, 6]],
    [{ where: `${where('>0').where},${where('<0.3').where}` }, [2, 3, 4]],
    [{ where: 'metric.cost<1' }, []],
    [{ tag: 'good' }, [1, 2, 5]],
    [{ tag: 'good,"a, \\"b\\""' }, [2, 5]],
    [{ tag: 'goo' }, []],
    [{ tag: 'good', status: 'succeeded', name: 'narrow' }, [2]],
    [{ status: 'succeeded', exactName: 'conv', program: 'conv', dataset: 'faces', ...where('=0.25') }, [3]],
  ];
  for (const [query, places] of fitting) {
    const { items, nextCursor } = await list(record, { ...query, sort: 'created' });
    expect([query, items.map(({ id }) => ids.indexOf(id))]).toEqual([query, places]);
    expect(nextCursor).toBeNull();
  }
  const sort = `-metric.${JSON.stringify(COST)}`;
  const bounded = await list(record, { sort, where: `${where('>=0.25').where},${where('<0.5').where}` });
  expect(bounded.items.map(({ id }) => ids.indexOf(id))).toEqual([4, 3, 2]);
  const { counts } = await list(record, { exactName: 'conv', status: 'running' });
  expect((await list(record, { tag: 'good', status: 'queued' })).counts).toMatchObject({
    queued: 1,
    failed: 1,
    succeeded: 1,
    cancelled: 0,
  });
  expect(counts).toEqual({ queued: 1, running: 1, paused: 0, succeeded: 1, failed: 0, cancelled: 0 });
  const [first] = (await list(record, { id: ids[1], metrics: `${JSON.stringify(COST)},none` })).items;
  expect(first).toMatchObject({
    name: 'mlp deep',
    program: 'mlp',
    status: 'failed',
    datasets: { train: { id: `ds_${'1'.repeat(32)}`, name: 'faces' } },
    metrics: { [COST]: 'NaN', none: null },
  });
  expect(first).not.toHaveProperty('spec');
});

test('every sort has each experiment once over its pages, ties in one order, also when some are deleted between two pages', async ({
  record,
}) => {
  const ids = await fill(record);
  const sorted: [string, number[]][] = [
    ['created', [0, 1, 2, 3, 4, 5, 6]],
    ['-created', [6, 5, 4, 3, 2, 1, 0]],
    ['ended', [6, 3, 2, 1, 0, 5, 4]],
    ['-ended', [0, 1, 2, 3, 6, 5, 4]],
    ['status', [6, 1, 5, 4, 0, 2, 3]],
    ['-status', [3, 2, 0, 4, 5, 1, 6]],
    [`metric.${JSON.stringify(COST)}`, [6, 2, 3, 4, 0, 5, 1]],
    [`-metric.${JSON.stringify(COST)}`, [0, 4, 3, 2, 6, 5, 1]],
    ['metric.none', [6, 5, 4, 3, 2, 1, 0]],
  ];
  for (const [sort, places] of sorted) {
    for (const limit of [1, 2, 3, 7, 200]) {
      expect([sort, limit, await paged(record, ids, { sort, limit })]).toEqual([sort, limit, places]);
    }
  }
  const byName = await paged(record, ids, { sort: 'name', limit: 2 });
  expect(byName.filter((place) => place >= 3 && place <= 5)).toEqual([3, 4, 5]);
  expect(await paged(record, ids, { sort: '-name', limit: 2 })).toEqual(byName.toReversed());
  const sort = `metric.${JSON.stringify(COST)}`;
  const rest = await paged(record, ids, { sort, limit: 2 }, async () => {
    // The last that was answered, and the next.
    for (const place of [2, 3]) {
      for (const table of ['experiment_datasets', 'metrics', 'experiments', 'lives'])
        await sql`delete from ${sql.table(table)} where id = ${ids[place]}`.execute(record.db);
    }
  });
  expect(rest).toEqual([6, 2, 4, 0, 5, 1]);
});

test('an export has each experiment once over its pages, oldest first, with its spec, attempts and metrics; large ones make pages short', async ({
  record,
}) => {
  const ids = await fill(record);
  await sql`insert into attempts (id, fence, status, enqueued_at, reason)
    select ${ids[2]}, n, 'ended', now(), 'preempted' from generate_series(1, 3) n`.execute(record.db);
  for (const limit of [1, 3, 200])
    expect([limit, await exportedPages(record, ids, { limit })]).toEqual([
      limit,
      chunked([0, 1, 2, 3, 4, 5, 6], limit),
    ]);
  expect(await exportedPages(record, ids, { status: 'succeeded', limit: 2, ...where('<0.3') })).toEqual([[2, 3]]);
  expect(await exportedPages(record, ids, { owner: 'nobody' })).toEqual([[]]);
  const { items } = await exportExperiments(record.db, ExportQuery.parse({}), await knownWorkers(record.db));
  expect(items[2]).toMatchObject({
    name: 'MLP narrow',
    status: 'succeeded',
    program: 'mlp',
    datasets: { train: { name: 'digits' } },
    spec: { program: 'mlp', resources: { threads: 1, engine: 'reference' } },
    from: null,
    attempts: 3,
    metrics: [{ name: COST, count: 1, last: 0.25, lastStep: 1, min: null }],
  });
  expect(items[5]).toMatchObject({ attempts: 0, metrics: [] });

  // 3 MiB each, of pages of 4.
  const notes = 'a'.repeat(3 * 2 ** 20);
  await sql`update experiments set spec = spec || jsonb_build_object('notes', ${notes}::text)
    where id = any(${[ids[1], ids[2], ids[6]]}::text[])`.execute(record.db);
  expect(await exportedPages(record, ids, {})).toEqual([[0, 1], [2, 3, 4, 5], [6]]);
});

test('what a list cannot be asked by is refused with what to give instead', async ({ record }) => {
  await fill(record);
  for (const [query, words] of [
    [{ status: 'runing' }, 'queued, running, paused, succeeded, failed, cancelled'],
    [{ where: 'valid_cost<0.3' }, 'metric.valid_cost<0.3'],
    [{ where: 'metric.a=<1' }, 'metric.valid_cost<0.3'],
    [{ where: 'metric.a<1e999' }, 'metric.valid_cost<0.3'],
    [{ where: 'metric.a<NaN' }, 'by = or !='],
    [{ where: 'metric."a<1' }, 'JSON string'],
    [{ where: Array.from({ length: 11 }, () => 'metric.a<1').join(',') }, 'at most 10'],
    [{ sort: 'cost' }, 'metric.NAME'],
    [{ sort: 'metric.' }, 'metric.NAME'],
    [{ id: 'exp_xyz' }, '32 hexadecimal digits'],
    [{ metrics: Array.from({ length: 21 }, (_, index) => index).join(',') }, 'at most 20'],
    [{ tag: '"a' }, 'names with commas between'],
    [{ wher: 'x' }, 'where'],
  ] as const) {
    const read = readValue(ExperimentQuery, query);
    expect([query, JSON.stringify(read)]).toEqual([query, expect.stringContaining(words)]);
    expect(read.ok).toBe(false);
  }
  const { nextCursor } = await list(record, { limit: 2 });
  const forged = (...parts: unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');
  for (const [sort, cursor] of [
    ['name', nextCursor ?? ''],
    ['-created', 'p12'],
    ['-created', ''],
    ['-created', forged('-created', 1, '1', '1')],
    ['-created', forged('-created', 0, "1'", '1')],
    ['ended', forged('ended', 0, '2026-01-01', '1')],
    ['metric.a', forged('metric.a', 0, '', 'x')],
    ['name', forged('name', 0, '\0', '1')],
  ] as const) {
    await expect(list(record, { sort, cursor })).rejects.toThrow('is none that a list has answered');
  }
});

/** Fills an empty record with {@link experiments}, and returns their ids. */
async function fill(record: PlatformRecord): Promise<string[]> {
  const { db } = record;
  await sql`truncate lives cascade`.execute(db);
  for (const [digit, name] of [
    ['0', 'digits'],
    ['1', 'faces'],
  ] as const) {
    await sql`insert into lives (id, kind, priority, retry, phase, submitted_at)
      values (${`ds_${digit.repeat(32)}`}, 'dataset', 0, '{}', 'queued', now())`.execute(db);
    await sql`insert into datasets (id, name, spec) values (${`ds_${digit.repeat(32)}`}, ${name}, '{}')`.execute(db);
  }
  const ids: string[] = [];
  for (const [index, [name, status, last]] of experiments.entries()) {
    const id = newId('experiment');
    const isActive = status === 'running' || status === 'queued';
    const reason = isActive ? null : status === 'failed' ? 'program_error' : status;
    const owner = index === 6 ? 'ann' : 'default';
    // So close that a millisecond does not tell them apart.
    const endedAt = isActive ? null : `2026-01-01T00:00:00.00000${9 - index}Z`;
    const { rows } = await sql<{ place: number }>`
      insert into lives (id, kind, priority, retry, phase, reason, owner, submitted_at, ended_at)
      values (${id}, 'experiment', 0, '{}', ${isActive ? status : 'ended'}, ${reason}, ${owner}, now(), ${endedAt}::timestamptz)
      returning place`.execute(db);
    const program = index < 3 ? 'mlp' : 'conv';
    await sql`insert into experiments (id, name, spec, program, place, owner, project, status, ended_at)
      values (${id}, ${name}, ${JSON.stringify({ program, resources: { threads: 1, engine: 'reference' } })}::jsonb, ${program},
        ${rows[0]?.place}, ${owner}, 'default', ${status}, ${endedAt}::timestamptz)`.execute(db);
    await sql`insert into experiment_datasets (id, role, dataset_id)
      values (${id}, 'train', ${`ds_${String(index % 2).repeat(32)}`})`.execute(db);
    for (const tag of tags[index] ?? [])
      await sql`insert into experiment_tags (tag, place) values (${tag}, ${rows[0]?.place})`.execute(db);
    if (last !== null) {
      await sql`insert into metrics (id, name, count, non_finite, last, last_step)
        values (${id}, ${COST}, 1, 0, ${last}::float8, 1)`.execute(db);
    }
    ids.push(id);
  }
  return ids;
}

async function list(record: PlatformRecord, query: ExperimentQueryInput): ReturnType<typeof listExperiments> {
  return listExperiments(record.db, ExperimentQuery.parse(query), await knownWorkers(record.db));
}

/** The places of those on each page of an export. */
async function exportedPages(
  record: PlatformRecord,
  ids: readonly string[],
  query: ExportQueryInput,
): Promise<number[][]> {
  const pages: number[][] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const options = ExportQuery.parse({ ...query, cursor });
    const page = await exportExperiments(record.db, options, await knownWorkers(record.db));
    pages.push(page.items.map(({ id }) => ids.indexOf(id)));
    cursor = page.nextCursor;
  }
  return pages;
}

function chunked(places: readonly number[], size: number): number[][] {
  return places.length <= size ? [[...places]] : [places.slice(0, size), ...chunked(places.slice(size), size)];
}

/** The places of all that fit, page after page. */
async function paged(
  record: PlatformRecord,
  ids: readonly string[],
  query: ExperimentQueryInput,
  afterFirst: () => Promise<void> = () => Promise.resolve(),
): Promise<number[]> {
  const places: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await list(record, { ...query, ...(cursor !== undefined && { cursor }) });
    expect(page.counts === null).toBe(cursor !== undefined);
    places.push(...page.items.map(({ id }) => ids.indexOf(id)));
    if (cursor === undefined) await afterFirst();
    cursor = page.nextCursor;
  }
  return places;
}
