import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programsCheck } from './programs-check.js';

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'longrun-programs-'));
  folder = join(parent, 'programs');
  await mkdir(folder);
});

afterEach(async () => {
  await rm(parent, { recursive: true });
});

test('a folder that is still empty serves, and one whose programs have gone does not, until they are back', async () => {
  const check = programsCheck(folder);
  await check();
  await writeFile(join(folder, 'mlp.mjs'), '');
  await check();
  await rm(join(folder, 'mlp.mjs'));
  await expect(check()).rejects.toThrow(`The programs folder ${folder} has no program any more that can be read`);
  await writeFile(join(folder, 'mlp.mjs'), '');
  await check();
  await rm(folder, { recursive: true });
  await expect(check()).rejects.toThrow(`The programs folder ${folder} cannot be read: ENOENT`);
});

test('what an editor leaves, and a module that cannot be read, do no harm to the others', async () => {
  await writeFile(join(folder, 'mlp.mjs'), '');
  await symlink('nobody@nowhere.1', join(folder, '.#mlp.mjs'));
  await symlink('nowhere.mjs', join(folder, 'gone.mjs'));
  const check = programsCheck(folder);
  await check();
  await check();
});
