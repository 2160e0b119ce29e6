import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DatasetView, ExperimentSummary, ExperimentView, MetricSeries } from '@longrun/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

import { decodeSafetensors } from '@longrun/serialization';
import { identify, membersOf } from '@longrun/platform/processes';
import { connect } from '../src/address.js';
import { CommandLine, type RunningStack } from './command-line.js';
import { PYTHON, pythonTensors } from './python-tensors.js';
import { writeTinyMnist } from './tiny-mnist.js';

const UpLines = z.array(z.looseObject({ kind: z.string() }));
const LocalResult = z.object({ parametersSha256: z.string(), lastRow: z.record(z.string(), z.number()) });
const services = ['redis', 'api', 'fuel-preproc', 'worker-gpu'];

let folder: string;
let longrun: CommandLine;
let stack: RunningStack;
let datasetFile: string;
let experimentFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-cli-'));
  longrun = new CommandLine(join(folder, 'state'));
  await writeTinyMnist(join(longrun.state, 'raw', 'tiny'), { train: 640, test: 100, side: 8 });
  datasetFile = join(folder, 'tiny.json');
  await writeFile(datasetFile, JSON.stringify({ name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } }));
  experimentFile = join(folder, 'tiny-mlp.yaml');
  await writeFile(experimentFile, TINY_MLP);
  stack = await longrun.up();
});

