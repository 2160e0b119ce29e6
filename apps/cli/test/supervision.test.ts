import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { CommandLine, type RunningStack } from './command-line.js';

let folder: string;
let stack: RunningStack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-supervision-'));
  stack = await new CommandLine(folder, { environment: { LONGRUN_TOKEN: 'of-the-api-alone' } }).up();
});

afterAll(async () => {
  await stack.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

test.runIf(existsSync('/proc/self/environ'))('only the API is told its token', async () => {
  const told = async (service: string): Promise<string> =>
    await readFile(`/proc/${stack.pidOf(service)}/environ`, 'latin1');
  // Of what it hides, the names stay.
  expect(await told('api')).toContain('LONGRUN_TOKEN=');
  for (const worker of ['fuel-preproc', 'worker-gpu']) {
    expect(await told(worker)).toContain('LONGRUN_STATE=');
    expect(await told(worker)).not.toContain('LONGRUN_TOKEN=');
  }
});

test('a restart that cannot be written down is said, supervised all the same, and written down when it can be', async () => {
  const claim = join(folder, 'up.json');
  await rm(claim);
  await mkdir(claim);
  await kill('fuel-preproc');
  expect(await stack.next('unrecorded', 'fuel-preproc')).toMatchObject({ why: expect.stringContaining('EISDIR') });
  await stack.next('ready', 'fuel-preproc');
  await kill('fuel-preproc');
  await stack.next('ready', 'fuel-preproc');

  await rm(claim, { recursive: true });
  await expect
    .poll(() => readFile(claim, 'utf8').catch(() => ''))
    .toContain(`"fuel-preproc":{"pid":${stack.pidOf('fuel-preproc')},`);
});

test('a restart that fails before there is a process is said, and tried again', async () => {
  const logs = join(folder, 'logs');
  await rename(logs, `${logs}-aside`);
  await writeFile(logs, '');
  await kill('fuel-preproc');
  expect(await stack.next('failed', 'fuel-preproc')).toMatchObject({
    error: { message: expect.stringMatching(/^fuel-preproc cannot be started: E[^\n]*$/) },
    restartInMs: expect.any(Number),
  });
  // In one step: a restart makes a folder where it finds nothing.
  await symlink(`${logs}-aside`, `${logs}-back`);
  await rename(`${logs}-back`, logs);
  await stack.next('ready', 'fuel-preproc');
});

async function kill(service: string): Promise<void> {
  process.kill(stack.pidOf(service), 'SIGKILL');
  expect(await stack.next('died', service)).toMatchObject({ restartInMs: expect.any(Number) });
}
