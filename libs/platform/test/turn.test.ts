import { setTimeout as pause } from 'node:timers/promises';

import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely';
import { expect } from 'vitest';

import { PlatformRecord } from '../src/record/record.js';
import { until } from '../src/testing/index.js';
import { ToldWorker } from './told-worker.js';
import { test, World } from './world.js';

test('a worker that gave an experiment back takes it again before others, however late the record hears of it', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const ids = [await world.submit(), await world.submit(), await world.submit()];
  for (const id of ids) await world.when(id, ({ attempts }) => attempts.length === 1);
  const worker = await ToldWorker.start(world);
  const first = await worker.next();
  await world.when(first.id, ({ status }) => status === 'running');

  const release = await holdRecord(world);
  first.end('preempted');
  await until(() => worker.said(`${first.id}: ended under fence 1: preempted`));
  // A worker that did not wait would have taken the next one by now.
  await pause(500);
  expect(worker.taken).toEqual([first.id]);
  release();

  for (let turn = 1; turn <= 3; turn += 1) (await worker.next()).end('succeeded');
  expect(worker.taken).toEqual([ids[0], ids[0], ids[1], ids[2]]);
  await worker.stop();
});

test('the end of an attempt is acknowledged when what goes back is in the queue, not before', async ({ world }) => {
  const late = new LateScheduling();
  const record = new PlatformRecord(
    world.record.db.withPlugin(late),
    world.record.notices,
    () => Promise.resolve(),
    true,
  );
  const slow = new World(world, world.prefix, record);
  await slow.start();
  await slow.readyDataset();
  const ids = [await slow.submit(), await slow.submit()];
  for (const id of ids) await slow.when(id, ({ attempts }) => attempts.length === 1);
  const worker = await ToldWorker.start(slow);
  const first = await worker.next();
  await slow.when(first.id, ({ status }) => status === 'running');
  late.byMs = 300;
  first.end('preempted');
  (await worker.next()).end('succeeded');
  (await worker.next()).end('succeeded');
  expect(late.count).toBeGreaterThan(0);
  expect(worker.taken).toEqual([ids[0], ids[0], ids[1]]);
  await worker.stop();
  await slow.close();
});

test('a record that is away for long does not keep a worker from its next job, nor from stopping', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const ids = [await world.submit(), await world.submit()];
  for (const id of ids) await world.when(id, ({ attempts }) => attempts.length === 1);
  const patient = await ToldWorker.start(world, { keepTurnMs: 300 });
  const first = await patient.next();
  await world.when(first.id, ({ status }) => status === 'running');
  const release = await holdRecord(world);
  first.end('preempted');
  const second = await patient.next();
  expect(second.id).toBe(ids[1]);
  // Stopping does not wait for the record either: this would take a minute.
  second.end('preempted');
  await patient.stop();
  release();
});

/** Keeps everybody from the record until what it resolves with is called. */
async function holdRecord(world: World): Promise<() => void> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await new Promise<void>((held) => {
    void world.record.db.transaction().execute(async () => {
      held();
      await released;
    });
  });
  return release;
}

/** The scheduler sees late what it may put into the queue. */
class LateScheduling implements KyselyPlugin {
  byMs = 0;
  /** How often it was made late. */
  count = 0;
  readonly #late = new WeakSet();

  transformQuery({ node, queryId }: PluginTransformQueryArgs): PluginTransformQueryArgs['node'] {
    if (node.kind === 'SelectQueryNode' && node.limit !== undefined && JSON.stringify(node).includes('"queue_rank"'))
      this.#late.add(queryId);
    return node;
  }

  async transformResult({ result, queryId }: PluginTransformResultArgs): Promise<PluginTransformResultArgs['result']> {
    if (this.byMs === 0 || !this.#late.has(queryId)) return result;
    this.count += 1;
    await pause(this.byMs);
    return result;
  }
}
