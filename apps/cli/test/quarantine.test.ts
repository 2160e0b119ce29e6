import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { CommandLine } from './command-line.js';
import { LONG_ENOUGH_MS, Services } from './services.js';

let services: Services;

beforeAll(async () => {
  services = await Services.begin({});
});
afterAll(() => services.end());

test('a worker in quarantine is listed with its reason, and released by its id', async () => {
  // No folder can be made below a file.
  const cache = join(services.folder, 'cache');
  await rm(cache, { recursive: true, force: true });
  await mkdir(cache);
  await writeFile(join(cache, 'datasets'), '');
  await services.startApi();
  const worker = services.start('worker-gpu', { LONGRUN_CHECK_AGAIN_MS: '3600000' });
  const client = await services.connect();
  const seen = async () =>
    (await client.workers.list()).items.find(({ kind, alive }) => kind === 'experiment' && alive);
  await until(
    async () => (await seen())?.status === 'quarantined',
    () => worker.output,
    LONG_ENOUGH_MS,
  );
  const id = (await seen())?.id ?? '';
  const longrun = new CommandLine(services.folder);
  expect((await longrun.run('workers')).stdout).toMatch(new RegExp(`^${id} .*quarantined \\(.*datasets`, 'm'));

  await rm(join(cache, 'datasets'));
  const released = await longrun.run('workers', 'release', id);
  expect(released).toMatchObject({ code: 0, stderr: '' });
  expect(released.stdout).toMatch(new RegExp(`^${id} `));
  await until(
    async () => (await seen())?.status === 'ready',
    () => worker.output,
    LONG_ENOUGH_MS,
  );
  expect((await longrun.run('workers')).stdout).toMatch(new RegExp(`^${id} .* ready `, 'm'));
});
