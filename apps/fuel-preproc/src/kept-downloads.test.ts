import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeptDownloads } from './kept-downloads.js';

let root: string;
let folder: string;
let workFolder: string;
let reports: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longrun-kept-'));
  folder = join(root, 'raw', 'toy');
  workFolder = join(root, 'converter');
  reports = [];
  await mkdir(join(workFolder, 'downloads'), { recursive: true });
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function keep(names: readonly string[], signal = new AbortController().signal): Promise<void> {
  const sha256 = createHash('sha256').update('as published').digest('hex');
  const requiredFiles = names.map((name) => ({ name, urls: [], ...(name === 'unchecked' ? {} : { sha256 }) }));
  const isolation = { share: async (): Promise<void> => {} };
  const kept = new KeptDownloads({ folder, requiredFiles, isolation, report: (sentence) => reports.push(sentence) });
  await kept.keep(workFolder, 'downloads', signal);
}

test('of what a converter left, what is published is kept, and nothing else', async () => {
  const downloads = join(workFolder, 'downloads');
  for (const name of ['good', 'unknown', 'unchecked']) await writeFile(join(downloads, name), 'as published');
  await writeFile(join(downloads, 'forged'), 'as a converter likes it');
  await writeFile(join(root, 'elsewhere'), 'as published');
  await symlink(join(root, 'elsewhere'), join(downloads, 'link'));

  await keep(['good', 'forged', 'link', 'unchecked', 'absent']);

  expect(await readdir(folder)).toEqual(['good']);
  expect(await readFile(join(folder, 'good'), 'utf8')).toBe('as published');
  expect(reports).toEqual([
    expect.stringMatching(/cannot keep forged in .*raw\/toy.*has the sha256 [0-9a-f]{64}, not/),
  ]);
});

test('a file of holes is not read to an end that nobody sees', async () => {
  const file = await open(join(workFolder, 'downloads', 'endless'), 'w');
  await file.truncate(2 ** 43);
  await file.close();
  await keep(['endless']);
  expect(reports).toEqual([expect.stringContaining('what was handed over as endless')]);
});

test('who has to leave keeps no more', async () => {
  await writeFile(join(workFolder, 'downloads', 'good'), 'as published');
  await keep(['good'], AbortSignal.abort());
  expect(reports).toEqual([]);
  await expect(readdir(folder)).rejects.toThrow(/ENOENT/);
});
