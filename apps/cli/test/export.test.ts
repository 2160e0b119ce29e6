import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ExportedExperiment, ExperimentSpec, type StoredLogRow } from '@longrun/contracts';
import { FolderLock } from '@longrun/platform/processes';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { CommandLine, type Finished } from './command-line.js';
import { type HttpServer, serve } from './http-server.js';
import { summary } from './views.js';

const OTHER = `exp_${'d'.repeat(32)}`;
/** Ends lines for some, and breaks them for others. */
const LINES = 'one\u2028two\r\nthree';

let folder: string;
let server: HttpServer | undefined;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'longrun-export-'))));
afterEach(async () => {
  server?.close();
  await rm(folder, { recursive: true });
});

test('runs have a column of every parameter and metric that any of them has; metrics have each point, as it was logged', async () => {
  expect(await exporting()).toMatchObject({ code: 0, stderr: '' });
  const [head, first, second, ...others] = (await readFile(join(folder, 'runs.csv'), 'utf8')).split(/\r\n(?!three)/);
  expect(others).toEqual(['']);
  expect(head).toBe(
    'id,name,status,reason,message,owner,project,program,programSha256,from.experiment,from.step,seed,tags,notes,createdAt,startedAt,endedAt,step,attempts,failures,' +
      'preemptions,losses,datasets.train,datasets.train.id,"params.""a.b""",params.dims,params.learningRate,params.optimizer.decay,params.optimizer.name,' +
      'metrics.cost.best,metrics.cost.bestStep,metrics.cost.last,metrics.cost.lastStep,metrics.cost.max,metrics.cost.maxStep,metrics.cost.min,metrics.cost.minStep',
  );
  const { id, createdAt, programSha256 } = RUNS[0];
  expect(first).toBe(
    `${id},'=cmd(),running,,,default,default,mlp,${programSha256},,,7,"[""good"",""=x""]","${LINES}",${createdAt},${createdAt},,,2,0,0,0,` +
      `tiny,ds_${'b'.repeat(32)},1,"[64,10]",0.1,,'-adam,0.25,3,NaN,4,0.30000000000000004,1,0.25,3`,
  );
  expect(second).toMatch(new RegExp(`^${OTHER},.*,1e-7,null,"",,,,,,,,$`));
  expect(await readFile(join(folder, 'metrics.csv'), 'utf8')).toBe(
    [
      'run,name,step,value',
      `${id},'+cost,1,-Infinity`,
      `${id},cost,1,0.30000000000000004`,
      `${id},cost,3,0.25`,
      `${id},cost,4,NaN`,
      '',
    ].join('\r\n'),
  );
  expect((await readdir(folder)).toSorted()).toEqual(['metrics.csv', 'runs.csv']);
});

test('Parquet has the same tables with types, whole numbers, moments and null among them', async () => {
  expect(await exporting(answer, folder, '--format', 'parquet')).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(folder)).toSorted()).toEqual(['metrics.parquet', 'runs.parquet']);
  const runs = await parquet('runs.parquet');
  expect(runs.types).toMatchObject({
    id: 'BYTE_ARRAY UTF8',
    seed: 'INT64',
    tags: 'BYTE_ARRAY UTF8',
    createdAt: 'INT64 TIMESTAMP_MILLIS UTC',
    'params."a.b"': 'INT64',
    'params.learningRate': 'DOUBLE',
    'params.optimizer.decay': 'BYTE_ARRAY UTF8',
    'metrics.cost.last': 'DOUBLE',
    'metrics.cost.lastStep': 'INT64',
  });
  const { id, createdAt } = RUNS[0];
  expect(runs.rows).toMatchObject([
    {
      id,
      name: '=cmd()',
      notes: LINES,
      seed: 7n,
      tags: '["good","=x"]',
      createdAt: new Date(createdAt),
      endedAt: null,
      'datasets.train': 'tiny',
      'params."a.b"': 1n,
      'params.dims': '[64,10]',
      'params.learningRate': 0.1,
      'params.optimizer.decay': null,
      'metrics.cost.last': NaN,
      'metrics.cost.min': 0.25,
      'metrics.cost.minStep': 3n,
    },
    {
      id: OTHER,
      'params.dims': null,
      'params.learningRate': 1e-7,
      'params.optimizer.decay': null,
      'params.optimizer.name': '',
      'metrics.cost.last': null,
    },
  ]);
  expect((await parquet('metrics.parquet')).rows).toEqual([
    { run: id, name: '+cost', step: 1n, value: -Infinity },
    { run: id, name: 'cost', step: 1n, value: 0.1 + 0.2 },
    { run: id, name: 'cost', step: 3n, value: 0.25 },
    { run: id, name: 'cost', step: 4n, value: NaN },
  ]);
});

test("the same tables are asked in SQL, on a copy that is nobody else's", async () => {
  const { id } = RUNS[0];
  const joined = await querying(
    'select r.status, m.name, count(*) n, min(m.value) least, max(m.value) most from runs r join metrics m on m.run = r.id group by 1, 2 order by 2',
    '--json',
  );
  expect(joined).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(joined.stdout)).toEqual([
    { status: 'running', name: '+cost', n: 1, least: '-Infinity', most: '-Infinity' },
    // NaN is null, which counts in no minimum.
    { status: 'running', name: 'cost', n: 3, least: 0.25, most: 0.1 + 0.2 },
  ]);
  const columns = await querying(
    `select "params.dims" ->> 0 as first, "params.learningRate" lr, notes from runs where id = '${id}'`,
    '--json',
  );
  expect(JSON.parse(columns.stdout)).toEqual([{ first: 64, lr: 0.1, notes: LINES }]);
  const table = await querying('select id, seed from runs order by seed desc limit 1');
  expect(table).toMatchObject({ code: 0, stdout: `id${' '.repeat(34)}  seed\n${id}     7\n` });
  expect(await querying('delete from runs returning 1 as gone')).toMatchObject({
    code: 0,
    stdout: 'gone\n   1\n   1\n',
  });
  expect(await querying('select id from runs where 0')).toMatchObject({ code: 0, stdout: '', stderr: 'no rows\n' });
  expect(await querying('select nope from runs')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^longrun: SQLite says of the statement: no such column: nope; /) as string,
  });
});

