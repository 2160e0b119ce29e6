import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExperimentView } from '@longrun/contracts';
import { isRunning } from '@longrun/platform/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { World } from './world.js';

let world: World;
let victim: string;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

/** A folder of somebody else's, which the worker could read and remove. */
beforeEach(async () => {
  victim = join(world.folder, 'victim');
  await mkdir(victim, { recursive: true });
  await writeFile(join(victim, 'keep'), 'it is');
});

/** What became of a program that speaks as if it were the trainer. */
async function forged(params: Record<string, string>): Promise<ExperimentView & { readonly lines: string }> {
  const worker = await world.worker();
  const id = await world.submit(params, { program: 'forger', retry: { maxFailures: 0 } });
  const experiment = await world.whenEnded(id);
  expect(isRunning(worker.pid)).toBe(true);
  expect(await readdir(victim)).toEqual(['keep']);
  expect(await readFile(join(victim, 'keep'), 'utf8')).toBe('it is');
  const lines = (await world.events(id)).filter((event) => event.type === 'line').map((event) => event.data.text);
  return { ...experiment, lines: lines.join('\n') };
}

test.each(['preempted', 'worker_unfit', 'succeeded'])(
  'a trainer that says it ended as %s has failed, and gets no attempt for it',
  async (reason) => {
    const { attempts, lines, ...experiment } = await forged({ kind: 'reason', reason });
    expect(experiment).toMatchObject({ status: 'failed', reason: 'program_error', failures: 1, preemptions: 0 });
    expect(attempts).toHaveLength(1);
    expect(lines).toContain('A message of the trainer was ignored');
  },
);

test('a trainer that names a folder which is not its own is not followed', async () => {
  const { lines, ...experiment } = await forged({ kind: 'folder', victim });
  expect(experiment).toMatchObject({ reason: 'program_error', checkpoints: [] });
  expect(lines).toMatch(/A message of the trainer was ignored: .*\n?.*(name|string)/);
});

test.each(['folderLink', 'fileLink'])('no link is followed to what a trainer hands over (%s)', async (kind) => {
  const experiment = await forged({ kind, victim });
  expect(experiment).toMatchObject({ reason: 'program_error', checkpoints: [] });
  expect(experiment.message).toMatch(/was handed over, but there is no plain file/);
});

test('a snapshot whose files are not as its trainer says is no checkpoint', async () => {
  const experiment = await forged({ kind: 'size' });
  expect(experiment).toMatchObject({ reason: 'program_error', checkpoints: [] });
  expect(experiment.message).toMatch(/parameters\.safetensors has 22 bytes but was announced with 24 bytes/);
});

test('a result without its parameters is none', async () => {
  const experiment = await forged({ kind: 'parameters' });
  expect(experiment).toMatchObject({ status: 'failed', reason: 'program_error', result: null });
  expect(experiment.message).toContain('no parameters.safetensors, which it says has the parameters');
});

test('what is said to grow is nowhere followed out of the folder of the trainer, and the snapshot is read as ever', async () => {
  const { lines, ...experiment } = await forged({ kind: 'growing', victim });
  const sha256 = createHash('sha256').update('state.json').digest('hex');
  expect(experiment).toMatchObject({ status: 'succeeded', result: { parametersSha256: sha256 } });
  expect(lines.match(/A message of the trainer was ignored/gu)).toHaveLength(2);
});

test('a worker does not read to its end what a trainer says to have written and does not hand over', async () => {
  expect(await forged({ kind: 'hole' })).toMatchObject({ status: 'succeeded' });
});

test('one snapshot is the final one', async () => {
  const { lines, ...experiment } = await forged({ kind: 'finals' });
  expect(experiment).toMatchObject({ status: 'succeeded' });
  expect(lines.match(/ignored: it has handed over its final snapshot before/gu)).toHaveLength(99);
});