afterAll(async () => {
  await stack.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

const TINY_MLP = `# three epochs of ten batches
name: tiny-mlp
program: mlp
dataset: tiny
params: { dims: [64, 16, 10], activations: [rectifier, softmax], batchSize: 64, epochs: 3, learningRate: 0.01 }
checkpoint: { everyBatches: 10 }
resources: { threads: 1 }
`;

test('a dataset and an experiment go from their files to a result', async () => {
  const dataset = await longrun.run('submit', datasetFile, '--follow');
  expect(dataset).toMatchObject({ code: 0, stdout: expect.stringContaining('ready') });

  const submitted = await longrun.run(
    'submit',
    experimentFile,
    '--set',
    'seed=7',
    '--set',
    'params.epochs=2',
    '--json',
  );
  const { id, spec } = ExperimentView.parse(JSON.parse(submitted.stdout));
  expect(spec).toMatchObject({ seed: 7, params: { epochs: 2, batchSize: 64 } });

  expect(await longrun.run('wait', '--latest')).toMatchObject({ code: 0, stdout: `${id}  tiny-mlp  succeeded\n` });
  const followed = await longrun.runProcess('logs', '-f', id);
  expect(followed).toMatchObject({ code: 0 });
  expect(followed.stdout).toMatch(/attempt 1 starts on worker-gpu/);
  expect(followed.stdout).toMatch(/step +20 .*test_/);
  expect(followed.stdout).toMatch(/^succeeded/m);

  const { result, attempts } = ExperimentView.parse(
    JSON.parse((await longrun.run('show', 'tiny-mlp', '--json')).stdout),
  );
  expect(followed.stdout).toContain(`parameters sha256 ${result?.parametersSha256}`);
  expect(attempts).toMatchObject([{ fence: 1, reason: 'succeeded', stepsRun: 20 }]);
  // What has happened can be read again, whole, without following.
  expect((await longrun.run('logs', id.slice(0, 34))).stdout).toBe(followed.stdout);

  const shown = await longrun.run('show', id);
  expect(shown.stdout).toMatch(/status +succeeded/);
  expect(shown.stdout).toMatch(/1 +succeeded +0 → 20/);
  expect((await longrun.run('ls')).stdout).toMatch(new RegExp(`${id} +tiny-mlp +succeeded +mlp +20/20`));
  const error = 'test_misclassification_rate';
  const fitting = ['ls', '--status', 'succeeded', '--sort', '-created', '--columns', `id,name,${error}`, '--where'];
  expect((await longrun.run(...fitting, `metric.${error}<=1`)).stdout).toMatch(
    new RegExp(`^ID +NAME +${error}\n${id} +tiny-mlp +[\\d.]+$`, 'm'),
  );
  expect(await longrun.run(...fitting, `metric.${error}>1`)).toMatchObject({
    stdout: '',
    stderr: expect.stringContaining('No experiment fits'),
  });
  expect(await longrun.run(...fitting, `${error}>1`)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('metric.valid_cost<0.3'),
  });
  expect((await longrun.run('metrics', 'tiny-mlp')).stdout).toMatch(new RegExp(`^${error} +[\\d.]+ +\\d+ `, 'm'));
  const series = await longrun.run('metrics', id.slice(0, 30), 'train_cost', '--max-points', '10', '--json');
  expect(MetricSeries.parse(JSON.parse(series.stdout)).steps.length).toBeGreaterThan(0);
  expect((await longrun.run('ls', '--datasets')).stdout).toMatch(/tiny +ready +mnist +.*train 640, test 100/);
  expect((await longrun.run('show', 'tiny')).stdout).toMatch(/features +uint8 \(740, 1, 8, 8\)/);
  const copy = join(folder, 'copy.hdf5');
  expect(await longrun.run('download', 'tiny', '-o', copy)).toMatchObject({ code: 0, stderr: '' });
  expect(await readFile(copy, 'latin1')).toMatch(/^\x89HDF\r\n/);

  const reproduced = await longrun.run('reproduce', id);
  expect(reproduced.stdout).toBe(
    `identical, sha256 ${result?.parametersSha256}\n  the parameters, 21 rows of the log and all outputs are equal, bit for bit\n`,
  );
  const again = reproduced.stderr.slice(0, id.length);
  expect(reproduced).toMatchObject({ code: 0, stderr: `${again}  tiny-mlp  queued\n` });
  expect(await longrun.run('compare', again)).toEqual({ code: 0, stdout: reproduced.stdout, stderr: '' });
  expect((await longrun.run('show', again)).stdout).toMatch(new RegExp(`reproduces +${id}`));
  expect(await longrun.run('compare', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('reproduces no other experiment; give the one to compare it with'),
  });
});

test.skipIf(PYTHON === undefined)(
  `Python's safetensors reads the parameters of an experiment${PYTHON === undefined ? ': did not run, as no python3, nor LONGRUN_PYTHON, imports safetensors and numpy' : ''}`,
  async () => {
    const client = await connect({ state: longrun.state, environment: {} });
    const { id } = ExperimentView.parse(JSON.parse((await longrun.run('show', '--latest', '--json')).stdout));
    const authorization = `Bearer ${(await readFile(join(longrun.state, 'token'), 'utf8')).trim()}`;
    const answer = await fetch(`${client.url}/v1/experiments/${id}/parameters`, { headers: { authorization } });
    expect(answer.status).toBe(200);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const file = join(folder, 'parameters.safetensors');
    await writeFile(file, bytes);
    const read = pythonTensors(file);
    expect(Object.entries(read).map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['/mlp/linear_0.W', 'float32', [64, 16]],
      ['/mlp/linear_0.b', 'float32', [16]],
      ['/mlp/linear_1.W', 'float32', [16, 10]],
      ['/mlp/linear_1.b', 'float32', [10]],
    ]);
    // What our own reader has of the same bytes.
    const ours = [...decodeSafetensors(bytes).tensors].map(([name, { data }]) => {
      const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [name, createHash('sha256').update(raw).digest('hex')];
    });
    expect(ours).toEqual(Object.entries(read).map(([name, { sha256 }]) => [name, sha256]));
  },
);

test('all that the record has is exported to tables, with the numbers that the API answers', async () => {
  // Two have the name by now.
  expect(await longrun.run('tag', '--latest', 'good')).toMatchObject({ code: 0 });
  const to = join(folder, 'tables');
  const exported = await longrun.run('export', '-o', to, '--tag', 'good', '--json');
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  const runs = (await readFile(join(to, 'runs.csv'), 'utf8')).split('\r\n');
  expect(runs).toHaveLength(3);
  expect(runs[0]).toMatch(/,params.learningRate,.*,metrics.train_cost.last,/);
  expect(runs[1]).toMatch(/^exp_\w+,tiny-mlp,succeeded,succeeded,.*,7,"\[""good""\]",,.*,0.01,/);

  const id = runs[1]?.split(',')[0] ?? '';
  const series = await longrun.run('metrics', id, 'train_cost', '--json', '--max-points', '1000');
  const { steps, values } = MetricSeries.parse(JSON.parse(series.stdout));
  const lines = (await readFile(join(to, 'metrics.csv'), 'utf8')).split('\r\n');
  expect(lines.filter((line) => line.startsWith(`${id},train_cost,`))).toEqual(
    steps.map((step, index) => `${id},train_cost,${step},${values[index]}`),
  );
  expect(JSON.parse(exported.stdout)).toMatchObject({ runs: { rows: 1 }, metrics: { rows: lines.length - 2 } });

  expect(await longrun.run('export', '-o', to, '--where', 'train_cost<1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('metric.valid_cost<0.3'),
  });
  expect(await longrun.run('export', '-o', to, '--status', 'failed')).toMatchObject({
    stdout: expect.stringMatching(/^0 runs: .*\n0 points: /),
  });
});

