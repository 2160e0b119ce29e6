import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { trainerEnvironment } from './trainer-environment.js';

/** Allocates and frees an array again and again, as a step does with the new and the old state, and says how many pages were new. */
const STEPS = `
  const { port1 } = new MessageChannel();
  port1.close();
  const step = () => port1.postMessage(undefined, [Buffer.allocUnsafeSlow(48 << 20).fill(1).buffer]);
  for (let i = 0; i < 5; i += 1) step();
  const before = process.resourceUsage().minorPageFault;
  for (let i = 0; i < 20; i += 1) step();
  process.stdout.write(String(process.resourceUsage().minorPageFault - before));
`;

/** Has several threads allocate, and says how many arenas there are beside the heap: each has 64 MiB of addresses, of which it uses the first. */
const ARENAS = `
  const { deflate } = require('node:zlib');
  const { readFileSync } = require('node:fs');
  let left = 16;
  const done = () => {
    left -= 1;
    if (left > 0) return;
    const maps = readFileSync('/proc/self/maps', 'utf8').split('\\n').map((line) => line.split(/[- ]/));
    const bytes = (text) => Number.parseInt(text, 16);
    process.stdout.write(String(maps.filter(([start, end, ...access], i) => {
      const next = maps[i + 1] ?? [];
      const reserved = bytes(next[1]) - bytes(start);
      return bytes(start) % (64 << 20) === 0 && access[0] === 'rw' && next[0] === end && next[2] === '' && reserved === 64 << 20;
    }).length));
  };
  for (let i = 0; i < 16; i += 1) deflate(Buffer.alloc(1 << 22), done);
`;

const isGlibc = JSON.stringify(process.report.getReport()).includes('"glibcVersionRuntime"');

test.skipIf(!isGlibc)(
  'what a step frees, however large, the next one has again without asking the system',
  async () => {
    // Mapped anew, even in huge pages each array would have some 24.
    expect(await printed(STEPS)).toBeLessThan(20 * 12);
  },
);

test.skipIf(!isGlibc)('threads of a trainer have no heaps of their own', async () => {
  expect(await printed(ARENAS, { MALLOC_ARENA_MAX: '4' })).toBeGreaterThan(0);
  expect(await printed(ARENAS)).toBe(0);
});

/** The number that a script prints in the environment of a trainer, whose worker's says this of it. */
async function printed(script: string, ofWorker: NodeJS.ProcessEnv = {}): Promise<number> {
  const env = { ...process.env, ...trainerEnvironment(ofWorker) };
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env });
  return Number(stdout);
}
