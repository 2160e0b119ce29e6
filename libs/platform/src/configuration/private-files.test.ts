import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { makeStateFolder } from './private-files.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'longrun-private-'));
});
afterEach(async () => {
  await rm(parent, { recursive: true });
});

test.each<[string, number, readonly string[], number]>([
  ['that is empty is taken from others', 0o755, [], 0o700],
  ['of Longrun is taken from others', 0o775, ['token', 'something'], 0o700],
  ['of Longrun that others may only pass through stays so', 0o711, ['token'], 0o711],
  ['with other things in it stays as it is', 0o755, ['something'], 0o755],
])('a state folder %s', async (_what, before, files, after) => {
  const folder = join(parent, 'state');
  await mkdir(folder);
  for (const file of files) await writeFile(join(folder, file), '');
  await chmod(folder, before);
  await makeStateFolder(folder);
  expect((await stat(folder)).mode & 0o777).toBe(after);
});

test('a state folder that is not there is made for its user alone', async () => {
  const folder = join(parent, 'new', 'state');
  await makeStateFolder(folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});