test("a program of one's own is bundled, published and submitted by its file, runs as it was then, and ends as it does when trained here", async () => {
  const file = join(folder, 'my-program.ts');
  const source = new URL('programs/own-brick.ts', import.meta.url);
  await copyFile(source, file);
  const params = ['-p', 'hidden=16', '-p', 'batchSize=64', '-p', 'epochs=1'];
  const words = [file, '--dataset', 'tiny', ...params, '--set', 'resources.threads=1', '--json'];
  const submitted = await longrun.run('submit', ...words);
  const view = ExperimentView.parse(JSON.parse(submitted.stdout));
  expect(view).toMatchObject({ name: 'my-program', spec: { dataset: 'tiny', params: { epochs: 1 } } });
  const short = `my-program@${view.programSha256?.slice(0, 12)}`;
  expect(view.spec.program).toBe(short);

  await writeFile(file, 'throw new Error("broken meanwhile");');
  const broken = await longrun.run('programs', 'publish', file);
  expect(broken).toMatchObject({ code: 2, stdout: '' });
  expect(broken.stderr).toContain('The module cannot be published as my-program: Error: broken meanwhile.');

  expect(await longrun.run('logs', '-f', view.id)).toMatchObject({ code: 0 });
  expect((await longrun.run('show', view.id)).stdout).toMatch(new RegExp(`program +${short}`));
  const listed = await longrun.run('programs');
  expect(listed.stdout).toMatch(new RegExp(`^${short} +\\d.* Mine\\.`, 'm'));
  expect(listed.stdout).toMatch(/^mlp@[0-9a-f]{12} /m);

  await copyFile(source, file);
  // Built or not, the command line makes the same module of a file: it is published already.
  expect(await longrun.runProcess('submit', ...words, '--dry-run')).toMatchObject({ code: 0 });
  const dataset = join(folder, 'tiny.hdf5');
  expect(await longrun.run('download', 'tiny', '-o', dataset)).toMatchObject({ code: 0 });
  const here = await longrun.runProcess('run', file, '--dataset', dataset, ...params, '--threads', '1', '--json');
  const there = ExperimentView.parse(JSON.parse((await longrun.run('show', view.id, '--json')).stdout)).result;
  const { parametersSha256, lastRow } = LocalResult.parse(JSON.parse(here.stdout));
  expect(there).toMatchObject({ parametersSha256, lastRow });
});

