import { copyFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DatasetOutcome, type DatasetSpecInput, type DatasetView, ExperimentSpec } from '@longrun/contracts';
import { denseIn, H5Dataset, mnist } from '@longrun/fuel';
import { isRunning, type ProcessUnderTest, publishModule, RedisServer, until } from '@longrun/platform/testing';
import { hashFile, readHead } from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { idx, writeIdxFiles } from './idx.js';
import { CHECKOUT, World } from './world.js';

let world: World;

beforeAll(async () => {
  // Of one that is killed as soon as it is there its silence tells, not its closed connection.
  world = await World.begin({ workerLostAfterMs: 15_000 });
  await writeIdxFiles(join(world.rawFolder, 'sound'));
});

afterEach(async () => {
  await world.store.delete(await world.published());
});

afterAll(async () => {
  await world.end();
});

test('raw files become a published dataset that says what is in it', async () => {
  await world.worker();
  const id = await world.submit('digits', 'sound');
  const { status, result, attempts } = await world.whenEnded(id);

  expect(status).toBe('ready');
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['succeeded']);
  expect(attempts[0]?.peakMemoryBytes).toBeGreaterThan(30e6);
  expect(await world.published()).toEqual([result?.fileKey]);
  const dense = { dtype: 'uint8', ragged: false };
  expect(result?.description).toEqual({
    sources: [
      { ...dense, name: 'features', shape: [28, 1, 4, 4], axisLabels: ['batch', 'channel', 'height', 'width'] },
      { ...dense, name: 'targets', shape: [28, 1], axisLabels: ['batch', 'index'] },
    ],
    splits: { train: 20, test: 8 },
    attributes: expect.objectContaining({ converter: 'mnist', converterVersion: 1 }) as unknown,
  });
  const path = join(world.folder, 'published.hdf5');
  const file = await world.store.download(result?.fileKey ?? '', path);
  expect(file).toEqual({ sha256: result?.sha256, sizeBytes: result?.sizeBytes });
  const held = await H5Dataset.open(path, { whichSets: ['test'] });
  const { columns } = await held.getData({ start: 0, stop: 8 });
  expect([...denseIn(columns, 'targets').data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(denseIn(columns, 'features').data[17]).toBe(17);
  await held.close();
  await world.whenNothingIsLeft();
});

test('a dataset that is submitted again is converted where its raw files are others, and else stays, through the death of the worker that looks', async () => {
  await publishModule(world.platform, 'mlp', 'the module of mlp');
  const folder = join(world.rawFolder, 'changing');
  await writeIdxFiles(folder);
  const worker = await world.worker();
  const submit = async (): Promise<string> => await world.submit('changing', 'changing');
  const experiment = async (): Promise<string> =>
    (await world.platform.experiments.submit(ExperimentSpec.parse({ program: 'mlp', dataset: 'changing' }))).experiment
      .id;
  const first = await world.whenEnded(await submit());
  expect(first.result?.identity).toEqual({
    converter: 'mnist',
    converterVersion: 1,
    params: {},
    inputs: await Promise.all(mnist.requiredFiles({}).map(async ({ name }) => await seen(folder, name))),
  });
  expect(first.result?.identity?.inputs).toHaveLength(4);

  const look = await submit();
  const waits = await experiment();
  const converter = await heldConverter(worker);
  await world.whenDataset(look, ({ status }) => status === 'converting');
  worker.signal('SIGKILL');
  process.kill(converter, 'SIGKILL');
  expect(await worker.exited).toBe('SIGKILL');
  await world.worker();
  const same = await world.whenEnded(look);
  expect(same).toMatchObject({ status: 'ready', current: false, predecessor: { id: first.id, sameContent: true } });
  expect(same.result).toEqual({ ...first.result, sameAs: first.id });
  expect(same.attempts.map(({ reason }) => reason)).toEqual(['worker_lost', 'succeeded']);
  expect(await world.platform.datasets.get('changing')).toEqual(first);
  expect(await world.published()).toEqual([first.result?.fileKey]);
  await world.when(waits, ({ datasets, attempts }) => datasets['train'] === first.id && attempts.length === 1);

  const labels = join(folder, 'train-labels-idx1-ubyte.gz');
  await writeFile(labels, gzipSync(idx([20], new Uint8Array(20).fill(3))));
  const changed = await submit();
  const onChanged = await experiment();
  const second = await world.whenEnded(changed);
  expect(second).toMatchObject({ current: true, predecessor: { id: first.id, sameContent: false } });
  const run = await world.when(onChanged, ({ attempts }) => attempts.length === 1);
  expect(run.datasets).toEqual({ train: changed });
  expect(await world.platform.datasets.get(first.id)).toMatchObject({ status: 'ready', current: false });

  await rm(labels);
  const lacking = await world.whenEnded(await submit());
  expect(lacking).toMatchObject({ status: 'failed', reason: 'dataset_unavailable', current: false });
  expect(lacking.message).toContain(`these files are missing: ${labels}`);
  expect(await world.platform.datasets.get('changing')).toMatchObject({ id: changed, current: true });

  await writeFile(labels, gzipSync(idx([20], new Uint8Array(20).fill(3))));
  const { dataset } = await world.platform.datasets.rebuild('changing');
  const rebuilt = await world.whenEnded(dataset.id);
  expect(rebuilt).toMatchObject({ current: true, predecessor: { id: changed, sameContent: true } });
  expect(rebuilt.result).toMatchObject({ identity: second.result?.identity, sameAs: null });
});

test('params say which of its files a converter reads, and are part of what the dataset is', async () => {
  const name = 'caltech101_silhouettes_16_split1.mat';
  await mkdir(join(world.rawFolder, 'outlines'));
  await copyFile(join(CHECKOUT, 'libs/fuel/test/goldens/silhouettes-16.mat'), join(world.rawFolder, 'outlines', name));
  await world.worker();
  const ask = async (params: DatasetSpecInput['params'], called = 'outlines'): Promise<DatasetView> =>
    await world.whenEnded(
      await world.ask({ name: called, converter: 'caltech101_silhouettes', params, source: { folder: 'outlines' } }),
    );

  const made = await ask({ size: 16 });
  expect(made.result?.identity).toMatchObject({ params: { size: 16 }, inputs: [{ name }] });
  expect(made.result?.description).toMatchObject({
    splits: { train: 3, valid: 2, test: 1 },
    attributes: { params: { size: 16 } },
  });
  expect((await ask({ size: 16 })).result).toEqual({ ...made.result, sameAs: made.id });
  // An API of another version may let them pass.
  expect(await ask({ size: 20 }, 'odd')).toMatchObject({
    reason: 'invalid_params',
    message: expect.stringMatching(/of this worker refuses its params: .*20.* Give one of 16, 28\./) as unknown,
  });
});

async function seen(folder: string, name: string): Promise<{ name: string; sizeBytes: number; sha256: string }> {
  return { name, ...(await hashFile(join(folder, name))) };
}

test.each([
  ['cut', 'train-images-idx3-ubyte.gz', async (path: string) => await truncate(path, 40)],
  ['garbage', 't10k-images-idx3-ubyte.gz', async (path: string) => await writeFile(path, 'not gzip at all')],
  [
    'short',
    't10k-labels-idx1-ubyte.gz',
    async (path: string) => await writeFile(path, gzipSync(gunzipSync(await readFile(path)).subarray(0, -1))),
  ],
  [
    'label',
    'train-labels-idx1-ubyte.gz',
    async (path: string) => await writeFile(path, gzipSync(idx([20], new Uint8Array(20).fill(12)))),
  ],
])('a corrupt raw file (%s) fails the dataset with its name, and nothing is half made', async (how, name, damage) => {
  const folder = join(world.rawFolder, how);
  await writeIdxFiles(folder);
  await damage(join(folder, name));
  await world.worker();
  const id = await world.submit(`bad-${how}`, how);
  const { status, reason, message, result, attempts } = await world.whenEnded(id);

  expect({ status, reason, result }).toEqual({ status: 'failed', reason: 'dataset_corrupt', result: null });
  expect(message).toContain(join(folder, name));
  expect(attempts).toHaveLength(1);
  expect(await world.published()).toEqual([]);
  await world.whenNothingIsLeft();
  const head = await readHead(world.store, `datasets/${id}`);
  expect(DatasetOutcome.parse(head?.outcome)).toMatchObject({ reason: 'dataset_corrupt', message });
});

test('missing raw files and an unknown converter are said, with what there is', async () => {
  await world.worker();
  const missing = await world.whenEnded(await world.submit('nowhere', 'nowhere'));
  expect(missing).toMatchObject({ status: 'failed', reason: 'dataset_unavailable' });
  expect(missing.message).toContain(join(world.rawFolder, 'nowhere', 'train-images-idx3-ubyte.gz'));
  const unknown = await world.whenEnded(await world.submit('odd', 'sound', 'mnits'));
  expect(unknown).toMatchObject({ status: 'failed', reason: 'invalid_params' });
  expect(unknown.message).toContain(
    'this worker has adult, binarized_mnist, caltech101_silhouettes, cifar10, cifar100, fashion-mnist, iris, mnist, text',
  );
});

/** The converter process, held where it is, so that it cannot finish before the fault. */
async function heldConverter(worker: ProcessUnderTest): Promise<number> {
  const pid = await worker.child();
  process.kill(pid, 'SIGSTOP');
  return pid;
}

test('SIGTERM gives a conversion back, and the next worker makes the dataset', async () => {
  const worker = await world.worker();
  const id = await world.submit('given-back', 'sound');
  const converter = await heldConverter(worker);
  worker.signal('SIGTERM');
  expect(await worker.exited).toBe(0);
  expect(isRunning(converter)).toBe(false);
  expect(await world.published()).toEqual([]);
  await world.whenNothingIsLeft();

  await world.worker();
  const { status, attempts } = await world.whenEnded(id);
  expect(status).toBe('ready');
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['preempted', 'succeeded']);
});

