import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDeepFolder } from '../testing/deep-folder.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { removeTree } from './remove-tree.js';

const isRoot = process.geteuid?.() === 0;
const USER = 1500;

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'longrun remove ü '));
  folder = join(parent, 'trainer-1');
  await mkdir(folder);
});

afterEach(async () => {
  process.seteuid?.(process.getuid?.() ?? 0);
  await rm(parent, { recursive: true });
});

test('what is deeper than a path can be long is deleted', async () => {
  makeDeepFolder(folder);
  expect(await removeTree(folder)).toBe(undefined);
  expect(await readdir(parent)).toEqual([]);
  expect(await removeTree(folder)).toBe(undefined);
});

test('what deletes it is told no secret, for it may take as long as who made the folders likes', async () => {
  makeDeepFolder(folder);
  const told = join(parent, 'told');
  const script = `#!/bin/sh\nenv > "${told}"\nPATH=${process.env['PATH']} exec rm "$@"\n`;
  await writeFile(join(parent, 'rm'), script, { mode: 0o700 });
  vi.stubEnv('PATH', `${parent}:${process.env['PATH']}`);
  vi.stubEnv('LONGRUN_TOKEN', 'hunter2');
  try {
    expect(await removeTree(folder)).toBe(undefined);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(await readFile(told, 'utf8')).not.toContain('hunter2');
});

test('what a worker that is not root made closed to itself is deleted', async () => {
  const closed = join(folder, 'closed');
  await mkdir(join(closed, 'further'), { recursive: true });
  await writeFile(join(closed, 'file'), 'bytes');
  for (const path of [parent, folder, join(closed, 'further'), join(closed, 'file'), closed])
    if (isRoot) await chown(path, USER, USER);
  await chmod(join(closed, 'further'), 0);
  await chmod(closed, 0o500);
  if (isRoot) process.seteuid?.(USER);
  expect(await removeTree(folder)).toBe(undefined);
  expect(await readdir(parent)).toEqual([]);
});

test.runIf(isRoot)('(needs root) what cannot be deleted is moved out of the way, and said', async () => {
  await mkdir(join(folder, 'of-root'));
  await writeFile(join(folder, 'of-root', 'file'), 'bytes');
  for (const path of [parent, folder]) await chown(path, USER, USER);
  process.seteuid?.(USER);
  const said = await removeTree(folder);
  const [left = '', ...others] = await readdir(parent);
  expect(others).toEqual([]);
  expect(left).toMatch(/^trainer-1\.left-/);
  expect(said).toBe(
    `could not delete ${folder} (EACCES): what is left of it is now ${join(parent, left)}; delete it by hand`,
  );
});
