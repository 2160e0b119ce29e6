import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LiveEvent, WorkerEvent } from '@longrun/contracts';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';

import { readOutcome } from '../src/life/outcome.js';
import { LifeWriter } from '../src/life/writer.js';
import { openRecord } from '../src/record/record.js';
import { Endings } from '../src/systems/endings.js';
import { EventIngester } from '../src/systems/event-ingester.js';
import { LogCompletion } from '../src/systems/log-completion.js';
import { RedisKeys } from '../src/redis/keys.js';
import { connectRedis, disconnectRedis, type Warn } from '../src/redis/connection.js';
import { until } from '../src/testing/index.js';
import { ExperimentByHand, startedAt } from './by-hand.js';
import { resultAt } from './scripted-worker.js';
import { test, type World } from './world.js';

test('an outcome that enters the record before its attempt has had its say loses nothing of it', async ({ world }) => {
  const location = { folder: join(world.folder, 'record') };
  await world.start({ record: location });
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  await world.platform.close();

  // All of this lies in the stream while the record takes in how it ended, and nothing else.
  attempt.start().train(961);
  await attempt.commit();
  attempt.outbox.send({ type: 'line', stream: 'stdout', text: 'almost done' });
  const succeeding = attempt.succeed();
  await until(() => attempt.lease.head().outcome !== null);
  const record = await openRecord(location);
  await new LifeWriter(record).write(async (lives) => {
    const life = await lives.find(id);
    life?.end(readOutcome('experiment', attempt.lease.head().outcome), 1, new Date());
    expect(life?.row.phase).toBe('ended');
  });
  await record.close();
  await world.start({ record: location });
  await succeeding;

  const experiment = await world.platform.experiments.get(id);
  expect(experiment).toMatchObject({
    status: 'succeeded',
    result: resultAt(961),
    checkpoints: [{ step: 961 }],
    attempts: [
      {
        fence: 1,
        reason: 'succeeded',
        startStep: 0,
        lastStep: 961,
        stepsRun: 961,
        peakMemoryBytes: 1_000_000,
        workerId: 'gpu-1',
      },
    ],
  });
  const rows = (await world.platform.experiments.logPage(id)).items;
  expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 961 }, (_, index) => index + 1));
  const types: string[] = [];
  for await (const { type } of world.platform.experiments.subscribe(id)) types.push(type);
  expect(types.filter((type) => type === 'log_row')).toHaveLength(961);
  expect(types).toContain('line');
  expect(types).toContain('checkpoint');
  expect(types.filter((type) => type === 'status')).toHaveLength(3);
});