test('a conversion that is cancelled is given up, and its worker goes on with the next', async () => {
  const worker = await world.worker();
  const id = await world.submit('unwanted', 'sound');
  const converter = await heldConverter(worker);
  await world.whenDataset(id, ({ status }) => status === 'converting');
  expect(await world.platform.datasets.cancel('unwanted')).toMatchObject({ id, cancelRequested: true });
  const { status, reason, attempts } = await world.whenEnded(id);
  expect({ status, reason, ends: attempts.map((attempt) => attempt.reason) }).toEqual({
    status: 'failed',
    reason: 'cancelled',
    ends: ['cancelled'],
  });
  expect(isRunning(converter)).toBe(false);
  await world.whenNothingIsLeft();
  expect((await world.whenEnded(await world.submit('wanted', 'sound'))).status).toBe('ready');
});

test('when the worker is killed its converter leaves, and the next worker cleans up and makes the dataset', async () => {
  const worker = await world.worker();
  const id = await world.submit('lost', 'sound');
  const converter = await heldConverter(worker);
  await world.whenDataset(id, ({ status }) => status === 'converting');
  worker.signal('SIGKILL');
  expect(await worker.exited).toBe('SIGKILL');
  expect(isRunning(converter)).toBe(true);
  process.kill(converter, 'SIGCONT');
  await until(() => !isRunning(converter));

  await world.worker();
  const { status, attempts } = await world.whenEnded(id);
  expect(status).toBe('ready');
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['worker_lost', 'succeeded']);
  await world.whenNothingIsLeft();
});

