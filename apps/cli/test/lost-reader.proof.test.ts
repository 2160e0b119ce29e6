import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { membersOf } from '@longrun/platform/processes';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { CommandLine } from './command-line.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-reader-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('`up` whose terminal is gone stops everything in order', async () => {
  const up = new CommandLine(folder).start('--state', folder, 'up');
  await up.line(/Ctrl\+C stops everything/);
  const pids = [...up.stderr.matchAll(/ready after .* \(process (\d+)\)/g)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(4);

  up.loseReader();
  // Once by the kernel, once by the shell.
  up.signal('SIGHUP');
  up.signal('SIGHUP');
  expect(await up.ended()).toBe(129);
  expect((await Promise.all(pids.map(membersOf))).flat()).toEqual([]);
});

test('`up --json` stops everything when its reader has seen enough', async () => {
  const up = new CommandLine(folder).start('--state', folder, 'up', '--json');
  await up.line(/"kind":"started"/);
  const [, redis] = /"kind":"started","service":"redis","pid":(\d+)/.exec(up.stdout) ?? [];
  up.loseReader();
  expect(await up.ended()).toBe(129);
  expect(await membersOf(Number(redis))).toEqual([]);
  // What was stopped in order leaves no claim behind.
  const again = new CommandLine(folder);
  const stack = await again.up();
  expect(stack.lines.filter(({ kind }) => kind === 'leftover')).toEqual([]);
  expect(await stack.end('SIGTERM')).toBe(0);
});

test('a command that only shows has done its work when its reader has seen enough', async () => {
  const help = new CommandLine(folder).start('--help');
  help.loseReader();
  expect(await help.ended()).toBe(0);
});
