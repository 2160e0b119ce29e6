import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pidOf } from '@longrun/platform/testing';
import { announce, announcementOf, announcementPath, claim, withdraw } from './announcement.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-announcement-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('announcement', () => {
  test('is written whole, replaces an older one, and is withdrawn', async () => {
    await writeFile(announcementPath(folder), '{"url": "http://127.0.');
    expect(await announcementOf(folder)).toBeUndefined();
    const mine = { url: 'http://127.0.0.1:1', pid: process.pid };
    await announce(folder, mine);
    expect(await announcementOf(folder)).toEqual(mine);
    expect(await readdir(folder)).toEqual(['api.json']);
    await withdraw(folder);
    expect(await readdir(folder)).toEqual([]);
    await withdraw(folder);
  });

  test('of another process is not withdrawn', async () => {
    await announce(folder, { url: 'http://127.0.0.1:1', pid: process.ppid });
    await withdraw(folder);
    expect(await readFile(announcementPath(folder), 'utf8')).toContain(String(process.ppid));
  });
});

describe('claim', () => {
  test('refuses while another process that lives has the folder, though it answers nothing', async () => {
    const holds = `
      const { FolderLock } = await import('@longrun/platform/processes');
      await FolderLock.take(${JSON.stringify(join(folder, 'api-lock'))});
      process.stdout.write('held');
      setInterval(() => {}, 1e6);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', holds], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    other.kill('SIGSTOP');
    await expect(claim(folder)).rejects.toThrow(
      `in use by process ${other.pid}, which does not listen yet; stop it, or give another folder in LONGRUN_STATE`,
    );
    await announce(folder, { url: 'http://127.0.0.1:1', pid: pidOf(other) });
    await expect(claim(folder)).rejects.toThrow(`in use by process ${other.pid}, which listens at http://127.0.0.1:1;`);
    other.kill('SIGKILL');
    await once(other, 'exit');
    const mine = await claim(folder);
    await mine.release();
    await (await claim(folder)).release();
  });
});