test('a cancelled experiment ends the log that is followed with exit code 4', async () => {
  const submitted = await longrun.run(
    'submit',
    experimentFile,
    '--set',
    'name=endless',
    '--set',
    'params.epochs=100000',
    '--json',
  );
  const { id } = ExperimentView.parse(JSON.parse(submitted.stdout));
  const followed = longrun.run('logs', '-f', id, '--json');
  await expect.poll(() => statusOf(id)).toBe('running');
  // What has happened so far ends where it does, although the run goes on.
  await expect.poll(async () => (await longrun.run('logs', id)).stdout).toMatch(/attempt 1 starts[^]*step /);
  expect(await longrun.run('logs', id)).toMatchObject({ code: 0, stderr: '' });
  expect(await statusOf(id)).toBe('running');

  expect(await longrun.run('set', 'endless', 'learningRate=fast')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Give a name and a number, as in learning_rate=1e-4, not learningRate=fast.'),
  });
  expect(await longrun.run('set', 'endless', 'learningRate=1e-3')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('learning_rate = 0.001 '),
  });
  await expect
    .poll(async () => (await longrun.run('show', id)).stdout)
    .toMatch(/set +\w+\.learning_rate = 0\.001 from step \d+ on/);

  // It is to go on from it: on a busy machine the first one may be longer in coming than all this.
  await expect.poll(async () => (await viewOf(id)).checkpoints.length).toBeGreaterThan(0);
  expect(await longrun.run('cancel', 'endless')).toMatchObject({ code: 0 });
  const { code, stdout } = await followed;
  expect(code).toBe(4);
  expect(stdout.trim().split('\n').at(-1)).toContain('"cancelled"');
  expect(await statusOf(id)).toBe('cancelled');

  // It can be tried again, and who follows it sees it go on beyond its end.
  expect(await longrun.run('preempt', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`See how it ended: longrun show ${id}`),
  });
  expect(await longrun.run('retry', 'endless')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/queued; it goes on from its newest checkpoint, \d+$/m),
  });
  const again = longrun.run('logs', '-f', id);
  await expect.poll(() => statusOf(id)).toBe('running');
  expect(await longrun.run('pause', 'endless')).toMatchObject({ code: 0 });
  await expect.poll(() => statusOf(id)).toBe('paused');
  expect(await longrun.run('tag', 'endless', 'good', 'bad')).toMatchObject({ code: 0 });
  await longrun.run('note', 'endless', 'one to look at');
  await longrun.run('priority', 'endless', '--', '-3');
  expect(await longrun.run('tag', 'endless', '--remove', 'bad')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('paused; priority -3; tags good; notes: one to look at'),
  });
  await longrun.run('tag', 'endless', 'one, two');
  const tagged = ['ls', '--json', '--status', 'paused', '--tag', 'good', '--tag'];
  expect(idsIn((await longrun.run(...tagged, 'one, two')).stdout)).toEqual([id]);
  expect(idsIn((await longrun.run(...tagged, 'bad')).stdout)).toEqual([]);
  expect(await longrun.run('resume', 'endless')).toMatchObject({ code: 0 });
  await expect.poll(() => statusOf(id)).toBe('running');
  expect(await longrun.run('cancel', 'endless')).toMatchObject({ code: 0 });
  expect((await again).stdout).toMatch(/^cancelled[^]*^queued[^]*^paused[^]*^queued[^]*^cancelled/m);

  // A new one goes on from its newest checkpoint, to an end that is behind it.
  const words = ['-p', 'epochs=1', '--set', 'name=shorter'];
  expect(await longrun.run('fork', id, '--step', '1', ...words)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('has no checkpoint 1'),
  });
  expect(await longrun.run('continue', id, ...words, '-f')).toMatchObject({ code: 0 });
  expect((await longrun.run('show', 'shorter')).stdout).toMatch(new RegExp(`from +step \\d+ of ${id}`));

  // It has a copy of its own.
  expect(await longrun.run('rm', 'endless', 'never-there')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no experiment `never-there`'),
  });
  expect(await longrun.run('rm', 'endless')).toMatchObject({ code: 0, stdout: `${id}  deleted\n` });
  expect(await longrun.run('show', id)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(`The experiment ${id} was deleted at .*\n.*longrun ls`),
  });
  const ls = (await longrun.run('ls')).stdout;
  expect(ls).toContain('shorter');
  expect(ls).not.toContain('endless');
});

test('Ctrl+C ends what follows and not the experiment, which is said', async () => {
  const submitting = longrun.start(
    '--state',
    longrun.state,
    'submit',
    experimentFile,
    '--follow',
    '--set',
    'params.epochs=100000',
    '--json',
  );
  const id = await submitting.line(/"attempt_started"/).then(() => submitting.stderr.slice(0, 36));
  submitting.signal('SIGINT');
  expect(await submitting.ended()).toBe(130);
  expect(submitting.stderr).toContain(
    `${id} goes on. Follow it again: longrun logs -f ${id}. End it: longrun cancel ${id}.`,
  );
  expect(await statusOf(id)).toBe('running');
  expect(await longrun.run('cancel', id)).toMatchObject({ code: 0 });
});

