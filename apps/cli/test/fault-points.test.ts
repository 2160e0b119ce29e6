import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ApiUnreachable, type Client } from '@longrun/client';
import { type ExperimentSpecInput, isTerminal, type LiveEvent } from '@longrun/contracts';
import { type ProcessUnderTest, until } from '@longrun/platform/testing';
import { FAULT_POINTS, type FaultPoint, openObjectStore, readFired, readHead } from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { NotRunning } from '../src/address.js';
import { LAST_STEP, LONG_ENOUGH_MS, Services, tinyExperiment, untilEnded, upTo } from './services.js';

/** Where a run comes to its end. */
type End = 'succeeded' | 'cancelled' | 'failed';

/** A point, and at which passage of it who comes there dies. */
type Death = readonly [point: FaultPoint, passage: number];

/** 3 checkpoints: those of steps 15 and 30, and the last one with the outcome. */
const deathsOfWorkers: readonly (readonly [doing: string, end: End, deaths: readonly Death[]])[] = [
  [
    'that begin a run',
    'succeeded',
    [
      ['take.taken', 1],
      ['lease.read', 1],
      ['lease.claimed', 1],
      ['take.claimed', 1],
      ['commit.blobs-written', 1],
    ],
  ],
  [
    'that commit a checkpoint',
    'succeeded',
    [
      ['snapshot.handed-over', 2],
      ['commit.log-written', 2],
      ['commit.manifest-written', 2],
      ['commit.head-swapped', 2],
      ['commit.collected', 2],
      ['snapshot.committed', 2],
    ],
  ],
  [
    'that end a run',
    'succeeded',
    [
      ['commit.head-swapped', 3],
      ['outcome.decided', 1],
      ['outcome.in-head', 1],
      ['outcome.sent', 1],
    ],
  ],
  [
    'whose run is cancelled',
    'cancelled',
    [
      ['keep-log.written', 1],
      ['keep-log.head-swapped', 1],
      ['outcome.in-head', 1],
    ],
  ],
  ['whose run fails', 'failed', [['lease.released', 1]]],
];

/**
 * The passages are those of one life of the process: it dies at the first of these that it comes to, and then at the next one. What
 * comes after a death on another way than the one that it was on has a run of its own.
 */
const deathsOfControllers: readonly (readonly [what: string, end: End, deaths: readonly Death[]])[] = [
  [
    'puts a run into the queue',
    'succeeded',
    [
      ['enqueue.specified', 1],
      ['enqueue.recorded', 1],
    ],
  ],
  [
    'takes the events of a run in',
    'succeeded',
    [
      ['enqueue.queued', 1],
      ['ingest.read', 1],
      ['ingest.applied', 1],
      ['ingest.committed', 1],
    ],
  ],
  [
    'decides that a run has failed',
    'failed',
    [
      ['end.unsealed', 1],
      ['lease.claimed', 1],
      ['outcome.decided', 1],
      ['outcome.in-head', 1],
      ['end.log-completed', 1],
    ],
  ],
  ['has sealed a run that has failed', 'failed', [['end.sealed', 1]]],
];

/** What is tried with each run of the tests: the rest takes minutes of processors, and is tried by `npm run proofs`. */
const EVERY_TIME: ReadonlySet<string> = new Set(['that commit a checkpoint', 'takes the events of a run in']);
const IS_PROOF = process.env['LONGRUN_PROOFS'] === 'all';

const FAILS_AT = 20;

const specs: Readonly<Record<End, ExperimentSpecInput>> = {
  succeeded: spec({ pauseMs: 2 }),
  cancelled: spec({ epochs: 100_000, pauseMs: 5 }),
  failed: spec({ throwAt: FAILS_AT, pauseMs: 2 }),
};

function spec(params: ExperimentSpecInput['params']): ExperimentSpecInput {
  const checkpoint = { everyBatches: 15, keepLast: 1 };
  const retry = { maxFailures: 0, backoffMs: 10, maxLosses: null };
  return tinyExperiment({ program: 'turns', params, checkpoint, retry });
}

let services: Services;
let undisturbed: Awaited<ReturnType<typeof factsOf>>;

