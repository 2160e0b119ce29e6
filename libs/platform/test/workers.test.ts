import type { WorkerReport } from '@longrun/contracts';
import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';

import { RequestRefused } from '../src/index.js';
import { until } from '../src/testing/index.js';
import { experimentSpec, impatient, test, type World } from './world.js';

const report: WorkerReport = {
  workerId: 'gpu-1',
  kind: 'experiment',
  host: 'there',
  version: '0.1.0',
  labels: { room: '2' },
  slots: 1,
  threads: 8,
  memoryBytes: 2 ** 36,
  devices: [{ type: 'cuda', name: 'H100', memoryBytes: 80 * 2 ** 30 }],
  status: 'ready',
  attempts: [{ id: 'exp_1', fence: 3 }],
  beat: 1,
};

test('what workers report is in the record; one that falls silent or says goodbye is not alive, and comes back', async ({
  world,
}) => {
  const { workers } = await world.start(impatient);
  const hand = reporter(world);
  hand.beats({ ...report }, { ...report, workerId: 'gpu-2' });
  await until(async () => (await workers.list()).items.length === 2);
  const { items } = await workers.list();
  expect(items.find(({ id }) => id === 'gpu-1')).toMatchObject({
    host: 'there',
    devices: report.devices,
    labels: { room: '2' },
    attempts: [{ id: 'exp_1', fence: 3 }],
    status: 'ready',
    statusReason: null,
    alive: true,
  });

  await hand.goodbye('gpu-2');
  await until(async () => aliveOf(await workers.list()).join() === 'gpu-1');
  hand.beats();
  await until(async () => aliveOf(await workers.list()).length === 0);
  hand.beats(report);
  await until(async () => aliveOf(await workers.list()).join() === 'gpu-1');
  hand.close();
});

test('a worker is told to drain and to be released until it says that it is', async ({ world }) => {
  const { workers } = await world.start();
  const hand = reporter(world);
  hand.beats(report);
  await until(async () => (await workers.list()).items.length === 1);

  expect(await workers.drain('gpu-1', 'its fan is loud')).toMatchObject({
    status: 'draining',
    statusReason: 'its fan is loud',
  });
  await until(() => hand.commands.filter((text) => text.includes('"drain"')).length >= 3);
  hand.beats({ ...report, status: 'draining' });
  await until(
    async () => (await world.record.db.selectFrom('workers').selectAll().execute())[0]?.reportedStatus === 'draining',
  );
  // Looks that begin from now on tell it nothing any more; the one that took it in may still have.
  const draining = { ...report, status: 'draining' } as const;
  for (const workerId of ['gpu-2', 'gpu-3']) {
    hand.beats(draining, { ...report, workerId });
    await until(async () => (await workers.list()).items.some(({ id }) => id === workerId));
    await hand.says(workerId);
  }
  expect(hand.commands.slice(hand.commands.indexOf('gpu-2'))).toEqual(['gpu-2', 'gpu-3']);

  expect(await workers.release('gpu-1')).toMatchObject({ status: 'ready', statusReason: null });
  await until(() => hand.commands.some((text) => text.includes('"release"')));
  const changes = await world.record.db.selectFrom('audit').selectAll().orderBy('number').execute();
  expect(changes.filter(({ subject }) => subject === 'gpu-1').slice(-3)).toMatchObject([
    { actor: 'controller', action: 'worker-seen', before: null },
    { action: 'drain', before: { status: 'ready' }, after: { status: 'draining', statusReason: 'its fan is loud' } },
    { action: 'release', before: { status: 'draining' }, after: { status: 'ready', statusReason: null } },
  ]);
  hand.close();
});

test('an unknown worker is refused, and a report that cannot be read harms no other', async ({ world }) => {
  const { workers } = await world.start();
  await expect(workers.drain('nobody')).rejects.toThrow(RequestRefused);
  const hand = reporter(world);
  hand.beats({ ...report, slots: -1 }, { ...report, workerId: 'gpu-3' });
  await until(async () => aliveOf(await workers.list()).join() === 'gpu-3');
  expect(world.warnings.filter((sentence) => sentence.includes('gpu-1'))).toHaveLength(1);
  hand.close();
});

