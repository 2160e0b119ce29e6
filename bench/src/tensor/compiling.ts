import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@longrun/serialization';
import { Contestant } from '../contestant.js';
import { beginning } from '../networks/network.js';
import { networkNamed } from '../networks/networks.js';
import { checkout } from '../report.js';
import { beginOurs, environment } from './training.js';

const PROCESSES = 5;
const CALLS = 10_000;

/** What compiling and calling took, in each of some processes. */
export interface Compiled {
  /** The training step, compiled as the first thing that its process does with an engine; ms. */
  readonly first: number[];
  /** Its graph built and compiled once more by the same process; ms. */
  readonly again: number[];
  /** The largest of `networks`, as the first thing that its process does with an engine; ms. */
  readonly large: number[];
  /** The same by another process, from the cache on disk; ms. */
  readonly largeCached: number[];
  /** The median of the calls of a function from a scalar to a scalar; us. */
  readonly emptyCall: number[];
}

/**
 * Processes one after the other, as a worker starts them.
 *
 * @param folder for the caches of compiled programs
 */
export async function compiling(start: string, folder: string): Promise<Compiled> {
  const compiled: Compiled = { first: [], again: [], large: [], largeCached: [], emptyCall: [] };
  const large = join(folder, `${LARGE}.safetensors`);
  await writeSafetensors(large, beginning(networkNamed(LARGE)));
  for (let count = 0; count < PROCESSES; count += 1) {
    const { contestant, hello } = await beginOurs(start, { threads: 2, isTuned: true });
    try {
      compiled.first.push(Number(hello['compileMs']));
      compiled.again.push((await contestant.ask({ do: 'compile' }))['ms'] ?? Number.NaN);
      compiled.emptyCall.push((await contestant.ask({ do: 'call', calls: CALLS }))['us'] ?? Number.NaN);
    } finally {
      contestant.stop();
    }
    const cache = join(folder, `compiled-${count}`);
    await mkdir(cache, { mode: 0o700 });
    compiled.large.push(await compilingLarge(large, cache, false));
    compiled.largeCached.push(await compilingLarge(large, cache, true));
  }
  return compiled;
}

const LARGE = 'transformer';

/** What it takes with a cache, in ms. @throws Error unless it is from there just when it should be */
async function compilingLarge(start: string, cache: string, isCached: boolean): Promise<number> {
  const args = [join(checkout, 'bench/dist/networks/ours.js'), '--network', LARGE, '--start', start];
  const env = { ...environment({ isTuned: true }), LONGRUN_COMPILE_CACHE: cache };
  const { contestant, hello } = await Contestant.start('longrun', process.execPath, args, env);
  contestant.stop();
  if (hello['isFromCache'] !== isCached)
    throw new Error(`from the cache: expected ${isCached}, but it says ${String(hello['isFromCache'])}`);
  return Number(hello['compileMs']);
}