test('a dataset is followed, and cancelled while it waits, by its name', async () => {
  // Without a converter that could take it.
  process.kill(stack.pidOf('fuel-preproc'), 'SIGSTOP');
  await writeFile(
    join(folder, 'late.json'),
    JSON.stringify({ name: 'late', converter: 'mnist', source: { folder: 'tiny' } }),
  );
  const submitted = DatasetView.parse(
    JSON.parse((await longrun.run('submit', join(folder, 'late.json'), '--json')).stdout),
  );
  const followed = longrun.run('logs', '-f', 'late');
  expect(await longrun.run('logs', 'late')).toMatchObject({ code: 0, stdout: expect.stringContaining('late  queued') });

  expect(await longrun.run('cancel', 'late')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/failed \(cancelled\)$/m),
  });
  process.kill(stack.pidOf('fuel-preproc'), 'SIGCONT');
  expect(await followed).toMatchObject({ code: 4, stdout: expect.stringContaining('failed (cancelled)') });
  const again = await longrun.run('cancel', submitted.id);
  expect(again.stderr).toContain(`→ See how it ended: longrun show ${submitted.id}`);
  expect(await longrun.run('cancel', 'late')).toMatchObject({ code: 1 });
  expect(await longrun.run('delete', 'late', '--json')).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify({ id: submitted.id, deleted: true })}\n`,
  });
});

test('a dry run prints the spec as it would be recorded, or what the API refuses, and records nothing', async () => {
  const tried = await longrun.run('submit', experimentFile, '--dry-run', '--set', 'name=tried');
  expect(tried).toMatchObject({ code: 0, stdout: expect.stringMatching(/^name: tried$[^]*^ {2}keepLast: 3$/m) });
  expect(tried.stderr).toMatch(
    /submitted as tried, of the program mlp@[0-9a-f]{12}, on ds_.*; nothing was recorded\n$/,
  );
  expect(await longrun.run('submit', datasetFile, '--dry-run')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('it is there already, as ds_'),
  });
  const refused = await longrun.run('submit', experimentFile, '--dry-run', '--set', 'params.epochs=-1');
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('params.epochs: ') });
  expect(await longrun.run('show', 'tried')).toMatchObject({ code: 1 });
  expect(await longrun.run('submit', experimentFile, '--dry-run', '--follow')).toMatchObject({ code: 2 });
});

test('what the API refuses is printed by field, with the remedy', async () => {
  const refused = await longrun.run('submit', experimentFile, '--set', 'dataset=nowhere');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/dataset: .*nowhere[^]*→ /);

  const unknown = await longrun.run('show', 'no-such-name');
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no experiment `no-such-name`') });

  const token = await longrun.runWith({ LONGRUN_TOKEN: 'not-the-token-of-this-api' }, 'ls');
  expect(token).toMatchObject({ code: 1, stderr: expect.stringContaining('LONGRUN_TOKEN') });
});

test('one idempotency key submits once, and a name that two experiments have is refused with both', async () => {
  const words = ['submit', experimentFile, '--set', 'name=twin', '--json'];
  const [one, again] = [
    await longrun.run(...words, '--idempotency-key', 'k1'),
    await longrun.run(...words, '--idempotency-key', 'k1'),
  ];
  const other = await longrun.run(...words);
  const ids = [one, again, other].map(({ stdout }) => ExperimentView.parse(JSON.parse(stdout)).id);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[0]);

  const ambiguous = await longrun.run('show', 'twin');
  expect(ambiguous).toMatchObject({ code: 1, stderr: expect.stringContaining('means 2 experiments') });
  expect(ambiguous.stderr).toContain(ids[2]);
});

test('a second stack on the same state folder is refused', async () => {
  const second = await longrun.runProcess('up');
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`process ${stack.pid}`);
  expect(second.stderr).toContain('--state');
});

test('`up` says what its services do as they start', () => {
  const stagesOf = (service: string): unknown[] =>
    stack.lines.filter((line) => line.kind === 'starting' && line['service'] === service).map((line) => line['stage']);
  expect(stagesOf('api')).toEqual(expect.arrayContaining(['loading code']));
  expect(stagesOf('worker-gpu')).toEqual(expect.arrayContaining(['loading code']));
});

test('a service that cannot start is said at once with its own words, and as JSON', async () => {
  const other = new CommandLine(join(folder, 'open'));
  await mkdir(other.state);
  await writeFile(join(other.state, 'token'), 'a-token-that-all-can-read\n', { mode: 0o644 });
  const asJson = await other.runProcess('up', '--json');
  const failed = UpLines.parse(
    asJson.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).find(({ kind }) => kind === 'failed');
  expect(failed).toMatchObject({
    service: 'api',
    error: { message: expect.stringContaining('chmod 600') },
    restartInMs: null,
  });
  expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { message: expect.stringContaining('chmod 600') } });
  const told = await other.runProcess('up');
  expect({ code: told.code, times: told.stderr.match(/longrun: api ended/g)?.length }).toEqual({ code: 1, times: 1 });
  expect(told.stderr).toMatch(
    /longrun: api ended \(exit code 1\) as it started.*: Others can read the token file .* Run: chmod 600/,
  );
});

test('a port that is in use is named, and nothing is left running', async () => {
  const other = new CommandLine(join(folder, 'second'));
  const { port } = new URL(String(stack.lines.find(({ kind }) => kind === 'up')?.['url']));
  const { code, stderr } = await other.runProcess('up', '--port', port);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `--port ${port}: the API cannot listen at 127.0.0.1:${port}, because another process listens there`,
  );
});

test('the token is readable by its owner only', async () => {
  expect((await stat(join(longrun.state, 'token'))).mode & 0o777).toBe(0o600);
});

test('an API that dies is said, comes back at its address, and a log that is followed goes on without a gap', async () => {
  const submitted = await longrun.run(
    'submit',
    experimentFile,
    '--set',
    'name=through',
    '--set',
    'params.epochs=2000',
    '--json',
  );
  const { id } = ExperimentView.parse(JSON.parse(submitted.stdout));
  const followed = longrun.run('logs', '-f', id, '--json');
  await expect.poll(() => statusOf(id)).toBe('running');

  const before = await longrun.run('ls', '--json');
  process.kill(stack.pidOf('api'), 'SIGKILL');
  expect(await stack.next('died', 'api')).toMatchObject({ exit: { how: 'SIGKILL' }, restartInMs: 1_000 });
  await stack.next('ready', 'api');
  const after = await longrun.run('ls', '--json');
  expect(idsIn(after.stdout)).toEqual(idsIn(before.stdout));

  await longrun.run('cancel', id);
  const { stdout, stderr, code } = await followed;
  expect({ code, lost: stderr.match(/lost the API/g)?.length }).toEqual({ code: 4, lost: 1 });
  const events = stdout
    .trim()
    .split('\n')
    .flatMap((line) => /"id":(\d+)/.exec(line)?.[1] ?? []);
  expect(events.map(Number)).toEqual(events.map((_, index) => index + 1));
});

test('Ctrl+C stops everything, and nothing is left; what a killed `up` left behind is stopped by the next one', async () => {
  const orphans = services.map((name) => stack.pidOf(name));
  await stack.end('SIGKILL');
  expect(await Promise.all(orphans.map(isRunning))).toEqual([true, true, true, true]);

  stack = await longrun.up();
  expect(stack.lines.filter(({ kind }) => kind === 'leftover').map(({ pid }) => pid)).toEqual(
    expect.arrayContaining(orphans),
  );
  expect(await Promise.all(orphans.map(isRunning))).toEqual([false, false, false, false]);
  // The record is still there.
  expect((await longrun.run('ls')).stdout).toContain('tiny-mlp');

  const pids = services.map((name) => stack.pidOf(name));
  expect(await stack.end('SIGINT')).toBe(130);
  expect((await Promise.all(pids.map(membersOf))).flat()).toEqual([]);
  expect(stack.lines.filter(({ kind }) => kind === 'stopped').map(({ service }) => service)).toEqual([
    expect.stringMatching(/^(worker-gpu|fuel-preproc)$/),
    expect.stringMatching(/^(worker-gpu|fuel-preproc)$/),
    'api',
    'redis',
  ]);
  const gone = await longrun.run('ls');
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('longrun up') });
});

test('a second Ctrl+C kills what does not stop', async () => {
  stack = await longrun.up();
  const pids = services.map((name) => stack.pidOf(name));
  process.kill(stack.pidOf('worker-gpu'), 'SIGSTOP');
  process.kill(stack.pid, 'SIGINT');
  await stack.next('stopped', 'fuel-preproc');
  expect(await isRunning(stack.pidOf('worker-gpu'))).toBe(true);

  expect(await stack.end('SIGINT')).toBe(130);
  expect((await Promise.all(pids.map(membersOf))).flat()).toEqual([]);
});

async function statusOf(id: string): Promise<string> {
  return (await viewOf(id)).status;
}

async function viewOf(id: string): Promise<ExperimentView> {
  return ExperimentView.parse(JSON.parse((await longrun.run('show', id, '--json')).stdout));
}

function idsIn(json: string): string[] {
  return ExperimentSummary.array()
    .parse(JSON.parse(json))
    .map(({ id }) => id);
}

async function isRunning(pid: number): Promise<boolean> {
  return (await identify(pid)) !== undefined;
}
