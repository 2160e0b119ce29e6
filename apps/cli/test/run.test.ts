import { execFile } from 'node:child_process';
import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { writeH5Dataset } from '@longrun/fuel';
import { ndarray } from '@longrun/serialization';
import { FolderLock } from '@longrun/platform/processes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

import { CommandLine, type Finished } from './command-line.js';

const SOURCE = fileURLToPath(new URL('programs/own-brick.ts', import.meta.url));
const Result = z.object({
  steps: z.int(),
  lastRow: z.record(z.string(), z.number()),
  parametersSha256: z.string(),
  parameters: z.string(),
  outputs: z.array(z.string()),
});

let folder: string;
let file: string;
let words: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-run-'));
  file = join(folder, 'own-brick.ts');
  await copyFile(SOURCE, file);
  await writeDataset(join(folder, 'blobs.hdf5'));
  const params = ['-p', 'batchSize=4', '-p', 'epochs=3', '-p', 'learningRate=0.02'];
  words = ['run', file, '--dataset', join(folder, 'blobs.hdf5'), ...params, '--threads', '1', '--every-batches', '7'];
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file is trained', () => {
  test('to the same bits, log and outputs, whether it is killed and interrupted and loses a checkpoint on the way or not', async () => {
    const whole = await trained('whole', undefined, '--json');
    expect(whole).toMatchObject({ code: 0, signal: null });
    const undisturbed = Result.parse(JSON.parse(whole.stdout));
    expect(undisturbed).toMatchObject({ steps: 36, lastRow: { test_misclassification_rate: expect.any(Number) } });

    const killed = await trained('broken', 'SIGKILL@17');
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' });

    const interrupted = await trained('broken', 'SIGINT@26');
    expect(interrupted).toMatchObject({ code: 130, signal: null, stdout: '' });
    expect(interrupted.stderr).toMatch(/^it goes on at step (7|14)$/m);
    expect(interrupted.stderr).toMatch(/^stopped at step 26, with a checkpoint; the same command goes on from there$/m);

    await flipBit(join(folder, 'broken', 'run', 'checkpoints', 'step-000000000026', 'parameters.safetensors'));
    const rest = await trained('broken');
    expect(rest).toMatchObject({ code: 0 });
    expect(rest.stderr).toMatch(
      /^passed over and removed, as damaged: step-000000000026: parameters.safetensors is not as it was written$/m,
    );
    expect(rest.stderr).toMatch(/^it goes on at step 21$/m);
    expect(rest.stderr).toMatch(/^epoch 2 of 3, batch 9 of 12, 58 %/m);
    expect(rest.stdout).toMatch(/^finished after 36 steps: .*train_cost \d\.\d+, test_cost \d/);
    expect(rest.stdout).toContain(
      `parameters sha256 ${undisturbed.parametersSha256} in ${join(folder, 'broken', 'run')}`,
    );
    expect(await readFile(join(folder, 'broken', 'run', 'outputs', 'epochs.csv'), 'utf8')).toBe(
      await readFile(undisturbed.outputs[0] ?? '', 'utf8'),
    );

    const again = await trained('broken', undefined, '--json');
    expect(Result.parse(JSON.parse(again.stdout))).toMatchObject({
      lastRow: undisturbed.lastRow,
      parametersSha256: undisturbed.parametersSha256,
    });
  });

  test('anew by --fresh, with what was there moved aside; a second Ctrl+C ends it at once', async () => {
    const { stderr, signal } = await trained('whole', 'SIGINT,SIGINT@5', '--fresh');

    expect(signal).toBe('SIGINT');
    expect(stderr).toContain(`what an earlier run has left is in ${join(folder, 'whole', 'run-1')} now`);
    expect(stderr).not.toContain('stopped at');
    expect(await readdir(join(folder, 'whole', 'run-1', 'checkpoints'))).toContain('step-000000000036-final');
    expect(await readdir(join(folder, 'whole', 'run', 'checkpoints'))).toEqual([]);
  });
});

