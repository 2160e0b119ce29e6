import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { identify, isAlive, membersOf } from '@longrun/platform/processes';
import { until } from '@longrun/platform/testing';
import { Service, ServiceFailed, type ServiceOptions } from './service.js';

let folder: string;
const services: Service[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-service-'));
});

afterEach(async () => {
  for (const started of services.splice(0)) started.kill();
  await rm(folder, { recursive: true });
});

test('a service is ready when it says so, and stops on SIGTERM', async () => {
  const node = service(
    `process.on('SIGTERM', () => process.exit(0)); console.log('ready'); setInterval(() => {}, 1e3);`,
  );
  const { identity, ready, exited } = await node.start();
  await ready;
  expect(node.pid).toBe(identity.pid);
  expect(await isAlive(identity)).toBe(true);

  expect(await node.stop()).toMatchObject({ pid: identity.pid, how: 'exit code 0', lastLines: ['ready'] });
  expect((await exited).how).toBe('exit code 0');
  expect(await isAlive(identity)).toBe(false);
  expect(node.pid).toBeUndefined();
});

test('one that does not obey SIGTERM gets SIGKILL', async () => {
  const deaf = service(`process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1e3);`, {
    stopTimeoutMs: 100,
  });
  await (
    await deaf.start()
  ).ready;
  expect((await deaf.stop())?.how).toBe('SIGKILL');
});

test('one that is told to stop before it has a number is stopped', async () => {
  const node = service(`setInterval(() => {}, 1e3);`);
  const starting = node.start();
  expect(await node.stop()).toMatchObject({ how: 'SIGTERM' });
  const { identity, ready } = await starting;
  await expect(ready).rejects.toThrow('ended (SIGTERM) as it started');
  expect(await isAlive(identity)).toBe(false);
});

test('one that ends before it is ready fails with the last lines it wrote, and not with those of an earlier start', async () => {
  const broken = service(`console.error('no port ' + process.argv[1]); process.exit(3);`);
  const { ready: first, exited } = await broken.start();
  await expect(first).rejects.toThrow(ServiceFailed);
  await exited;

  const { ready, identity } = await broken.start();
  const error: unknown = await ready.catch((reason: unknown) => reason);
  expect(String(error)).toContain('ended (exit code 3) as it started');
  expect(String(error).match(/no port/g)).toHaveLength(1);
  expect(await isAlive(identity)).toBe(false);
});

test('one that stands still as it starts is given up, with the stage that it was in', async () => {
  const slow = service('', {
    command: '/bin/sh',
    args: ['-c', 'echo "longrun-stage: still loading"; exec sleep 600'],
    patienceMs: 1_000,
    // Its patience is renewed by what it says, and is not measured before.
    isReady: async ({ output }) => {
      await until(() => output().includes('still loading'));
      return false;
    },
  });
  const { ready } = await slow.start();
  await expect(ready).rejects.toThrow(/has not moved for 1 s \(still loading\)\n/);
});

test('one that ends as it starts is said to, in its own words, also while the question whether it is ready hangs', async () => {
  const broken = service(
    `console.log('longrun-stage: opening'); console.error('test: there is no disk'); process.exit(3);`,
    {
      isReady: () => new Promise(() => undefined),
    },
  );
  const { ready } = await broken.start();
  await expect(ready).rejects.toThrow(/^test ended \(exit code 3\) as it started[^\n]*: there is no disk\n/);
});

test('a command that is not there fails by name', async () => {
  const absent = service('', { command: '/nowhere/redis-server' });
  await expect(absent.start()).rejects.toThrow('/nowhere/redis-server');
});

test('what a killed service leaves behind in its group is ended too', async () => {
  const parent = service(
    `const { spawn } = require('node:child_process');
     spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)'], { stdio: 'ignore' }).on('spawn', () => console.log('ready'));`,
    { orphanTimeoutMs: 100 },
  );
  const { identity, ready } = await parent.start();
  await ready;
  // Nothing but a signal ends the second.
  expect(await membersOf(identity.pid)).toHaveLength(2);

  parent.signal('SIGKILL');
  await parent.stop();
  await expect.poll(() => membersOf(identity.pid)).toEqual([]);
});

test('a number that another process has by now is not taken for the old process', async () => {
  const me = await identify(process.pid);
  expect(await isAlive({ pid: process.pid, started: me?.started ?? '' })).toBe(true);
  expect(await isAlive({ pid: process.pid, started: 'another time' })).toBe(false);
});

function service(script: string, options: Partial<ServiceOptions> = {}): Service {
  const made = new Service({
    name: 'test',
    command: process.execPath,
    args: ['-e', script],
    logFile: join(folder, 'test.log'),
    isReady: ({ output }) => output().includes('ready'),
    ...options,
  });
  services.push(made);
  return made;
}
