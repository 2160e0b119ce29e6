import { DatasetSpec } from '@longrun/contracts';
import { expect } from 'vitest';

import { experimentSpec, test, type World } from './world.js';

const byRole = { train: 'digits', valid: 'letters' };

test('an experiment waits until all its datasets are ready, and its worker is told of each by its role', async ({
  world,
}) => {
  await world.start();
  const [digits = '', letters = ''] = await submitted(world, 'digits', 'letters');
  const id = await world.submit({ datasets: byRole });
  const preproc = world.worker('preproc', 'dataset');
  expect(await world.platform.experiments.get(id)).toMatchObject({
    spec: { datasets: byRole },
    datasets: { train: digits, valid: letters },
    owner: 'default',
    project: 'default',
    message: 'Waits for datasets digits, letters',
  });

  await (await preproc.next()).publish(Buffer.from('bytes of digits'));
  await world.when(id, ({ message }) => message === 'Waits for dataset letters');
  // One with the first alone, submitted later, shows that the scheduler has looked.
  const other = await world.submit();
  await world.when(other, ({ attempts }) => attempts.length === 1);
  expect((await world.platform.experiments.get(id)).attempts).toEqual([]);
  // It was not even tried.
  expect(world.warnings).toEqual([]);

  await (await preproc.next()).publish(Buffer.from('the bytes of letters'));
  await world.when(
    id,
    ({ attempts, message }) => attempts.length === 1 && message === 'Waits for a worker: none is known yet',
  );
  // It has kept its place before the other.
  expect(await (await world.worker('gpu-1').next()).specification()).toMatchObject({
    version: 3,
    id,
    datasets: {
      train: { id: digits, sizeBytes: 'bytes of digits'.length },
      valid: { id: letters, sizeBytes: 'the bytes of letters'.length },
    },
  });
});

test('an experiment fails when one of its datasets fails, whichever it is, and the dataset is named', async ({
  world,
}) => {
  await world.start();
  const [, letters] = await submitted(world, 'digits', 'letters');
  const id = await world.submit({ datasets: byRole });
  const unconcerned = await world.submit();
  const preproc = world.worker('preproc', 'dataset');
  await (await preproc.next()).publish(Buffer.from('bytes of digits'));
  await (await preproc.next()).failDataset('dataset_corrupt', 'train-images.gz: the magic number is 7', true);

  const failed = await world.when(id, ({ status }) => status === 'failed');
  expect(failed).toMatchObject({
    reason: 'dataset_unavailable',
    message: 'Dataset letters failed (dataset_corrupt): train-images.gz: the magic number is 7',
    datasets: { valid: letters },
    attempts: [],
  });
  await world.when(unconcerned, ({ attempts }) => attempts.length === 1);
});

test('an experiment whose program reads no dataset waits for none', async ({ world }) => {
  await world.start();
  const id = await world.submit({ datasets: {} });
  expect(await world.platform.experiments.get(id)).toMatchObject({ spec: { datasets: {} }, datasets: {} });

  await world.when(id, ({ attempts }) => attempts.length === 1);
  expect(await (await world.worker('gpu-1').next()).specification()).toMatchObject({ id, datasets: {} });
});

test('what is wrong with a dataset is said at its role', async ({ world }) => {
  const { experiments } = await world.start();
  await submitted(world, 'digits', 'letters');
  const spec = experimentSpec({ datasets: { train: 'digits', valid: 'leters', test: 'ds_none' }, program: 'mpl' });
  await expect(experiments.submit(spec)).rejects.toMatchObject({
    kind: 'invalid-request',
    faults: [
      { path: ['program'], code: 'name-unknown' },
      { path: ['datasets', 'valid'], code: 'name-unknown', facts: { name: 'leters', near: ['letters', 'digits'] } },
      { path: ['datasets', 'test'], code: 'name-unknown', facts: { name: 'ds_none' } },
    ],
  });
  expect((await experiments.list()).items).toEqual([]);
});

test('a list has each experiment once, however many datasets it has, and one dataset may have several roles', async ({
  world,
}) => {
  const { experiments } = await world.start();
  const [digits = '', letters] = await submitted(world, 'digits', 'letters');
  const one = await world.submit();
  const two = await world.submit({ datasets: byRole });
  const twice = await world.submit({ datasets: { train: 'digits', valid: digits } });
  const { items } = await experiments.list();
  const ofDigits = { id: digits, name: 'digits' };
  const ofLetters = { id: letters, name: 'letters' };
  expect(items.map(({ id, datasets, message }) => ({ id, datasets, message }))).toEqual([
    { id: twice, datasets: { train: ofDigits, valid: ofDigits }, message: 'Waits for dataset digits' },
    { id: two, datasets: { train: ofDigits, valid: ofLetters }, message: 'Waits for datasets digits, letters' },
    { id: one, datasets: { train: ofDigits }, message: 'Waits for dataset digits' },
  ]);
  const first = await experiments.list({ limit: 2 });
  const second = await experiments.list({ cursor: first.nextCursor ?? undefined });
  expect([...first.items, ...second.items]).toEqual(items);
});

async function submitted(world: World, ...names: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) {
    const { dataset } = await world.platform.datasets.submit(DatasetSpec.parse({ name, converter: 'mnist' }));
    ids.push(dataset.id);
  }
  return ids;
}