describe('it is refused, with nothing made,', () => {
  test.each([
    [['-p', 'epochs=0', '-p', 'hiden=3'], 2, ['params.epochs: "epochs" is 0: train for', 'Did you mean "hidden"?']],
    [['--dataset', 'valid=nowhere.hdf5'], 2, ['--dataset nowhere.hdf5: there is no such file']],
    [['--dataset', SOURCE], 2, ['--dataset is given twice for the role train']],
    [['--engine', 'cuda'], 2, ['There is no engine cuda; there are onnxruntime, tfjs, reference']],
    [['--device', '3'], 2, ['device is 3, but cpu of onnxruntime is one device; leave it out']],
  ])('%j', async (more, code, sentences) => {
    const refused = await longrun().run(...words, '--checkpoints', join(folder, 'refused'), ...more);

    expect(refused).toMatchObject({ code, stdout: '' });
    for (const sentence of sentences) expect(refused.stderr).toContain(sentence);
    expect(refused.stderr).not.toContain('    at ');
    expect(await readdir(folder)).not.toContain('refused');
  });

  test('without a dataset, and as JSON', async () => {
    const refused = await longrun().run('run', file, '--json');

    expect(refused.code).toBe(2);
    const { error }: { error?: { message: string } } = JSON.parse(refused.stderr);
    expect(error?.message).toMatch(
      /^There is no dataset of the role train; .*; give one of that role, as --dataset train=/,
    );
    expect(await readdir(folder)).not.toContain('own-brick.longrun');
  });

  test('while it is trained in the same folder', async () => {
    const lock = await FolderLock.take(join(folder, 'broken', 'lock'));
    const refused = await longrun().run(...words, '--checkpoints', join(folder, 'broken'));
    await lock.release();

    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`in use by process ${process.pid}`);
  });

  test('from the checkpoint of something else', async () => {
    const valid = join(folder, 'blobs.hdf5');
    const more = ['-p', 'hidden=9', '--seed', '2', '--dataset', `valid=${valid}`];
    const refused = await trained('broken', undefined, ...more);

    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'has a run of hidden = 8, not 9, the seed 1, not 2, another dataset valid, and only the same goes on',
    );
  });

  test('where no checkpoint is whole, or nobody knows what they are of, and all are kept', async () => {
    const run = join(folder, 'broken', 'run');
    const names = await readdir(join(run, 'checkpoints'));
    for (const name of names) await rm(join(run, 'checkpoints', name, 'state.json'));
    const damaged = await longrun().run(...words, '--checkpoints', join(folder, 'broken'));
    await writeFile(join(run, 'run.json'), '{"version');
    const unknown = await longrun().run(...words, '--checkpoints', join(folder, 'broken'));

    expect(damaged).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is whole (step-000000000036-final: state.json is missing; ') as string,
    });
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/run.json, .* is missing or damaged; begin anew by --fresh/) as string,
    });
    expect(unknown.stderr).not.toContain('    at ');
    expect(await readdir(join(run, 'checkpoints'))).toEqual(names);
  });

  test('in a folder that cannot be made', async () => {
    const refused = await longrun().run(...words, '--checkpoints', join(folder, 'blobs.hdf5', 'below'));

    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/blobs.hdf5.below cannot be used \(ENOTDIR.*; give another folder by --checkpoints/);
    expect(refused.stderr).not.toContain('    at ');
  });
});

test('a file without decorators is trained by node alone, and gone on with by either', async () => {
  const plain = join(folder, 'plain.mjs');
  const built = fileURLToPath(new URL('../../../examples/dist/programs/mlp.js', import.meta.url));
  await copyFile(built, plain);
  await copyFile(`${built}.map`, join(folder, 'mlp.js.map'));
  // As installed beside it.
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  const more = [
    '--dataset',
    join(folder, 'blobs.hdf5'),
    '-p',
    'dims=[4,5,3]',
    '-p',
    'activations=[tanh,softmax]',
    '-p',
    'epochs=2',
    '--threads',
    '1',
    '--json',
  ];
  // Stacks name the sources of the file then.
  const byNode = await promisify(execFile)(process.execPath, ['--enable-source-maps', plain, ...more]);
  const byCommand = await longrun().run('run', plain, ...more);
  const refused = await promisify(execFile)(process.execPath, [plain, '--checkpoints', join(folder, 'none')]).catch(
    (error: unknown) => error,
  );

  expect(Result.parse(JSON.parse(byNode.stdout))).toMatchObject({ lastRow: { test_cost: expect.any(Number) } });
  expect(byCommand.stdout).toBe(byNode.stdout);
  expect(byCommand.stderr).toContain('it goes on at step');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('no dataset of the role train') as string });
});

test('a program that ends the process has not finished training, whatever its exit code', async () => {
  const leaves = join(folder, 'leaves.ts');
  await copyFile(SOURCE, leaves);
  await appendFile(leaves, '\nprocess.exit(0);\n');
  const left = await longrun().runProcess('run', leaves, '--dataset', join(folder, 'blobs.hdf5'));

  expect(left).toMatchObject({ code: 1, stdout: '' });
  expect(left.stderr).toContain('training has not finished, and its process ends with exit code 0;');
});

test('what a program throws names its own file and line, and the function that was called there', async () => {
  const throws = join(folder, 'throws.ts');
  const lines = (await readFile(SOURCE, 'utf8')).split('\n');
  await writeFile(
    throws,
    [...lines, 'function fail(): never {', "  throw new Error('on purpose');", '}', 'fail();'].join('\n'),
  );
  const { code, stderr } = await longrun().runProcess('run', throws, '--dataset', join(folder, 'blobs.hdf5'));

  expect(code).toBe(1);
  expect(stderr).toContain('Error: on purpose');
  expect(stderr).toContain(`at fail (${throws}:${lines.length + 2}:9)`);
});

function longrun(signals?: string): CommandLine {
  return new CommandLine(
    join(folder, 'state'),
    signals === undefined ? {} : { environment: { SIGNALS_AT_STEP: signals } },
  );
}

/** Runs it to its end in a folder, by a process, which is sent signals at a step. */
async function trained(checkpoints: string, signals?: string, ...more: string[]): Promise<Finished> {
  return await longrun(signals).runProcess(...words, '--checkpoints', join(folder, checkpoints), ...more);
}

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  await writeFile(path, bytes);
}

/** 48 and 12 examples of 2 x 2 pixels and three classes. */
async function writeDataset(path: string): Promise<void> {
  const targets = Uint8Array.from({ length: 60 }, (_, at) => at % 3);
  const features = Uint8Array.from({ length: 240 }, (_, at) =>
    at % 4 === Math.floor(at / 4) % 3 ? 200 : (at * 37) % 90,
  );
  const [ofTrain, ofTest] = [
    { start: 0, stop: 48 },
    { start: 48, stop: 60 },
  ];
  await writeH5Dataset(path, async (writer) => {
    await writer.append({
      features: ndarray('uint8', [60, 2, 2], features),
      targets: ndarray('uint8', [60, 1], targets),
    });
    return { train: { features: ofTrain, targets: ofTrain }, test: { features: ofTest, targets: ofTest } };
  });
}
