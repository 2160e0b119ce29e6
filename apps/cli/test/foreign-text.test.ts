import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  type DatasetView,
  type ExperimentView,
  ExperimentSpec,
  hasUnseen,
  type LiveEvent,
  type WorkerView,
} from '@longrun/contracts';
import { ProcessUnderTest } from '@longrun/platform/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CommandLine, type Finished } from './command-line.js';
import { dataset } from './views.js';

/** Clears the screen, goes back to the start of the line, turns the direction of what follows. */
const HOSTILE = 'A\x1B[2J\r\x9BB\u202EC';
const SEEN = String.raw`A\x1b[2J\x0d\x9bB\u202eC`;
const ID = `exp_${'a'.repeat(32)}`;
const DATASET_ID = `ds_${'b'.repeat(32)}`;
const AT = '2026-01-01T00:00:00.000Z';

let url: string;
let folder: string;
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://localhost');
  if (pathname.endsWith('/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of EVENTS) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    response.end();
    return;
  }
  const refusal = { type: '/problems/conflict', title: HOSTILE, status: 409, detail: HOSTILE };
  const isWorker = pathname.startsWith('/v1/workers/');
  const body =
    request.method === 'POST'
      ? isWorker
        ? WORKER
        : refusal
      : pathname === '/v1/workers'
        ? { items: [WORKER] }
        : pathname.startsWith('/v1/datasets/')
          ? DATASET
          : pathname === '/v1/experiments'
            ? { items: [{ ...VIEW, program: HOSTILE, datasets: {}, metrics: {} }], nextCursor: null, counts: null }
            : VIEW;
  const isRefused = body === refusal;
  response.writeHead(isRefused ? 409 : 200, {
    'content-type': isRefused ? 'application/problem+json' : 'application/json',
  });
  response.end(JSON.stringify(body));
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-foreign-'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

describe('what programs and other people have written', () => {
  test.each([
    ['ls', ['ls']],
    ['show', ['show', ID]],
    ['logs', ['logs', ID]],
    ['logs of a dataset', ['logs', DATASET_ID]],
    ['workers', ['workers']],
    ['workers drain', ['workers', 'drain', 'w']],
    ['workers release', ['workers', 'release', 'w']],
    ['a refusal', ['cancel', ID]],
    ['what is no option', ['ls', `--${HOSTILE}`]],
  ])('is made visible by %s', async (_what, words) => {
    const { stdout, stderr } = await run(...words);
    const text = stdout + stderr;
    expect(text).toContain(SEEN);
    expect(hasUnseen(text.replaceAll(/[\n\t]/g, ''))).toBe(false);
  });

  test('is made visible in the params of a dataset, which stand behind its converter', async () => {
    const { stdout } = await run('show', DATASET_ID);
    expect(stdout).toContain(`outlines 3, ${SEEN}=16, size=28`);
    expect(stdout).toMatch(/ uint8 \(100\), ragged$/m);
  });

  test('is made visible by doctor, which quotes what answers where Redis should', async () => {
    const hostile = createTcpServer((socket) => socket.on('error', () => undefined).end(`-ERR ${HOSTILE}\r\n`));
    await once(hostile.listen(0, '127.0.0.1'), 'listening');
    const address = hostile.address();
    if (address === null || typeof address === 'string') throw new Error('It does not listen');
    const { stdout } = await new CommandLine(folder).runWith(
      { REDIS_URL: `redis://127.0.0.1:${address.port}` },
      'doctor',
    );
    hostile.close();
    expect(stdout).toContain(String.raw`A\x1b[2J`);
    expect(hasUnseen(stdout.replaceAll(/[\n\t]/g, ''))).toBe(false);
  });

  test.each([
    ['ls', ['ls', '--json']],
    ['show', ['show', ID, '--json']],
    ['logs', ['logs', ID, '--json']],
    ['workers', ['workers', 'ls', '--json']],
  ])('is in the JSON of %s as it is, and nothing of it is unseen', async (_what, words) => {
    const { stdout } = await run(...words);
    expect(hasUnseen(stdout.replaceAll('\n', ''))).toBe(false);
    const lines = words[0] === 'logs' ? stdout.trimEnd().split('\n') : [stdout];
    expect(lines.map((line) => JSON.stringify(JSON.parse(line))).join('')).toContain(JSON.stringify(HOSTILE));
  });
});

test.each(['api', 'fuel-preproc', 'worker-gpu'])(
  'what %s says last, before it ends for something that it was told, is visible',
  async (app) => {
    const state = join(folder, 'file', HOSTILE);
    await writeFile(join(folder, 'file'), '');
    const started = new ProcessUnderTest(fileURLToPath(new URL(`../../${app}/dist/bundle/main.js`, import.meta.url)), {
      LONGRUN_STATE: state,
      REDIS_URL: 'redis://127.0.0.1:4',
    });
    expect(await started.exited).toBe(1);
    const last = started.lines.filter((line) => line.startsWith(`${app}: `)).join('');
    expect(last).toContain(SEEN);
    expect(hasUnseen(last)).toBe(false);
  },
);

describe('a spec file that is not in UTF-8', () => {
  const text = 'program: mlp\ndataset: tiny\nname: naïve\n';
  test.each([
    ['ISO-8859-1 or Windows-1252', 3, Buffer.from(text, 'latin1')],
    ['UTF-16', 1, Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16', 1, Buffer.from(text, 'utf16le').swap16()],
  ])('is refused as %s', async (likely, line, bytes) => {
    const file = join(folder, 'spec.yaml');
    await writeFile(file, bytes);
    const { code, stderr } = await run('submit', file);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `${file}:${line}: ${file} is not in UTF-8: by its bytes in line ${line} it is in ${likely}.`,
    );
    expect(stderr).toMatch(/→ Save it as UTF-8, for example by: iconv -f \S+ -t UTF-8\./);
  });

  test('is not one with the mark of UTF-8', async () => {
    const file = join(folder, 'marked.yaml');
    await writeFile(file, `\uFEFF${text}`);
    expect((await run('submit', file)).stderr).toContain('HTTP 409');
  });

  test('has its like on the command line', async () => {
    const file = join(folder, 'plain.yaml');
    await writeFile(file, text);
    const { code, stderr } = await run('submit', file, '--set', 'name=na\uFFFDve');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('not written in UTF-8') });
  });
});

