import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { DatasetSpec } from '@longrun/contracts';
import { expect } from 'vitest';

import { until } from '../src/testing/index.js';
import { test } from './world.js';

test('one that cannot be put into the queue is said once, keeps nobody waiting, and follows when it can be', async ({
  world,
}) => {
  await world.start();
  await world.platform.datasets.submit(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }));
  const first = await world.submit({ priority: 1 });
  const second = await world.submit();
  // A file stands where the folder of the first one is to be.
  const folder = join(fileURLToPath(world.store.url), 'experiments', first);
  await mkdir(dirname(folder), { recursive: true });
  await writeFile(folder, 'in the way');
  const conversion = await world.worker('preproc', 'dataset').next();
  await conversion.publish(Buffer.from('bytes'));

  const gpu = world.worker('gpu-1');
  const attempt = await gpu.next();
  expect(attempt.ticket.id).toBe(second);
  await attempt.start().train(3).succeed();
  await world.when(second, ({ status }) => status === 'succeeded');
  const said = (): string[] => world.warnings.filter((sentence) => sentence.includes('cannot be put into the queue'));
  expect(said()).toEqual([expect.stringContaining(first)]);
  expect(said()[0]).toContain('goes through another object');
  expect(await world.platform.experiments.get(first)).toMatchObject({ status: 'queued', attempts: [] });

  await rm(folder);
  const late = await gpu.next();
  expect(late.ticket).toEqual({ id: first, fence: 1 });
  await late.start().train(3).succeed();
  await world.when(first, ({ status }) => status === 'succeeded');
  expect(said()).toHaveLength(1);
});

test('what is submitted is in the queue at once, however long the next look is away', async ({ world }) => {
  await world.start({ timings: { heartbeatMs: 50, workerLostAfterMs: 20_000, reconcileEveryMs: 3_600_000 } });
  await world.readyDataset();
  const gpu = world.worker('gpu-1');
  for (const claims of [1, 2]) {
    const id = await world.submit();
    await until(() => gpu.claims === claims);
    const attempt = await gpu.next();
    expect(attempt.ticket).toEqual({ id, fence: 1 });
    await attempt.start().train(3).succeed();
    await world.when(id, ({ status }) => status === 'succeeded');
  }
});