test('what is exported again takes the place of what was; broken off, it leaves that as it was', async () => {
  for (const name of ['runs.csv', 'metrics.csv']) await writeFile(join(folder, name), 'of before');
  const broken = await exporting((request, response) => {
    if (request.url?.includes('after=3') === true) request.socket.destroy();
    else answer(request, response);
  });
  expect(broken).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^longrun: the connection to the API .* broke/),
  });
  for (const name of ['runs.csv', 'metrics.csv']) expect(await readFile(join(folder, name), 'utf8')).toBe('of before');
  expect((await readdir(folder)).toSorted()).toEqual(['metrics.csv', 'runs.csv']);

  // As one leaves it that was killed.
  await mkdir(join(folder, '.longrun-export'));
  await writeFile(join(folder, '.longrun-export', 'metrics.csv'), 'half');
  expect(await exporting()).toMatchObject({ code: 0 });
  expect(await readFile(join(folder, 'metrics.csv'), 'utf8')).toMatch(/^run,name,step,value\r\n/);
  expect((await readdir(folder)).toSorted()).toEqual(['metrics.csv', 'runs.csv']);
});

test('two exports do not write to one folder, and one that cannot be written to is said', async () => {
  const lock = await FolderLock.take(join(folder, '.longrun-export'));
  expect(await exporting()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`in use by process ${process.pid}`),
  });
  await lock.release();
  await writeFile(join(folder, 'file'), '');
  expect(await exporting(answer, join(folder, 'file'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^longrun: \S+file cannot be written to \(.*\); .* give another folder by -o\n$/),
  });
});

type Answer = RequestListener;

/** A file as another reader has it. */
async function parquet(name: string): Promise<{ types: Record<string, string>; rows: Record<string, unknown>[] }> {
  const file = await asyncBufferFromFile(join(folder, name));
  const { schema } = await parquetMetadataAsync(file);
  const types = schema.map(({ name: column, type, converted_type: converted, logical_type: logical }) => {
    const isUtc = logical?.type === 'TIMESTAMP' && logical.isAdjustedToUTC;
    return [column, [type, converted, isUtc && 'UTC'].filter(Boolean).join(' ')];
  });
  return { types: Object.fromEntries(types), rows: await parquetReadObjects({ file }) };
}

async function exporting(listener: Answer = answer, to = folder, ...words: string[]): Promise<Finished> {
  server?.close();
  server = await serve(listener);
  const environment = { LONGRUN_URL: server.url, LONGRUN_TOKEN: 'a-token-of-sixteen-or-more' };
  return new CommandLine('/nowhere').runWith(environment, 'export', '-o', to, ...words);
}

async function querying(sql: string, ...words: string[]): Promise<Finished> {
  server?.close();
  server = await serve(answer);
  const environment = { LONGRUN_URL: server.url, LONGRUN_TOKEN: 'a-token-of-sixteen-or-more' };
  return new CommandLine('/nowhere').runWith(environment, 'query', '--sql', sql, ...words);
}

/** Pages of one item each. */
const answer: Answer = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const index = Number(searchParams.get('cursor') ?? searchParams.get('after'));
  response.writeHead(200, { 'content-type': 'application/json' });
  if (pathname === '/v1/experiments/export') {
    const nextCursor = index + 1 < RUNS.length ? String(index + 1) : null;
    return response.end(JSON.stringify({ items: [RUNS[index]], nextCursor }));
  }
  const item = LOG.find(({ step }) => step > index);
  return response.end(JSON.stringify({ items: [item], nextAfter: item === LOG.at(-1) ? null : item?.step }));
};

const LOG: readonly StoredLogRow[] = [
  { step: 1, row: { cost: 0.1 + 0.2, '+cost': '-Infinity' } },
  { step: 2, row: { said: 'no number', list: [1] } },
  { step: 3, row: { cost: 0.25 } },
  { step: 4, row: { cost: 'NaN' } },
];

const COMMON = {
  ...summary,
  attempts: 1,
  from: null,
  datasets: { train: { id: `ds_${'b'.repeat(32)}`, name: 'tiny' } },
  progress: null,
};
const RUNS: readonly [ExportedExperiment, ExportedExperiment] = [
  {
    ...COMMON,
    name: '=cmd()',
    status: 'running',
    attempts: 2,
    spec: ExperimentSpec.parse({
      program: 'mlp',
      dataset: 'tiny',
      params: { learningRate: 0.1, dims: [64, 10], optimizer: { name: '-adam' }, 'a.b': 1 },
      seed: 7,
      tags: ['good', '=x'],
      notes: LINES,
      checkpoint: { keepBest: { record: 'cost' } },
    }),
    metrics: [
      {
        name: 'cost',
        count: 3,
        nonFinite: 1,
        last: 'NaN',
        lastStep: 4,
        min: { value: 0.25, step: 3 },
        max: { value: 0.1 + 0.2, step: 1 },
      },
    ],
  },
  {
    ...COMMON,
    id: OTHER,
    spec: ExperimentSpec.parse({
      program: 'mlp',
      dataset: 'tiny',
      params: { learningRate: 1e-7, optimizer: { name: '', decay: null } },
    }),
    metrics: [],
  },
];
