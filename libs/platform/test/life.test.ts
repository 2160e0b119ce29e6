import { DatasetSpec, type ExperimentView, ResolvedDataset } from '@longrun/contracts';
import { readHead } from '@longrun/serialization';
import { expect } from 'vitest';

import { LifeWriter } from '../src/life/writer.js';
import { until } from '../src/testing/index.js';
import { resultAt } from './scripted-worker.js';
import { experimentSpec, test } from './world.js';

test('an experiment goes from submission over a worker to its result', async ({ world }) => {
  await world.start();
  const datasetId = await world.readyDataset();
  const id = await world.submit({ name: 'first' });
  const worker = world.worker('gpu-1');

  const attempt = await worker.next();
  expect(await attempt.specification()).toMatchObject({
    id,
    spec: { params: { dims: [4, 2], batchSize: 128 } },
    version: 3,
    datasets: { train: { id: datasetId, sizeBytes: 'bytes of digits'.length } },
  });
  attempt.start().train(3);
  await attempt.commit();
  attempt.train(5);
  await attempt.succeed();

  const experiment = await world.when(id, ({ status }) => status === 'succeeded');
  expect(experiment).toMatchObject({
    name: 'first',
    reason: 'succeeded',
    result: resultAt(5),
    failures: 0,
    preemptions: 0,
    attempts: [
      { fence: 1, status: 'ended', reason: 'succeeded', workerId: 'gpu-1', startStep: 0, lastStep: 5, stepsRun: 5 },
    ],
    checkpoints: [{ step: 3, fence: 1, sizeBytes: 25 }],
  });
  expect((await world.platform.experiments.logPage(id)).items).toEqual(
    [1, 2, 3, 4, 5].map((step) => ({ step, row: { cost: 1 / step, fence: 1 } })),
  );
});

test('an attempt is told how long the earlier ones ran', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit({ limits: { wallTimeSeconds: 3_600 } });
  const worker = world.worker('gpu-1');
  const first = await worker.next();
  expect((await first.specification()).trainedMs).toBe(0);
  await first.start().train(3).end('preempted');

  const second = await worker.next();
  const [ended] = (await world.platform.experiments.get(id)).attempts;
  const ranMs = Date.parse(ended?.endedAt ?? '') - Date.parse(ended?.startedAt ?? '');
  expect((await second.specification()).trainedMs).toBe(ranMs);
  await second.start().succeed();
});

test('an attempt at a conversion is told the same', async ({ world }) => {
  await world.start();
  const spec = DatasetSpec.parse({ name: 'slow', converter: 'mnist', limits: { wallTimeSeconds: 3_600 } });
  const { id } = (await world.platform.datasets.submit(spec)).dataset;
  const worker = world.worker('preproc', 'dataset');
  const first = await worker.next();
  await until(async () => (await world.platform.datasets.get(id)).status === 'converting');
  await first.failDataset('preempted', '', false);
  await worker.next();
  const [ended] = (await world.platform.datasets.get(id)).attempts;
  const ranMs = Date.parse(ended?.endedAt ?? '') - Date.parse(ended?.startedAt ?? '');
  expect(ranMs).toBeGreaterThan(0);
  const bytes = await world.store.get(`datasets/${id}/spec.json`);
  expect(ResolvedDataset.parse(JSON.parse(Buffer.from(bytes ?? []).toString()))).toMatchObject({ spec, ranMs });
});

test('what is written off ran until it was last heard of, however long nobody was there to miss it', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit({ limits: { wallTimeSeconds: 3_600 } });
  const first = await world.worker('gpu-1').next();
  first.start().train(3);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 3);
  const onMonday = new Date(Date.now() + 62 * 3_600_000);
  await new LifeWriter(world.record).write(async (lives) => {
    (await lives.find(id))?.writeOff({ reason: 'worker_lost' }, onMonday);
  });

  const second = await world.worker('gpu-2').next();
  const { attempts } = await world.platform.experiments.get(id);
  expect(attempts[0]?.endedAt).toBe(onMonday.toISOString());
  const { trainedMs } = await second.specification();
  expect(trainedMs).toBeLessThan(3_600_000);
  const { startedAt, lastHeardAt } = await world.record.db
    .selectFrom('attempts')
    .selectAll()
    .where('id', '=', id)
    .where('fence', '=', 1)
    .executeTakeFirstOrThrow();
  expect(trainedMs).toBe(Number(lastHeardAt) - Number(startedAt));
  await second.start().succeed();
});

