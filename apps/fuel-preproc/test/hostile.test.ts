import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatasetView } from '@longrun/contracts';
import { isRunning } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalWorker, World } from './world.js';

const isRoot = process.geteuid?.() === 0;

let world: World;
let worker: LocalWorker;
let victim: string;

beforeAll(async () => {
  world = await World.begin();
  victim = join(world.rawFolder, 'victim', 'keep');
  await mkdir(join(world.rawFolder, 'victim'), { recursive: true });
  await writeFile(victim, 'it is');
  worker = await world.localWorker({
    workerId: 'victim',
    converterScript: fileURLToPath(new URL('children/hostile.js', import.meta.url)),
    memoryLimitBytes: 512 * 2 ** 20,
  });
});

afterAll(async () => {
  await worker.stop();
  await world.end();
});

/** What became of a dataset whose converter does this. */
async function afterAct(act: string): Promise<DatasetView> {
  const ended = await world.whenEnded(await world.submit(act, 'victim', act));
  expect(await readFile(victim, 'utf8')).toBe('it is');
  expect(await world.published()).toEqual([]);
  return ended;
}

/** What it told, as JSON. */
async function told(act: string): Promise<unknown> {
  const { reason, message } = await afterAct(act);
  expect(reason).toBe('invalid_params');
  return JSON.parse(message?.replace('told: ', '') ?? '');
}

test('a converter that says it ended for a reason of its worker’s has failed', async () => {
  const ended = await afterAct('reason');
  expect(ended).toMatchObject({ status: 'failed', reason: 'internal_error' });
  expect(ended.attempts).toHaveLength(2);
  expect(ended.message).toMatch(/ended without a word that could be taken: .*reason/s);
});

test('no link is followed to what a converter hands over', async () => {
  const ended = await afterAct('link');
  expect(ended).toMatchObject({ status: 'failed', reason: 'program_error', result: null });
  expect(ended.message).toMatch(/was handed over, but there is no plain file/);
});

test('a description has a bound, and who is beyond it is told so', async () => {
  const ended = await afterAct('large');
  expect(ended).toMatchObject({ status: 'failed', reason: 'internal_error', result: null });
  expect(ended.message).toContain('a description has at most 65536 bytes as JSON');
});

test('what a converter has its worker say has a bound', async () => {
  expect(await afterAct('flood')).toMatchObject({ status: 'failed', reason: 'internal_error' });
  const said = worker.lines.filter((line) => line.includes('A message of the converter was ignored'));
  const longest = Math.max(...said.map((line) => line.length));
  // It had as much to say, and was cut.
  expect(longest).toBeGreaterThan(2_000);
  expect(longest).toBeLessThan(2_100);
  expect(worker.lines.join('\n')).toMatch(/\[longrun\] lines left out here: \d+/);
});

test('a converter that takes more memory than it may ends as out_of_memory, with the numbers', async () => {
  const ended = await afterAct('eat');
  expect(ended).toMatchObject({ status: 'failed', reason: 'out_of_memory' });
  expect(ended.message).toMatch(/took \d+ MiB of memory, and may take 512 MiB/);
});

test('what a converter has started is gone before the end of its attempt is told', async () => {
  const sons = await told('fork');
  expect(sons).toHaveLength(2);
  expect((Array.isArray(sons) ? sons : []).map(Number).filter(isRunning)).toEqual([]);
});

test.runIf(isRoot)('(needs root) a converter reads raw files, and owns nothing but its folder', async () => {
  expect(await told('look')).toEqual({
    user: worker.isolation.user?.uid,
    raw: 'it is',
    damage: expect.stringMatching(/EROFS|EACCES/) as unknown,
    add: expect.stringMatching(/EROFS|EACCES/) as unknown,
    scratch: expect.stringMatching(/EROFS|EACCES/) as unknown,
    own: 'done',
  });
  expect(worker.isolation.user?.uid).toBeGreaterThan(0);
});
