import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkFolder, checkInChild } from './worker-checks.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-check-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a folder that can be written to passes, made if it has to be, and nothing is left in it', async () => {
  await checkFolder(join(folder, 'new', 'cache'));
  expect(await readdir(folder, { recursive: true })).toEqual(['new', 'new/cache']);
});

test('a folder that cannot be is named, with what the system says', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(checkFolder(join(folder, 'file'))).rejects.toThrow(/^The folder \S+file does not serve: EEXIST/);
});

test('a child passes or fails the check, in its own words, in the folder that it is given', async () => {
  const run = async (code: string): Promise<void> => {
    const script = join(folder, 'check.mjs');
    const runCheck = new URL('../child/index.ts', import.meta.url).pathname
      .replace('/src/', '/dist/')
      .replace('.ts', '.js');
    await writeFile(
      script,
      `import { runCheck } from ${JSON.stringify(runCheck)};\nawait runCheck(async () => { ${code} });`,
    );
    const work = join(folder, 'work');
    await mkdir(work, { recursive: true });
    await checkInChild(script, work);
  };
  await run(`(await import('node:fs')).writeFileSync('here', '');`);
  expect(await readdir(join(folder, 'work'))).toEqual(['here']);
  await expect(run(`throw new Error('the device\\n  is gone');`)).rejects.toThrow(/^the device is gone$/);
  await expect(run(`process.kill(process.pid, 'SIGSEGV');`)).rejects.toThrow(/check\.mjs ended with SIGSEGV/);
  await expect(checkInChild(join(folder, 'none.mjs'), folder)).rejects.toThrow(
    /none\.mjs ended with 1: .*Cannot find module/s,
  );
});
