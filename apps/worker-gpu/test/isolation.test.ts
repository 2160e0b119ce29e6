import { spawnSync } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ExperimentSpecInput } from '@longrun/contracts';
import { isRunning, type ProcessUnderTest } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

// A busy machine takes long to start processes.
const isRoot = process.geteuid?.() === 0;
const mayMount = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;
/** Shows a folder at another place too, to a command alone. */
const BIND = 'mount --bind "$0" "$1"; shift; exec "$@"';
const checkout = fileURLToPath(new URL('../../..', import.meta.url));

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterEach(async () => {
  await world.endProcesses();
});

afterAll(async () => {
  await world.end();
});

/** What a hostile program tells after a word, once it has ended. */
async function told(
  word: string,
  params: ExperimentSpecInput['params'],
  spec: Partial<ExperimentSpecInput> = {},
): Promise<unknown> {
  const id = await world.submit(params, { program: 'hostile', retry: { maxFailures: 0 }, ...spec });
  expect(await world.whenEnded(id)).toMatchObject({ status: 'failed', reason: 'invalid_params' });
  for (const event of await world.events(id))
    if (event.type === 'line' && event.data.text.startsWith(word))
      return JSON.parse(event.data.text.slice(word.length));
  throw new Error(`It did not say ${word}`);
}

test('what a program has started is gone before the end of its attempt is told', async () => {
  await world.worker();
  const sons = await told('forked: ', { act: 'fork' });
  expect(sons).toHaveLength(5);
  expect((Array.isArray(sons) ? sons : []).map(Number).filter(isRunning)).toEqual([]);
});

test.runIf(isRoot)(
  '(needs root) what escapes from a program is gone too, for the next one is the same user',
  async () => {
    await world.worker();
    const escaped = await told('escaped: ', { act: 'escape' });
    expect(escaped).toHaveLength(5);
    expect((Array.isArray(escaped) ? escaped : []).map(Number).filter(isRunning)).toEqual([]);
  },
);

test('a program finds its secrets in its environment, and nothing that is kept of it has them', async () => {
  await world.worker();
  const environment = { PLAIN: 'for everybody' };
  const secrets = ['SECRET_OF_TEST'];
  const spec = { program: 'hostile', retry: { maxFailures: 0 }, environment, secrets };
  const without = await world.whenEnded(await world.submit({ act: 'tell' }, spec));
  expect(without).toMatchObject({ status: 'failed', reason: 'secret_unavailable' });
  expect(without.message).toMatch(
    /^The worker has no secret SECRET_OF_TEST: there is no file .*longrun secret set SECRET_OF_TEST/,
  );

  const folder = join(world.folder, 'state', 'secrets');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'SECRET_OF_TEST'), 'correct horse battery\n', { mode: 0o600 });
  expect(await told('told: ', { act: 'tell' }, { environment, secrets })).toEqual({
    plain: 'for everybody',
    length: 21,
    secret: '***',
  });
  const { items } = await world.platform.experiments.list({ limit: 1 });
  const ended = await world.platform.experiments.get(items[0]?.id ?? '');
  expect(ended).toMatchObject({
    reason: 'invalid_params',
    message: expect.stringContaining('it was told ***') as string,
  });
  const loud = await world.whenEnded(await world.submit({ act: 'shout' }, { ...spec, secrets }));
  expect(loud).toMatchObject({
    reason: 'program_error',
    message: expect.stringMatching(/exit code was 3\.\n-+\n?-*\*/),
  });
  expect(spawnSync('grep', ['-rl', 'correct horse', world.folder], { encoding: 'utf8' }).stdout).toBe(
    `${join(folder, 'SECRET_OF_TEST')}\n`,
  );
});

test('a program that takes more memory than it may ends as out_of_memory, with the numbers', async () => {
  const worker = await world.worker();
  const limits = { memoryBytes: 512 * 2 ** 20 };
  const id = await world.submit({ act: 'eat' }, { program: 'hostile', retry: { maxFailures: 0 }, limits });
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'out_of_memory' });
  expect(ended.message).toMatch(/took \d+ MiB of memory, and may take 512 MiB/);
  expect(ended.attempts[0]?.peakMemoryBytes).toBeGreaterThan(limits.memoryBytes);
  expect(isRunning(worker.pid)).toBe(true);
});

test.runIf(mayMount)(
  '(needs root and mounts) with the checkout in a closed home, programs train, and see nothing of the worker',
  async () => {
    // The real build, seen at a place that only root can reach, as below /root.
    const home = join(world.folder, 'root');
    await mkdir(join(home, 'longrun'), { recursive: true, mode: 0o700 });
    const state = join(world.folder, 'state');
    await mkdir(state, { recursive: true, mode: 0o700 });
    await writeFile(join(state, 'token'), 'the token of the worker', { mode: 0o600 });
    const worker = await world.newWorker(
      {},
      {
        script: join(home, 'longrun', 'apps', 'worker-gpu', 'dist', 'bundle', 'main.js'),
        before: ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', BIND, checkout, join(home, 'longrun')],
      },
    );
    const uid = 1_900_000_000 + worker.pid;
    expect(worker.output).toContain(`worker-gpu: children run as user ${uid}`);

    expect(await told('looked: ', { act: 'look', state })).toEqual({
      user: uid,
      token: 'ENOENT',
      objects: 'ENOENT',
      dataset: true,
      damage: expect.stringMatching(/EROFS|EACCES/) as unknown,
      cache: 'EROFS',
      parent: 'EACCES',
    });
    const id = await world.submit({ epochs: 1 });
    expect(await world.whenEnded(id)).toMatchObject({ status: 'succeeded' });
  },
);

test('a worker that is not root says that programs are trusted, and its environment tells no secret', async () => {
  const folder = join(world.folder, 'ordinary');
  await mkdir(folder);
  let before: readonly string[] = [];
  if (isRoot) {
    before = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    await chown(folder, 65_534, 65_534);
    // The way there is closed to it else.
    await chown(world.folder, 65_534, 65_534);
  }
  const environment = {
    LONGRUN_STATE: join(folder, 'state'),
    LONGRUN_OBJECTS: pathToFileURL(join(folder, 'objects')).href,
  };
  const worker: ProcessUnderTest = await world.newWorker(environment, { before });
  expect(worker.output).toContain('programs are trusted as it is: only root can give them another one');
  const seen = await readFile(`/proc/${worker.pid}/environ`, 'utf8').catch(() => '');
  expect(seen).not.toContain(world.redis.url);
  expect(seen).not.toContain(folder);
});
