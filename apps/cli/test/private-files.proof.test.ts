import { lstat, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { CommandLine } from './command-line.js';
import { writeTinyMnist } from './tiny-mnist.js';

let umask: number;
let folder: string;
beforeEach(async () => {
  umask = process.umask(0);
  folder = await mkdtemp(join(tmpdir(), 'longrun-private-'));
});
afterEach(async () => {
  process.umask(umask);
  await rm(folder, { recursive: true, force: true });
});

const TRAINING = {
  name: 'endless',
  program: 'mlp',
  dataset: 'tiny',
  params: { dims: [64, 16, 10], activations: ['rectifier', 'softmax'], epochs: 1_000_000, learningRate: 0.01 },
  checkpoint: { everyBatches: 10 },
  resources: { threads: 1 },
};

test("all that a stack leaves in its state folder is its user's alone, however generous the umask", async () => {
  const longrun = new CommandLine(join(folder, 'state'));
  const raw = join(longrun.state, 'raw');
  await writeTinyMnist(join(raw, 'tiny'), { train: 640, test: 100, side: 8 });
  expect((await stat(raw)).mode & 0o777).toBe(0o777);
  const stack = await longrun.up();
  try {
    await submit(longrun, 'tiny.json', { name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
    await submit(longrun, 'endless.json', TRAINING);
    await expect.poll(async () => (await longrun.run('show', 'endless')).stdout).toMatch(/checkpoint +step/);

    const found = await walk(longrun.state, raw);
    // The faults would be in what each of the processes writes.
    for (const made of [
      /^token$/,
      /^api\.json$/,
      /^up\.json$/,
      /^record\/pgdata\/PG_VERSION$/,
      /^logs\/api\.log$/,
      /^redis\/redis\.conf$/,
      /^redis\/appendonlydir\/./,
      /^objects\/experiments\/./,
      /^objects\/datasets\/files\/./,
      /^cache\/datasets\/./,
      /^cache\/programs\/./,
      /^worker-gpu-.*\/owner$/,
      /^fuel-preproc-.*\/owner$/,
    ])
      expect(found.map(({ path }) => path)).toContainEqual(expect.stringMatching(made));
    // What is given to trainers, and to programs that are asked, with users of their own they read, who are shown it; nobody else gets past the state folder.
    const own = found.filter(({ path }) => !/^cache\/(datasets|programs)|\/(trainer|program)-\d+\/given/.test(path));
    expect(own.filter(({ mode, isFolder }) => mode !== (isFolder ? 0o700 : 0o600))).toEqual([]);
  } finally {
    await stack.end('SIGTERM');
  }
});

async function submit(longrun: CommandLine, name: string, spec: object): Promise<void> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(spec));
  expect(await longrun.run('submit', file)).toMatchObject({ code: 0 });
}

interface Found {
  readonly path: string;
  readonly isFolder: boolean;
  readonly mode: number;
}

/** The state folder and what is in it, but for what a person has put there. */
async function walk(state: string, except: string): Promise<Found[]> {
  const found: Found[] = [];
  const visit = async (path: string): Promise<void> => {
    const stats = await lstat(path).catch(() => undefined);
    // A running stack also takes files away. Links have no mode of their own.
    if (stats === undefined || stats.isSymbolicLink() || path === except) return;
    found.push({ path: relative(state, path), isFolder: stats.isDirectory(), mode: stats.mode & 0o777 });
    if (!stats.isDirectory()) return;
    for (const name of await readdir(path).catch(() => [])) await visit(join(path, name));
  };
  await visit(state);
  return found;
}