async function run(...words: string[]): Promise<Finished> {
  const environment = { LONGRUN_URL: url, LONGRUN_TOKEN: 'a-token-of-this-test' };
  return await new CommandLine(folder).runWith(environment, ...words);
}

const VIEW: ExperimentView = {
  id: ID,
  name: HOSTILE,
  spec: ExperimentSpec.parse({ program: 'mlp', dataset: 'tiny', tags: [HOSTILE], params: { [HOSTILE]: HOSTILE } }),
  datasets: { train: `ds_${'b'.repeat(32)}` },
  programSha256: 'c'.repeat(64),
  from: null,
  reproduces: null,
  owner: HOSTILE,
  project: 'default',
  status: 'failed',
  reason: 'program_error',
  message: HOSTILE,
  cancelRequested: false,
  pauseRequested: false,
  failures: 1,
  preemptions: 0,
  losses: 0,
  nonFinite: null,
  progress: null,
  result: null,
  settings: [],
  attempts: [
    {
      fence: 1,
      status: 'ended',
      workerId: HOSTILE,
      enqueuedAt: AT,
      startedAt: AT,
      endedAt: AT,
      reason: 'program_error',
      message: HOSTILE,
      startStep: 0,
      lastStep: 0,
      stepsRun: 0,
      peakMemoryBytes: null,
      engine: null,
      libraries: null,
      environment: null,
      restoredFrom: null,
      rejectedCheckpoints: [],
      hyperparameters: null,
    },
  ],
  checkpoints: [],
  createdAt: AT,
  startedAt: AT,
  endedAt: AT,
};

const DATASET: DatasetView = {
  ...dataset,
  name: HOSTILE,
  progress: { phase: 'downloading', what: HOSTILE, done: 1, unit: 'bytes' },
  attempts: VIEW.attempts,
  result: {
    fileKey: 'datasets/files/a.hdf5',
    sha256: 'a'.repeat(64),
    sizeBytes: 1,
    description: {
      sources: [{ name: HOSTILE, dtype: 'uint8', shape: [100], ragged: true, axisLabels: null }],
      splits: {},
      attributes: {},
    },
    identity: { converter: 'outlines', converterVersion: 3, params: { [HOSTILE]: 16, size: 28 }, inputs: [] },
    sameAs: null,
  },
};

const EVENTS: readonly LiveEvent[] = [
  { type: 'line', id: 1, at: AT, data: { fence: 1, stream: 'stdout', text: HOSTILE } },
  { type: 'log_row', id: 2, at: AT, data: { fence: 1, step: 1, row: { [HOSTILE]: HOSTILE } } },
  {
    type: 'status',
    id: 3,
    at: AT,
    data: { status: 'failed', reason: 'program_error', message: HOSTILE, result: null },
  },
];

const WORKER: WorkerView = {
  id: HOSTILE,
  kind: 'experiment',
  host: HOSTILE,
  version: '0.1.0',
  labels: { [HOSTILE]: HOSTILE },
  slots: 1,
  threads: 1,
  memoryBytes: 1,
  devices: [{ type: 'cpu', name: HOSTILE, memoryBytes: null }],
  status: 'draining',
  statusReason: HOSTILE,
  attempts: [],
  alive: true,
  firstSeenAt: AT,
  lastSeenAt: AT,
};
