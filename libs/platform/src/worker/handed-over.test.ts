import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HandoverRefused, openHandedOver } from './handed-over.js';

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longrun-handed-over-'));
  folder = join(root, 'child');
  await mkdir(join(folder, 'snapshots', 'step-1'), { recursive: true });
  await mkdir(join(root, 'foreign'));
  await writeFile(join(root, 'foreign', 'secret'), 'not for a checkpoint');
  await writeFile(join(folder, 'snapshots', 'step-1', 'state.json'), '{}');
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

test('what was opened is read, whatever is put in its place', async () => {
  const file = join(folder, 'snapshots', 'step-1', 'state.json');
  const handle = await openHandedOver(folder, 'snapshots', 'step-1', 'state.json');
  await rename(file, `${file}.old`);
  await symlink(join(root, 'foreign', 'secret'), file);
  expect(await handle.readFile('utf8')).toBe('{}');
  await handle.close();
  expect(await readFile(file, 'utf8')).toBe('not for a checkpoint');
});

test.each<[string, (step: string) => Promise<unknown>]>([
  ['a link to a foreign file', (step) => symlink(join(root, 'foreign', 'secret'), join(step, 'secret'))],
  ['another name of a foreign file', (step) => link(join(root, 'foreign', 'secret'), join(step, 'secret'))],
  ['a folder', (step) => mkdir(join(step, 'secret'))],
  ['nothing', async () => undefined],
  ['a pipe that nobody writes to', async (step) => execFileSync('mkfifo', [join(step, 'secret')])],
  ['a device', async (step) => await symlink('/dev/zero', join(step, 'secret'))],
  [
    'a link in the place of its folder',
    async (step) => {
      await rename(step, `${step}.old`);
      await symlink(join(root, 'foreign'), step);
    },
  ],
  [
    'a link in the place of the folder above',
    async () => {
      await mkdir(join(root, 'elsewhere', 'step-1'), { recursive: true });
      await link(join(root, 'foreign', 'secret'), join(root, 'elsewhere', 'step-1', 'secret'));
      await rename(join(folder, 'snapshots'), join(folder, 'was'));
      await symlink(join(root, 'elsewhere'), join(folder, 'snapshots'));
    },
  ],
])('%s is refused', async (_, make) => {
  await make(join(folder, 'snapshots', 'step-1'));
  await expect(openHandedOver(folder, 'snapshots', 'step-1', 'secret')).rejects.toThrow(HandoverRefused);
});

test('a socket is refused', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
  await expect(openHandedOver(folder, 'socket')).rejects.toThrow(/no plain file/);
  await new Promise((resolve) => server.close(resolve));
});