test('the first cost that is not finite is shown, and is void when an attempt goes back before it', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const worker = world.worker('gpu-1');
  const first = await worker.next();
  await first.start().train(3).commit();
  first.outbox.send({ type: 'non_finite', step: 5, record: 'cost', value: 'NaN' });
  first.outbox.send({ type: 'non_finite', step: 6, record: 'valid_cost', value: 'Infinity' });
  const found = { step: 5, record: 'cost', value: 'NaN' };
  await world.when(id, ({ nonFinite }) => nonFinite !== null);
  await first.train(7).end('preempted');
  expect(await world.when(id, ({ attempts }) => attempts.length === 2)).toMatchObject({ nonFinite: found });

  const second = await worker.next();
  second.start();
  await world.when(id, ({ nonFinite }) => nonFinite === null);
  second.train(5);
  second.outbox.send({ type: 'non_finite', step: 5, record: 'cost', value: 'NaN' });
  await second.commit();
  await second.end('preempted');

  const third = await worker.next();
  await third.start().train(6).succeed();
  expect(await world.when(id, ({ status }) => status === 'succeeded')).toMatchObject({ nonFinite: found });
});

test('a preempted experiment goes on before those that were submitted after it, and no failure is counted', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const first = await world.submit();
  const second = await world.submit();
  const urgent = await world.submit({ priority: 5 });
  for (const id of [first, second, urgent]) await world.when(id, ({ attempts }) => attempts.length === 1);
  const worker = world.worker('gpu-1');

  const order: string[] = [];
  let attempt = await worker.next();
  order.push(attempt.ticket.id);
  await attempt.start().train(1).succeed();
  attempt = await worker.next();
  order.push(attempt.ticket.id);
  attempt.start().train(10);
  await attempt.commit();
  await attempt.end('preempted');
  attempt = await worker.next();
  order.push(attempt.ticket.id);
  expect(attempt.ticket.fence).toBe(2);
  attempt.start();
  expect(attempt.step).toBe(10);
  await attempt.train(12).succeed();
  attempt = await worker.next();
  order.push(attempt.ticket.id);

  expect(order).toEqual([urgent, first, first, second]);
  const experiment = await world.when(first, ({ status }) => status === 'succeeded');
  expect(experiment).toMatchObject({ failures: 0, preemptions: 1 });
  expect(experiment.attempts.map(({ reason, stepsRun }) => [reason, stepsRun])).toEqual([
    ['preempted', 10],
    ['succeeded', 2],
  ]);
});

test('jobs are taken by priority, then by the time of submission', async ({ world }) => {
  await world.start();
  const { dataset } = await world.platform.datasets.submit(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }));
  const priorities = [0, 5, 0, -5, 5];
  const ids: string[] = [];
  for (const priority of priorities) ids.push(await world.submit({ priority }));
  const preproc = world.worker('preproc', 'dataset');
  await (await preproc.next()).publish(Buffer.from('digits'));
  await until(async () => (await world.platform.datasets.get(dataset.id)).status === 'ready');
  for (const id of ids) await world.when(id, ({ attempts }) => attempts.length === 1);

  const worker = world.worker('gpu-1');
  const order: number[] = [];
  for (const _ of ids) {
    const attempt = await worker.next();
    order.push(ids.indexOf(attempt.ticket.id));
    await attempt.start().succeed();
  }
  expect(order).toEqual([1, 4, 0, 2, 3]);
});

test('failures are tried again after a pause that doubles, until the budget is spent', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit({ retry: { maxFailures: 2, backoffMs: 150 } });
  const worker = world.worker('gpu-1');

  const pauses: number[] = [];
  for (let round = 1; round <= 3; round += 1) {
    const attempt = await worker.next();
    attempt.start().train(round);
    const before = performance.now();
    await attempt.end('program_error', { message: `boom ${round}` });
    if (round === 3) break;
    const experiment = await world.when(id, ({ failures }) => failures === round);
    expect(experiment).toMatchObject({ status: 'queued', message: `boom ${round}` });
    await world.when(id, ({ attempts }) => attempts.length === round + 1);
    pauses.push(performance.now() - before);
  }
  const experiment = await world.when(id, ({ status }) => status === 'failed');
  expect(experiment).toMatchObject({ reason: 'program_error', failures: 3, preemptions: 0 });
  expect(experiment.message).toBe('3 attempts failed, and retry.maxFailures is 2: boom 3');
  expect(pauses[0]).toBeGreaterThanOrEqual(150);
  expect(pauses[1]).toBeGreaterThanOrEqual(300);
  expect(await outcomeOf(world, id)).toMatchObject({ reason: 'program_error' });
});

