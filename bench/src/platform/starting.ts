import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ApiProcess } from './api-process.js';
import { cpuSecondsOf, peakMegabytesOf } from './process-cost.js';
import { withServers } from './servers.js';

const STARTS = 5;

/** What a start took until it was ready. */
export interface Start {
  /** User and system, with that of processes that it started and waited for. */
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  readonly wallSeconds: number;
}

/** Starts of the API on an empty folder, with its embedded record, and in turn with them of nothing but PGlite on one. */
export async function starting(): Promise<{ ours: Start[]; peer: Start[] }> {
  const [ours, peer]: [Start[], Start[]] = [[], []];
  for (let start = 0; start <= STARTS; start += 1) {
    const api = await withServers('PGlite', async (servers) => {
      const before = performance.now();
      const started = await ApiProcess.start(servers);
      const wallSeconds = (performance.now() - before) / 1000;
      const took = { cpuSeconds: started.cpuSeconds(), peakMegabytes: started.peakMegabytes(), wallSeconds };
      await started.stop();
      return took;
    });
    const bare = await withServers('PGlite', ({ folder }) => barePglite(join(folder, 'pgdata')));
    // The first ones read everything from the disk.
    if (start > 0) {
      ours.push(api);
      peer.push(bare);
    }
  }
  return { ours, peer };
}

async function barePglite(folder: string): Promise<Start> {
  const before = performance.now();
  const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', OPENING, '--', library, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(failed)]);
  const wallSeconds = (performance.now() - before) / 1000;
  const pid = pidOf(child);
  const took = { cpuSeconds: cpuSecondsOf(pid), peakMegabytes: peakMegabytesOf(pid), wallSeconds };
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}

const OPENING = `
  const { PGlite } = await import(process.argv[1]);
  const opened = await PGlite.create(process.argv[2]);
  process.stdout.write('ready');
  setInterval(() => opened, 1000);
`;

function failed([code]: unknown[]): never {
  throw new Error(`PGlite alone ended with exit code ${String(code)}; its own words are above`);
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('PGlite alone could not be started');
  return child.pid;
}