beforeAll(async () => {
  // A death is seen by the connection that closes; who is only slow is to come to its point.
  services = await Services.begin({ LONGRUN_HEARTBEAT_MS: '200', LONGRUN_WORKER_LOST_MS: '60000' });
  await services.startApi();
  const worker = services.start('worker-gpu');
  const client = await services.connect();
  const { id } = await client.experiments.submit(specs.succeeded);
  await untilEnded(client, id, () => worker.output);
  undisturbed = await factsOf(client, id);
  expect(undisturbed.view).toMatchObject({ status: 'succeeded', attempts: [{ reason: 'succeeded' }] });
  expect(undisturbed.steps).toEqual(upTo(LAST_STEP).slice(1));
  await services.endProcesses();
});

afterEach(async () => {
  await services.endProcesses();
});

afterAll(async () => {
  await services.end();
});

test('a death at every point there is was tried', () => {
  const tried = [
    ...deathsOfWorkers.flatMap(([, , deaths]) => deaths),
    ...deathsOfControllers.flatMap(([, , all]) => all),
  ];
  expect(new Set(tried.map(([point]) => point))).toEqual(new Set(Object.keys(FAULT_POINTS)));
});

test.each(deathsOfWorkers.filter(isOften))(
  'workers %s lose nothing and do nothing twice, each dying at a point of its own',
  tryDeathsOfWorkers,
);
test.runIf(IS_PROOF).each(deathsOfWorkers.filter(isSeldom))(
  '(npm run proofs) workers %s lose nothing and do nothing twice, each dying at a point of its own',
  tryDeathsOfWorkers,
);

test.each(deathsOfControllers.filter(isOften))(
  'a controller that %s loses nothing and does nothing twice, dying at one point after the other',
  tryDeathsOfControllers,
);
test.runIf(IS_PROOF).each(deathsOfControllers.filter(isSeldom))(
  '(npm run proofs) a controller that %s loses nothing and does nothing twice, dying at one point after the other',
  tryDeathsOfControllers,
);

test.runIf(IS_PROOF)(
  '(npm run proofs) a controller that takes in the events of a run that was cancelled loses nothing and does nothing twice, dying at it',
  async () => {
    const record = join(services.folder, 'cancelled.ndjson');
    const death: Death = ['ingest.committed', 1];
    const worker = services.start('worker-gpu');
    const canceller = await services.startApi();
    const client = await services.connect();
    const { id } = await client.experiments.submit(specs.cancelled);
    await untilItHasACheckpoint(client, id);
    // Whatever it says of the end is said to the next controller.
    worker.signal('SIGSTOP');
    await client.experiments.act(id, 'cancel');
    canceller.signal('SIGKILL');
    await canceller.exited;
    worker.signal('SIGCONT');

    expect(await services.start('api', armed(record, death)).exited).toBe('SIGKILL');
    expect(firedIn(record)).toEqual(namesOf([death]));
    await services.startApi();
    await expectWholeAndOnce(id, 'cancelled');
    await expectNothingLeft([id], [worker]);
  },
);

function isOften([doing]: readonly [string, ...unknown[]]): boolean {
  return EVERY_TIME.has(doing);
}

function isSeldom(deaths: readonly [string, ...unknown[]]): boolean {
  return !isOften(deaths);
}

async function tryDeathsOfWorkers(doing: string, end: End, deaths: readonly Death[]): Promise<void> {
  const record = join(services.folder, `${doing}.ndjson`);
  await services.startApi();
  const mortals = deaths.map((death) => services.start('worker-gpu', armed(record, death)));
  for (const each of mortals) await untilReady(each);
  const client = await services.connect();
  const ids: string[] = [];
  for (const _ of deaths) ids.push((await client.experiments.submit(specs[end])).id);
  if (end === 'cancelled')
    for (const id of ids) {
      await untilItHasACheckpoint(client, id);
      await client.experiments.act(id, 'cancel');
    }

  expect(await Promise.all(mortals.map(({ exited }) => exited))).toEqual(deaths.map(() => 'SIGKILL'));
  expect(firedIn(record)).toEqual(namesOf(deaths));
  const heirs = [services.start('worker-gpu'), services.start('worker-gpu')];
  for (const id of ids) await expectWholeAndOnce(id, end);
  await expectNothingLeft(ids, heirs);
}

async function tryDeathsOfControllers(doing: string, end: End, deaths: readonly Death[]): Promise<void> {
  const record = join(services.folder, `${doing}.ndjson`);
  const environment = armed(record, ...deaths);
  const worker = services.start('worker-gpu');
  const dying = (async () => {
    for (const _ of deaths) expect(await services.start('api', environment).exited).toBe('SIGKILL');
  })();
  const key = doing.replaceAll(' ', '-');
  const { id } = await insistently(
    async (client) => await client.experiments.submit(specs[end], { idempotencyKey: key }),
  );
  await dying;
  expect(firedIn(record)).toEqual(namesOf(deaths));

  await services.startApi(environment);
  await expectWholeAndOnce(id, end);
  await expectNothingLeft([id], [worker]);
}

