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
  console.log(process.resourceUsage().minorPageFault - before);
`;

const isGlibc = JSON.stringify(process.report.getReport()).includes('"glibcVersionRuntime"');

test.skipIf(!isGlibc)(
  'what a step frees, however large, the next one has again without asking the system',
  async () => {
    const env = { ...process.env, ...trainerEnvironment({}) };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', STEPS], { env });

    // Mapped anew, even in huge pages each array would have some 24.
    expect(Number(stdout)).toBeLessThan(20 * 12);
  },
);
