import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControlGroups } from './control-groups.js';

/** A folder that looks like cgroup v2; it limits nobody, and holds what was written to it. */
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longrun-cgroup-'));
  await makeGroup('');
  await makeGroup('system.slice/longrun.service');
  await makeGroup('system.slice/longrun.service/longrun-worker');
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function makeGroup(path: string, controllers = 'cpu memory pids'): Promise<void> {
  await mkdir(join(root, path), { recursive: true });
  await writeFile(join(root, path, 'cgroup.controllers'), `${controllers}\n`);
  await writeFile(join(root, path, 'cgroup.subtree_control'), '\n');
}

function found(path: string): ControlGroups {
  const groups = ControlGroups.find({ root, membership: `12:pids:/elsewhere\n0::${path}\n` });
  if (typeof groups === 'string') throw new Error(groups);
  return groups;
}

test('groups are made beside the group of the worker, with a limit for all that is put into one', async () => {
  const service = join(root, 'system.slice/longrun.service');
  // What is tried leaves files behind here, which the kernel would have taken away.
  await rm(join(service, `longrun-trial-${process.pid}`), { recursive: true, force: true });
  const group = found('/system.slice/longrun.service/longrun-worker').make('one', 300_000_000);
  expect(await readFile(join(service, 'cgroup.subtree_control'), 'utf8')).toBe('+memory');
  const folder = join(service, 'longrun-one');
  expect(await readFile(join(folder, 'memory.max'), 'utf8')).toBe('300000000');

  group.add(4711);
  expect(await readFile(join(folder, 'cgroup.procs'), 'utf8')).toBe('4711');
  await writeFile(join(folder, 'cgroup.procs'), '4711\n4712\n');
  expect(group.pids).toEqual([4711, 4712]);

  expect(group.isExhausted).toBe(false);
  await writeFile(join(folder, 'memory.events'), 'low 0\nhigh 0\nmax 17\noom 1\noom_kill 0\noom_group_kill 0\n');
  expect(group.isExhausted).toBe(false);
  await writeFile(join(folder, 'memory.events'), 'low 0\nhigh 0\nmax 17\noom 1\noom_kill 2\noom_group_kill 1\n');
  expect(group.isExhausted).toBe(true);
  await writeFile(join(folder, 'memory.peak'), '299999232\n');
  expect(group.peakBytes).toBe(299_999_232);

  await writeFile(join(folder, 'cgroup.kill'), '');
  group.kill();
  expect(await readFile(join(folder, 'cgroup.kill'), 'utf8')).toBe('1');

  for (const name of await readdir(folder)) await rm(join(folder, name));
  group.remove();
  expect(await readdir(service)).not.toContain('longrun-one');
});

test('where no group can be made, the reason is said', async () => {
  expect(ControlGroups.find({ root: '/nowhere', membership: '0::/\n' })).toBe('there is no cgroup v2');
  expect(ControlGroups.find({ root, membership: '4:memory:/process\n' })).toBe('there is no cgroup v2');
  await makeGroup('pods', 'cpu pids');
  expect(ControlGroups.find({ root, membership: '0::/pods\n' })).toBe(`${join(root, 'pods')} has no memory controller`);
  expect(ControlGroups.find({ root, membership: '0::/gone\n' })).toMatch(/ENOENT.*gone/);
});