test('raw files that kill every worker fail their dataset after 4 of them, and no other', async () => {
  const id = await world.submit('poison', 'sound');
  for (let losses = 1; losses <= 4; losses += 1) {
    const worker = await world.worker();
    const converter = await heldConverter(worker);
    await world.whenDataset(id, ({ attempts }) => attempts[losses - 1]?.status === 'running');
    worker.signal('SIGKILL');
    process.kill(converter, 'SIGKILL');
    await world.whenDataset(id, ({ attempts }) => attempts[losses - 1]?.status === 'ended');
  }
  const { status, reason, message, attempts } = await world.whenEnded(id);
  expect({ status, reason }).toEqual({ status: 'failed', reason: 'worker_lost' });
  expect(message).toMatch(/lost 4 times in a row .* retry\.maxLosses is 3/);
  expect(attempts).toHaveLength(4);
  await world.worker();
  expect((await world.whenEnded(await world.submit('innocent', 'sound'))).status).toBe('ready');
});

test('when the converter dies its worker lives and tries again', async () => {
  const worker = await world.worker();
  const id = await world.submit('converter-died', 'sound');
  process.kill(await heldConverter(worker), 'SIGKILL');
  const { status, attempts } = await world.whenEnded(id);
  expect(status).toBe('ready');
  expect(attempts.map((attempt) => attempt.reason)).toEqual(['trainer_killed', 'succeeded']);
  expect(attempts[1]?.workerId).toBe(attempts[0]?.workerId);
});

test('two datasets with the same bytes have a file each, which one of them may lose', async () => {
  await world.worker();
  const first = await world.whenEnded(await world.submit('first', 'sound'));
  const second = await world.whenEnded(await world.submit('second', 'sound'));
  expect(second.result?.sha256).toBe(first.result?.sha256);
  await world.platform.datasets.delete('first');
  await until(async () => (await world.published()).length === 1);
  expect(await world.published()).toEqual([second.result?.fileKey]);
});

test('a worker does not start on a Redis that evicts or refuses writes, and says what to do', async () => {
  const evicting = await RedisServer.start(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']);
  const replica = await RedisServer.start(['--replicaof', `127.0.0.1 ${world.redis.port}`]);
  const onEvicting = world.unreadyWorker({ REDIS_URL: evicting.url });
  const onReplica = world.unreadyWorker({ REDIS_URL: replica.url });
  const unlabelled = world.unreadyWorker({ LONGRUN_LABELS: 'gpu' });
  expect(await onEvicting.exited).toBe(1);
  expect(onEvicting.output).toContain('maxmemory-policy allkeys-lru');
  expect(onEvicting.output).toContain('set it to noeviction');
  expect(await onReplica.exited).toBe(1);
  expect(onReplica.output).toContain('It is a replica: set REDIS_URL to its primary.');
  expect(await unlabelled.exited).toBe(1);
  expect(unlabelled.output).toContain('LONGRUN_LABELS: give names and values');
  await evicting.stop();
  await replica.stop();
});

test('an idle worker stops at once', async () => {
  const worker = await world.worker();
  worker.signal('SIGINT');
  expect(await worker.exited).toBe(0);
  expect(worker.lines.at(-1)).toBe('fuel-preproc: stopped');
});