test('an outcome waits for what its attempt told before it, also where taking in has only just begun', async ({
  world,
  redis,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  await world.platform.close();
  attempt.start().train(900);
  await attempt.commit();
  attempt.outbox.send({ type: 'line', stream: 'stdout', text: 'almost done' });
  expect(await attempt.outbox.flush('sent', 50_000)).toBe(true);
  // It dies when its outcome is in the head: nothing else says how it ended.
  await attempt.succeed({ silently: true });

  const { ingester, client, keys } = anotherIngester(world, redis.url);
  expect(await client.xlen(keys.events)).toBeGreaterThan(900);
  const { record, store } = world;
  const writer = new LifeWriter(record);
  const logs = new LogCompletion({ record, writer, store });
  const endings = new Endings({ writer, store, logs, catchUp: () => ingester.catchUp(), warn: expect.unreachable });
  const adopting = endings.adopt('experiment', id, await endings.head('experiment', id));
  // Who does not wait is through before the first event is taken.
  await Promise.race([adopting, pause(500)]);
  await ingester.start();
  expect(await adopting).toBe(true);
  await ingester.close();
  disconnectRedis(client);

  await world.start();
  const events: LiveEvent[] = [];
  for await (const event of world.platform.experiments.subscribe(id))
    if (event.type !== 'caught-up') events.push(event);
  const types = events.map(({ type }) => type).filter((type) => type !== 'log_row');
  expect(types.slice(-5)).toEqual(['attempt_started', 'checkpoint', 'line', 'attempt_ended', 'status']);
  expect(events.at(-1)).toMatchObject({ data: { status: 'succeeded', result: resultAt(900) } });
  const steps = events.flatMap((event) => (event.type === 'log_row' ? event.data.step : []));
  expect(steps).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
});

test('after the end the author of the outcome and who said its own end are heard, those who were written off are not', async ({
  record,
}) => {
  const experiment = await ExperimentByHand.start(record);
  await experiment.goOnFrom(0);
  await experiment.take(1, row(1));
  const second = await experiment.goOnFrom(0);
  const ended: WorkerEvent = { type: 'attempt_ended', reason: 'preempted', step: 4, stepsRun: 4, peakMemoryBytes: 5 };
  await experiment.take(second, row(2), ended);
  const third = await experiment.goOnFrom(2);
  await experiment.write((life) => life.took(third, 7, new Date()));
  await experiment.write((life) => {
    expect([1, second, third].map((fence) => life.judge(fence, 0))).toEqual(['refused', 'taken', 'taken']);
    life.end({ reason: 'succeeded', message: null, result: resultAt(9) }, third, new Date());
  });
  const judged = await experiment.write((life) => [
    life.judge(1, 1),
    life.judge(1, 0),
    life.judge(second, 1),
    life.judge(third, 7),
    life.judge(third, 8),
    life.judge(third, 9),
    life.judge(third + 1, 1),
  ]);
  expect(judged).toEqual(['refused', 'refused', 'taken', 'duplicate', 'taken', 'gap', 'refused']);

  // Nothing that it still says moves what has ended.
  const before = await experiment.write((life) => ({ ...life.row }));
  await experiment.take(third, { type: 'heartbeat', step: 99 }, startedAt(2), row(9), {
    ...ended,
    reason: 'out_of_memory',
    step: 9,
  });
  const after = await experiment.write((life) => ({ row: { ...life.row }, attempt: life.attempts.get(third) }));
  expect(after.row).toEqual({ ...before, lastEvent: before.lastEvent + 2 });
  expect(after.attempt).toMatchObject({
    reason: 'succeeded',
    lastStep: 9,
    stepsRun: 4,
    peakMemoryBytes: 5,
    saidEnd: true,
  });
});

test('two processes that take events in at once take each once, and the cursor never goes back', async ({
  world,
  redis,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  const warnings: string[] = [];
  const { ingester, client } = anotherIngester(world, redis.url, (sentence) => void warnings.push(sentence));
  await ingester.start();
  attempt.start();
  // Until one of them was late, and another one early.
  const moved = (): boolean =>
    [...warnings, ...world.warnings].some((sentence) => sentence.includes('another process'));
  await until(async () => {
    attempt.train(attempt.step + 3);
    await world.when(id, ({ attempts }) => attempts[0]?.lastStep === attempt.step);
    return moved();
  });
  const last = attempt.train(attempt.step + 100).step;
  await attempt.succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  const events: number[] = [];
  for await (const event of world.platform.experiments.subscribe(id))
    if (event.type === 'log_row') events.push(event.data.step);
  expect(events).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  await ingester.close();
  disconnectRedis(client);
});

/** Takes events in beside the platform, as another process does, once it is started. Whoever closes it disconnects the client. */
function anotherIngester(
  { record, prefix }: World,
  redisUrl: string,
  warn: Warn = () => undefined,
): { ingester: EventIngester; client: Redis; keys: RedisKeys } {
  const connect = (connectionName: string): Redis => connectRedis({ redisUrl, connectionName, warn });
  const [client, blockingRedis] = [connect('another'), connect('another:events')] as const;
  const keys = new RedisKeys(prefix);
  const writer = new LifeWriter(record);
  const scheduled = (): Promise<void> => Promise.resolve();
  return {
    ingester: new EventIngester({
      record,
      writer,
      blockingRedis,
      redis: client,
      keys,
      scheduled,
      patienceMs: 5_000,
      warn,
    }),
    client,
    keys,
  };
}

function row(step: number): WorkerEvent {
  return { type: 'log_row', step, row: { cost: 1 / step } };
}
