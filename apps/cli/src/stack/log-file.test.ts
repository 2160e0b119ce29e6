import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@longrun/platform/testing';
import { expect, onTestFinished, test } from 'vitest';

import { LogFile } from './log-file.js';

test('the log of a service that writes and writes is put aside while it runs, and its newest lines can be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longrun-log-'));
  const path = join(folder, 'logs', 'test.log');
  const log = new LogFile(path, { rotateAtBytes: 100_000, lookEveryMs: 10 });
  const writes = `let line = 0; setInterval(() => { for (let i = 0; i < 500; i += 1) console.log('line ' + (line += 1)); }, 1);`;
  const service = spawn(process.execPath, ['-e', writes], { stdio: ['ignore', log.descriptor, log.descriptor] });
  onTestFinished(() => void service.kill('SIGKILL'));
  closeSync(log.descriptor);
  const newest = (text: string): number => Number(/line (\d+)\n$/.exec(text)?.[1] ?? 0);

  // Fifty times as much as may lie there.
  await until(() => newest(log.read()) > 400_000 && statSync(path).size < 200_000);
  // At once: between two reads it may be written anew.
  const aside = readFileSync(`${path}.1`, 'utf8');
  expect(aside.length).toBeLessThan(2_000_000);
  expect(newest(aside)).toBeGreaterThan(1_000);
  expect(statSync(`${path}.1`).mode & 0o777).toBe(0o600);

  service.kill('SIGKILL');
  await once(service, 'exit');
  log.end();
  await rm(folder, { recursive: true });
});
