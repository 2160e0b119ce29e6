import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { pidOf } from '../testing/pid-of.js';
import { until } from '../testing/until.js';
import { cpuSecondsOfProcess } from './process-table.js';

test('of two processes that live as long, the one that works has used the time, and one that is gone none', async () => {
  const children = ['for (;;);', 'setInterval(() => {}, 1e6)'].map((code) => spawn(process.execPath, ['-e', code]));
  const pids = children.map(pidOf);
  const used = async (): Promise<number[]> =>
    await Promise.all(pids.map(async (pid) => (await cpuSecondsOfProcess(pid)) ?? 0));
  await until(async () => ((await used())[0] ?? 0) > 3);
  expect((await used())[1]).toBeLessThan(1);
  for (const child of children) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(await cpuSecondsOfProcess(pids[0] ?? 0)).toBeUndefined();
});