describe('engines', () => {
  const asking = (resources: { engine?: string; provider?: string }) => experimentSpec({ resources });
  const engines = { onnxruntime: ['cpu'], reference: ['cpu'] };

  test('that no known worker has are refused with those that there are, as are their providers', async ({ world }) => {
    const { workers, experiments } = await world.start();
    await world.readyDataset();
    const hand = reporter(world);
    hand.beats({ ...report, engines }, { ...report, workerId: 'gpu-2', engines: { onnxruntime: ['cpu', 'webgpu'] } });
    await until(async () => (await workers.list()).items.length === 2);
    expect((await workers.list()).items.find(({ id }) => id === 'gpu-1')).toMatchObject({ engines });

    const refusals = [
      [{ engine: 'tfjs' }, 'engine', { engine: 'tfjs', provider: null, known: ['onnxruntime', 'reference'] }],
      [{ engine: 'tfjs', provider: 'cuda' }, 'engine', { engine: 'tfjs', provider: null }],
      [{ provider: 'cuda' }, 'provider', { engine: 'onnxruntime', provider: 'cuda', known: ['cpu', 'webgpu'] }],
    ] as const;
    for (const [resources, key, facts] of refusals) {
      await expect(experiments.submit(asking(resources))).rejects.toMatchObject({
        kind: 'invalid-request',
        faults: [{ path: ['resources', key], code: 'engine-unavailable', facts }],
      });
    }
    for (const resources of [{}, { engine: 'reference' }, { engine: 'onnxruntime', provider: 'webgpu' }])
      expect((await experiments.submit(asking(resources))).created).toBe(true);
    hand.close();
  });

  test('are accepted while no worker is known, and wait until one has them, keeping nobody else waiting', async ({
    world,
  }) => {
    const { experiments } = await world.start();
    await world.readyDataset();
    const asked = [{ engine: 'tfjs' }, { provider: 'cuda' }];
    const submitted = await Promise.all(asked.map((resources) => experiments.submit(asking(resources))));
    const [first = '', second = ''] = submitted.map(({ experiment }) => experiment.id);

    const hand = reporter(world);
    hand.beats({ ...report, engines });
    const waits = 'Waits for a worker with the engine';
    await world.when(
      first,
      ({ message }) => message === `${waits} tfjs: those that are alive have onnxruntime, reference`,
    );
    await world.when(second, ({ message }) => message === `${waits} onnxruntime/cuda: those that are alive have cpu`);
    const other = await experiments.submit(asking({ provider: 'cpu' }));
    await until(async () => (await enqueued(world)).includes(other.experiment.id));
    expect(await enqueued(world)).toEqual([other.experiment.id]);

    hand.beats({ ...report, workerId: 'gpu-2', engines: { tfjs: ['cpu'], onnxruntime: ['cuda'] } });
    await until(async () => (await enqueued(world)).length === 3);
    hand.close();
  });

  test('of which one worker says nothing are not refused: it may have them', async ({ world }) => {
    const { workers, experiments } = await world.start();
    await world.readyDataset();
    const hand = reporter(world);
    hand.beats({ ...report, engines }, { ...report, workerId: 'of-an-older-build' });
    await until(async () => (await workers.list()).items.length === 2);
    expect((await experiments.submit(asking({ engine: 'tfjs' }))).created).toBe(true);
    hand.close();
  });
});

describe('threads', () => {
  const asking = (threads: number) => experimentSpec({ resources: { threads } });

  test('more than any known worker has are refused with the number that there is', async ({ world }) => {
    const { workers, experiments } = await world.start();
    await world.readyDataset();
    const hand = reporter(world);
    hand.beats(
      report,
      { ...report, workerId: 'gpu-2', threads: 4 },
      { ...report, workerId: 'cpu-1', kind: 'dataset', threads: 96 },
    );
    await until(async () => (await workers.list()).items.length === 3);
    await expect(experiments.submit(asking(9))).rejects.toMatchObject({
      kind: 'invalid-request',
      faults: [{ path: ['resources', 'threads'], code: 'threads-unavailable', facts: { threads: 9, most: 8 } }],
    });
    expect((await experiments.submit(asking(8))).created).toBe(true);

    // One that was seen today may come back.
    await hand.goodbye('gpu-1');
    await until(async () => !aliveOf(await workers.list()).includes('gpu-1'));
    expect((await experiments.submit(asking(8))).created).toBe(true);
    hand.close();
  });

  test('are accepted while no worker is known, and wait until one has them, keeping nobody else waiting', async ({
    world,
  }) => {
    const { experiments } = await world.start();
    await world.readyDataset();
    const { experiment } = await experiments.submit(asking(1_000));
    expect(experiment.message).toBe('Waits for a worker: none is known yet');

    const hand = reporter(world);
    hand.beats(report);
    const waits = 'Waits for a worker with 1000 threads: none that is known has more than 8';
    await world.when(experiment.id, ({ message }) => message === waits);
    const small = await experiments.submit(asking(8));
    await until(async () => (await enqueued(world)).includes(small.experiment.id));
    expect(await enqueued(world)).not.toContain(experiment.id);

    hand.beats(report, { ...report, workerId: 'gpu-2', threads: 1_024 });
    await until(async () => (await enqueued(world)).includes(experiment.id));
    await world.when(experiment.id, ({ message }) => message === null);
    hand.close();
  });
});

async function enqueued({ record }: World): Promise<string[]> {
  const rows = await record.db.selectFrom('lives').select('id').where('enqueued', '=', true).execute();
  return rows.map(({ id }) => id);
}

function aliveOf({ items }: { items: readonly { id: string; alive: boolean }[] }): string[] {
  return items.filter(({ alive }) => alive).map(({ id }) => id);
}

/** Reports in the hands of the test, as workers write them. */
function reporter(world: World) {
  const redis = new Redis(world.redis.url);
  const subscriber = new Redis(world.redis.url);
  const commands: string[] = [];
  subscriber.on('message', (_channel, text) => commands.push(text));
  void subscriber.subscribe(`${world.prefix}:commands`);
  let beating: readonly WorkerReport[] = [];
  let beat = 0;
  const timer = setInterval(() => {
    beat += 1;
    for (const one of beating)
      void redis.hset(`${world.prefix}:workers`, one.workerId, JSON.stringify({ ...one, beat }));
  }, 30);
  return {
    commands,
    beats: (...reports: readonly WorkerReport[]) => (beating = reports),
    /** Among the commands; resolves when all that were said before it have been heard. */
    async says(text: string) {
      await redis.publish(`${world.prefix}:commands`, text);
      await until(() => commands.includes(text));
    },
    async goodbye(workerId: string) {
      beating = beating.filter((one) => one.workerId !== workerId);
      await redis.hdel(`${world.prefix}:workers`, workerId);
    },
    close() {
      clearInterval(timer);
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}
