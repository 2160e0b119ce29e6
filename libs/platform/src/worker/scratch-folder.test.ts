import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDeepFolder } from '../testing/deep-folder.js';
import { claimScratchFolder } from './scratch-folder.js';

let state: string;
let reports: string[];

const report = (sentence: string): void => void reports.push(sentence);

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'longrun-scratch-'));
  reports = [];
});

afterEach(async () => {
  process.seteuid?.(process.getuid?.() ?? 0);
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

  const own = await claimScratchFolder(state, 'worker', report);

  expect(own).toBe(join(state, `worker-${hostname()}-${process.pid}`));
  const left = new Set((await readdir(state)).map((name) => join(state, name)));
  expect(left).toEqual(new Set([own, living, elsewhere, otherKind]));
});

test('a folder under our own process id is a predecessor’s', async () => {
  const folder = join(state, `worker-${hostname()}-${process.pid}`);
  await mkdir(folder);
  await writeFile(join(folder, 'snapshot'), 'bytes');
  expect(await claimScratchFolder(state, 'worker', report)).toBe(folder);
  expect(existsSync(join(folder, 'snapshot'))).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'a process id that was given to another process does not protect',
  async () => {
    const reused = join(state, `worker-${hostname()}-${process.ppid}`);
    await mkdir(reused);
    await writeFile(join(reused, 'owner'), '1');
    await claimScratchFolder(state, 'worker', report);
    expect(existsSync(reused)).toBe(false);
  },
);

test('what a dead worker’s children made too deep to delete by its path keeps nobody from starting', async () => {
  const folder = join(state, `worker-${hostname()}-${process.pid}`);
  await mkdir(join(folder, 'trainer-1'), { recursive: true });
  makeDeepFolder(join(folder, 'trainer-1'));
  expect(await claimScratchFolder(state, 'worker', report)).toBe(folder);
  expect(await readdir(folder)).toEqual(['owner']);
  expect(reports).toEqual([]);
});

test.runIf(process.geteuid?.() === 0)(
  '(needs root) what cannot be deleted of a dead worker is said, and another starts',
  async () => {
    const folder = join(state, `worker-${hostname()}-${process.pid}`);
    await mkdir(join(folder, 'of-root'), { recursive: true });
    await writeFile(join(folder, 'of-root', 'file'), 'bytes');
    for (const path of [state, folder]) await chown(path, 1500, 1500);
    process.seteuid?.(1500);
    expect(await claimScratchFolder(state, 'worker', report)).toBe(folder);
    process.seteuid?.(0);
    expect(await readdir(folder)).toEqual(['owner']);
    expect(reports).toEqual([expect.stringContaining(`could not delete ${folder}`)]);
  },
);
