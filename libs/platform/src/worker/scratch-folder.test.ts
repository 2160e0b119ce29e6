import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimScratchFolder } from './scratch-folder.js';

let state: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'longrun-scratch-'));
});

afterEach(async () => {
  await rm(state, { recursive: true });
});

test('scratch of dead processes is removed, that of living ones and of other hosts is not', async () => {
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  const deadFolder = join(state, `worker-${hostname()}-${dead.pid}`);
  const living = join(state, `worker-${hostname()}-${process.ppid}`);
  const elsewhere = join(state, `worker-elsewhere-${dead.pid}`);
  const otherKind = join(state, `preproc-${hostname()}-${dead.pid}`);
  for (const folder of [deadFolder, living, elsewhere, otherKind]) await mkdir(folder);
  await writeFile(join(deadFolder, 'snapshot'), 'bytes');

  const own = await claimScratchFolder(state, 'worker');

  expect(own).toBe(join(state, `worker-${hostname()}-${process.pid}`));
  const left = new Set((await readdir(state)).map((name) => join(state, name)));
  expect(left).toEqual(new Set([own, living, elsewhere, otherKind]));
});

test('a folder under our own process id is a predecessor’s', async () => {
  const folder = join(state, `worker-${hostname()}-${process.pid}`);
  await mkdir(folder);
  await writeFile(join(folder, 'snapshot'), 'bytes');
  expect(await claimScratchFolder(state, 'worker')).toBe(folder);
  expect(existsSync(join(folder, 'snapshot'))).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'a process id that was given to another process does not protect',
  async () => {
    const reused = join(state, `worker-${hostname()}-${process.ppid}`);
    await mkdir(reused);
    await writeFile(join(reused, 'owner'), '1');
    await claimScratchFolder(state, 'worker');
    expect(existsSync(reused)).toBe(false);
  },
);
