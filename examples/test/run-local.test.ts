import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { newestSnapshot, programFiles } from '@longrun/blocks';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { PIXELS, writeImageDataset } from './image-dataset.js';

const ENTRY = fileURLToPath(new URL('../dist/run-local.js', import.meta.url));

let folder = '';
let dataset = '';
beforeAll(async () => {
  await access(ENTRY).catch(() => {
    throw new Error(`${ENTRY} is missing; run "npx tsc -b" in examples first`);
  });
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-local-'));
  dataset = path.join(folder, 'images.hdf5');
  await writeImageDataset(dataset);
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in a process of its own, which gets `kill.signal` once standard output contains `kill.at`. */
function runLocal(
  args: readonly string[],
  kill?: { readonly at: string; readonly signal: 'SIGKILL' | 'SIGTERM' },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ENTRY, ...args]);
    let [stdout, stderr] = ['', ''];
    let pending = kill;
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (pending === undefined || !stdout.includes(pending.at)) return;
      child.kill(pending.signal);
      pending = undefined;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

function experiment(checkpoints: string): string[] {
  const params = `--dims [${PIXELS},8,3] --activations ["rectifier","softmax"] --batchSize 8 --epochs 40`;
  const host = '--threads 1 --every-batches 7';
  return [...`mlp ${params} ${host}`.split(' '), '--dataset', dataset, '--checkpoints', checkpoints];
}

async function finalParameters(checkpoints: string): Promise<string> {
  const newest = (await newestSnapshot(checkpoints)) ?? '';
  expect(path.basename(newest)).toBe('step-000000000480-final');
  return createHash('sha256')
    .update(await readFile(path.join(newest, 'parameters.safetensors')))
    .digest('hex');
}

test('a run that is killed and then terminated ends with the parameters and the outputs of one that was not', async () => {
  const [whole, broken] = [path.join(folder, 'whole'), path.join(folder, 'broken')];
  const undisturbed = await runLocal(experiment(whole));
  expect(undisturbed).toMatchObject({ code: 0, stderr: expect.stringContaining('Epoch 39') as unknown });
  expect(undisturbed.stdout).toMatch(/^Trains on onnxruntime\/cpu\.$/m);

  const killed = await runLocal(experiment(broken), { at: 'epochsDone: 5\n', signal: 'SIGKILL' });
  expect(killed.signal).toBe('SIGKILL');

  const terminated = await runLocal(experiment(broken), { at: 'epochsDone: 12\n', signal: 'SIGTERM' });
  expect(terminated.stdout).toMatch(/Goes on from .*step-\d+, step \d+\./);
  expect(terminated).toMatchObject({ code: 0, signal: null });
  expect(terminated.stdout).toMatch(/Stopped after \d+ steps; the same command goes on from here\./);

  const last = await runLocal(experiment(broken));
  expect(last.stdout).toContain('Finished after 480 steps.');
  expect(await finalParameters(broken)).toBe(await finalParameters(whole));
  expect(last.stdout).toContain(`Wrote epochs.csv in ${path.join(broken, 'outputs')}.`);
  const [table, expected] = await Promise.all(
    [broken, whole].map((run) => readFile(path.join(run, 'outputs', 'epochs.csv'), 'utf8')),
  );
  expect(expected?.split('\n')).toHaveLength(42);
  expect(table).toBe(expected);
});

test('a mistake of the user is told in one sentence, without a stack', async () => {
  const cases = await Promise.all([
    runLocal(['mlq', '--dataset', dataset]),
    runLocal(['mlp', '--dataset', dataset, '--dims', '[4]']),
    runLocal(['mlp']),
    runLocal(['mlp', '--dataset', dataset, '--outputs', folder]),
  ]);

  expect(cases.map(({ code }) => code)).toEqual([1, 1, 1, 1]);
  expect(cases.map(({ stderr }) => stderr.includes('    at '))).toEqual([false, false, false, false]);
  expect(cases[3]?.stderr).toContain(`${folder} has files that are not outputs of a run`);
  expect(cases[0]?.stderr).toBe('There is no program named mlq; the programs here are mlp\n');
  expect(cases[1]?.stderr).toContain('Program mlp cannot take these params: params.dims: ');
  expect(cases[2]?.stderr).toContain('--dataset is missing');
});

test('the programs of this room can be loaded, and cost little: no engine is loaded for their params', async () => {
  const programs = await programFiles(fileURLToPath(new URL('../dist/programs', import.meta.url)));
  expect([...programs.keys()]).toEqual(['mlp']);

  const script = `await import(${JSON.stringify(new URL('../dist/programs/mlp.js', import.meta.url).href)});
    console.log(JSON.stringify(process.report.getReport().sharedObjects.filter((name) => name.includes('onnxruntime'))));`;
  const loaded = await new Promise<string>((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', () => resolve(text.trim()));
  });
  expect(loaded).toBe('[]');
});
