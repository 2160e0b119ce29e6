import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ExperimentView } from '@longrun/contracts';
import { until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { CommandLine, type RunningStack } from './command-line.js';
import { writeTinyMnist } from './tiny-mnist.js';

/** All that file URLs, Redis' configuration and shells may take for something else. */
const NAME = 'Zustand für 100% #1? [neu] & "mehr"';

/** What the commands are run in; they may put nothing there. */
let place: string;
let elsewhere: string;
const stacks: RunningStack[] = [];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'longrun-place-'));
  elsewhere = await mkdtemp(join(tmpdir(), 'longrun-elsewhere-'));
  await mkdir(join(elsewhere, 'real'));
  await symlink(join(elsewhere, 'real'), join(place, 'link'));
});

afterAll(async () => {
  await Promise.all(stacks.map((stack) => stack.end('SIGTERM')));
  await Promise.all([place, elsewhere].map((folder) => rm(folder, { recursive: true, force: true })));
});

test('a state folder may have any name, lie below a symbolic link, and be given as a relative path', async () => {
  const longrun = new CommandLine(join('link', NAME), { cwd: place });
  const state = join(place, 'link', NAME);
  await writeTinyMnist(join(state, 'raw', 'tiny'), { train: 640, test: 100, side: 8 });
  await writeFile(join(elsewhere, 'tiny.json'), DATASET);
  await writeFile(join(elsewhere, 'mlp.json'), EXPERIMENT);
  const stack = await longrun.up();
  stacks.push(stack);

  const dataset = await longrun.runProcess('submit', join(elsewhere, 'tiny.json'), '--follow');
  expect(dataset).toMatchObject({ code: 0, stdout: expect.stringContaining('ready') });
  const submitted = await longrun.runProcess('submit', join(elsewhere, 'mlp.json'), '--json');
  const { id } = ExperimentView.parse(JSON.parse(submitted.stdout));
  const view = async (): Promise<ExperimentView> =>
    ExperimentView.parse(JSON.parse((await new CommandLine(state).run('show', id, '--json')).stdout));
  await until(async () => (await view()).checkpoints.length > 0);
  process.kill(Number(stack.lines.findLast(isStartOfWorker)?.['pid']), 'SIGTERM');

  // Its checkpoints are read again by the next worker.
  await until(async () => ((await view()).attempts[1]?.startStep ?? 0) > 0);
  expect((await longrun.runProcess('cancel', id)).code).toBe(0);
  expect((await longrun.runProcess('logs', '-f', id)).code).toBe(4);
  const { attempts } = await view();
  expect(attempts.map(({ reason }) => reason)).toEqual(['preempted', 'cancelled']);

  expect(await stack.end('SIGTERM')).toBe(0);
  expect(await readdir(place)).toEqual(['link']);
  expect(await readdir(join(elsewhere, 'real'))).toEqual([NAME]);
});

test.each([
  ['by LONGRUN_STATE', (folder: string) => ({ words: [], environment: { LONGRUN_STATE: folder } })],
  [
    'by --state, which goes before LONGRUN_STATE',
    (folder: string) => ({ words: ['--state', folder], environment: { LONGRUN_STATE: 'not-here' } }),
  ],
])('the demo runs in the state folder that it is given %s', async (_how, given) => {
  const state = await mkdtemp(join(elsewhere, 'démo '));
  const { words, environment } = given(state);
  const demo = new CommandLine(state, { cwd: place, environment }).start(...words, 'demo');
  await demo.line(/api ready/);
  expect(await readdir(join(state, 'demo', 'stack'))).toEqual(expect.arrayContaining(['api.json', 'record', 'token']));

  demo.signal('SIGINT');
  expect(await demo.ended()).toBe(130);
  expect(await readdir(place)).toEqual(['link']);
});

test('`up` that is ended by SIGTERM as it starts ends in order, with exit code 0', async () => {
  // One that is not up before the signal comes: it never answers.
  const bin = join(elsewhere, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'redis-server'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o700 });
  const state = join(elsewhere, 'starting');
  const environment = { PATH: `${bin}:${process.env['PATH']}` };
  const command = new CommandLine(state, { environment }).start('--state', state, 'up', '--json');
  await command.line(/"kind":"started"/);
  command.signal('SIGTERM');
  expect(await command.ended()).toBe(0);
  expect(command.stdout).not.toContain('"kind":"up"');
});

test('a port that another process takes before Redis does is given up for the next one', async () => {
  const bin = join(elsewhere, 'late');
  await mkdir(bin);
  const [taken, redis] = [join(bin, 'taken'), join(bin, 'redis-server')];
  const late = `[ -e '${taken}' ] && exec sleep 600; touch '${taken}'; echo '# bind: Address already in use'; exit 1`;
  await writeFile(redis, `#!/bin/sh\n${late}\n`, { mode: 0o700 });
  const state = join(elsewhere, 'taken');
  const environment = { PATH: `${bin}:${process.env['PATH']}` };
  const command = new CommandLine(state, { environment }).start('--state', state, 'up', '--json');
  await command.line(/"kind":"started"[^]*"kind":"started"/);
  command.signal('SIGTERM');
  expect(await command.ended()).toBe(0);
  expect(command.stdout).not.toContain('"kind":"failed"');
});

test('no folder at all is refused', async () => {
  expect(await new CommandLine(' ', { cwd: place }).runProcess('ls')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Give the name of a folder'),
  });
});

const DATASET = JSON.stringify({ name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
/** One that does not end by itself while somebody looks. */
const EXPERIMENT = JSON.stringify({
  program: 'mlp',
  dataset: 'tiny',
  params: {
    dims: [64, 16, 10],
    activations: ['rectifier', 'softmax'],
    batchSize: 64,
    epochs: 100_000,
    learningRate: 0.01,
  },
  checkpoint: { everyBatches: 10 },
  resources: { threads: 1 },
});

function isStartOfWorker({ kind, service }: Readonly<Record<string, unknown>>): boolean {
  return kind === 'started' && service === 'worker-gpu';
}