function armed(record: string, ...deaths: readonly Death[]): Readonly<Record<string, string>> {
  const faults = deaths.map(([point, passage]) => `${point}=kill@${passage}`).join(',');
  return { LONGRUN_FAULT_POINTS: faults, LONGRUN_FAULT_RECORD: record };
}

function firedIn(record: string): string[] {
  return readFired(record)
    .map(({ point, passage }) => `${point} ${passage}`)
    .toSorted();
}

function namesOf(deaths: readonly Death[]): string[] {
  return deaths.map(([point, passage]) => `${point} ${passage}`).toSorted();
}

async function untilReady(worker: ProcessUnderTest): Promise<void> {
  await until(
    () => worker.lines.some((line) => line.startsWith('worker-gpu: ready')),
    () => worker.output,
    LONG_ENOUGH_MS,
  );
}

/** A client's request, made again until an API that lives on has answered it. */
async function insistently<T>(request: (client: Client) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request(await services.connect());
    } catch (error) {
      if (!(error instanceof ApiUnreachable || error instanceof NotRunning)) throw error;
      await pause(100);
    }
  }
}

async function untilItHasACheckpoint(client: Client, id: string): Promise<void> {
  await until(
    async () => (await client.experiments.get(id)).checkpoints.length > 0,
    () => services.output,
    LONG_ENOUGH_MS,
  );
}

/** It ends as it should, with the result and the rows of an undisturbed run, and that once. */
async function expectWholeAndOnce(id: string, end: End): Promise<void> {
  const client = await services.connect();
  await untilEnded(client, id, () => services.output);
  const { view, rows, steps, events } = await factsOf(client, id);
  expect(view.status, `${view.reason}: ${view.message}`).toBe(end);
  const expected =
    end === 'succeeded' ? { result: undisturbed.view.result, rows: undisturbed.rows } : { result: null, rows };
  expect({ result: view.result, rows }).toEqual(expected);
  const last = { succeeded: LAST_STEP, failed: FAILS_AT, cancelled: steps.length }[end];
  expect(steps).toEqual(upTo(last).slice(1));
  const ends = events.filter((event) => event.type === 'status' && isTerminal(event.data.status));
  expect(ends).toHaveLength(1);
  // The record itself ends one whose worker is gone when it was to be cancelled.
  const least = end === 'cancelled' ? 0 : 1;
  expect([least, 1]).toContain(view.attempts.filter(({ reason }) => reason === view.reason).length);
  expect(view.attempts.every(({ reason }) => reason !== null)).toBe(true);
}

async function factsOf(client: Client, id: string) {
  const view = await client.experiments.get(id);
  const rows = [];
  for await (const row of client.experiments.logRows(id)) rows.push(row);
  const events: LiveEvent[] = [];
  for await (const event of client.experiments.follow(id)) events.push(event);
  return { view, rows, steps: rows.map(({ step }) => step), events };
}

/** The heads have the outcomes; nothing of it is in the queue, on a worker or in a scratch folder. */
async function expectNothingLeft(ids: readonly string[], workers: readonly ProcessUnderTest[]): Promise<void> {
  const store = await openObjectStore(pathToFileURL(join(services.folder, 'objects')).href);
  for (const id of ids) {
    expect((await readHead(store, `experiments/${id}`))?.outcome).not.toBeNull();
    await until(async () => (await services.redis.keys(`*${id}*`)).every((key) => key.includes(':ack:')));
  }
  for (const worker of workers) {
    // But for the trainer that waits for the next attempt.
    const rooms = join(services.folder, `worker-gpu-${hostname()}-${worker.pid}`);
    await until(
      () => readdirSync(rooms).filter((name) => name.startsWith('trainer-')).length <= 1,
      () => services.output,
    );
    worker.signal('SIGTERM');
    expect(await worker.exited).toBe(0);
  }
  const left = readdirSync(services.folder)
    .filter((name) => workers.some(({ pid }) => name === `worker-gpu-${hostname()}-${pid}`))
    .flatMap((name) => readdirSync(join(services.folder, name)))
    .filter((name) => name.startsWith('exp_'));
  expect(left).toEqual([]);
}