test('a reason that no retry can mend ends the experiment at once, whatever its budget', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit({ retry: { maxFailures: 10 } });
  const attempt = await world.worker('gpu-1').next();
  await attempt.lease.end({ reason: 'invalid_params', step: 0, message: 'dims is too short' });
  await attempt.end('invalid_params', { message: 'dims is too short' });
  const experiment = await world.when(id, ({ status }) => status === 'failed');
  expect(experiment).toMatchObject({ reason: 'invalid_params', message: 'dims is too short', failures: 1 });
  expect(experiment.attempts).toHaveLength(1);
});

test('an experiment waits for its dataset, and says so', async ({ world }) => {
  await world.start();
  const { dataset } = await world.platform.datasets.submit(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }));
  const id = await world.submit();
  const preproc = world.worker('preproc', 'dataset');
  const conversion = await preproc.next();
  conversion.outbox.send({
    type: 'dataset_progress',
    phase: 'converting',
    what: 'features',
    done: 3,
    total: 10,
    unit: 'examples',
  });
  await until(async () => (await world.platform.datasets.get('digits')).progress?.done === 3);
  expect(await world.platform.datasets.get(dataset.id)).toMatchObject({ status: 'converting' });
  expect(await world.platform.experiments.get(id)).toMatchObject({
    status: 'queued',
    message: 'Waits for dataset digits',
    attempts: [],
  });
  await conversion.publish(Buffer.from('digits'));
  const experiment = await world.when(id, ({ attempts }) => attempts.length === 1);
  expect(experiment.message).toBe('Waits for a worker: none is known yet');
});

test('experiments that wait for a dataset fail when it fails; its name is free again and nothing is left of it', async ({
  world,
}) => {
  await world.start();
  const spec = DatasetSpec.parse({ name: 'digits', converter: 'mnist', source: { folder: 'mnist' } });
  const { dataset } = await world.platform.datasets.submit(spec);
  const waiting = await world.submit();
  const preproc = world.worker('preproc', 'dataset');
  await (await preproc.next()).failDataset('dataset_corrupt', 'train-images.gz: the magic number is 7', true);

  const experiment: ExperimentView = await world.when(waiting, ({ status }) => status === 'failed');
  expect(experiment).toMatchObject({ reason: 'dataset_unavailable', attempts: [] });
  expect(experiment.message).toContain('train-images.gz: the magic number is 7');
  expect(await world.platform.datasets.get(dataset.id)).toMatchObject({
    status: 'failed',
    reason: 'dataset_corrupt',
    message: 'train-images.gz: the magic number is 7',
    result: null,
  });
  await expect(world.platform.experiments.submit(experimentSpec())).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [
      {
        path: ['dataset'],
        code: 'dataset-failed',
        facts: { dataset: 'digits', message: 'train-images.gz: the magic number is 7' },
      },
    ],
  });
  const again = await world.platform.datasets.submit(spec);
  expect(again).toMatchObject({ created: true });
  expect(again.dataset.id).not.toBe(dataset.id);
});

test('a conversion that may be tried again is', async ({ world }) => {
  await world.start({ datasetRetry: { maxFailures: 1, backoffMs: 1, maxPreemptions: null, maxLosses: 3 } });
  await world.platform.datasets.submit(DatasetSpec.parse({ name: 'digits', converter: 'mnist' }));
  const preproc = world.worker('preproc', 'dataset');
  await (await preproc.next()).failDataset('storage_error', 'disk full', false);
  const second = await preproc.next();
  expect(second.ticket.fence).toBe(2);
  await second.failDataset('storage_error', 'disk still full', false);
  await until(async () => {
    const page = await world.platform.datasets.list();
    return page.items[0]?.status === 'failed';
  });
  const page = await world.platform.datasets.list();
  expect(page.items[0]).toMatchObject({ reason: 'storage_error', message: expect.stringContaining('disk still full') });
});

async function outcomeOf(world: { store: Parameters<typeof readHead>[0] }, id: string): Promise<unknown> {
  return (await readHead(world.store, `experiments/${id}`))?.outcome;
}
