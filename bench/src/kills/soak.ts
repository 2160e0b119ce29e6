import { join } from 'node:path';
import { openObjectStore, RandomStreams } from '@longrun/serialization';
import { writeExamples } from './examples.js';
import { Life, type LifeFacts, type LifeOptions } from './life.js';
import { Quota } from './quota.js';
import { Strikes } from './strikes.js';

export interface SoakOptions extends Pick<LifeOptions, 'environment' | 'program' | 'folder'> {
  /** Of the store. */
  readonly url: string;
  /** How many are killed, in as many runs as it takes. */
  readonly kills: number;
  /** Draws what is done to whom. */
  readonly seed: number;
  /** Aborted when a run has failed, here or elsewhere: those under way come to their ends. */
  readonly failed: AbortController;
  /** Told of each run that is over. Default: nobody is. */
  readonly onLife?: (facts: LifeFacts) => void;
}

/** Runs that go side by side: as some of them wait for their disk, others compute. */
const LANES = 4;

/** Kills so many attempts at runs in a store, and says of each run what has come of it. */
export async function soak(options: SoakOptions): Promise<LifeFacts[]> {
  const { url, environment, program, folder, kills, seed, failed, onLife = () => undefined } = options;
  const dataset = join(folder, 'examples.hdf5');
  await writeExamples(dataset);
  const store = await openObjectStore(url);
  const random = new RandomStreams(seed);
  const quota = new Quota(kills);
  failed.signal.addEventListener('abort', () => quota.end());
  const lives: LifeFacts[] = [];
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (quota.left > 0) {
      begun += 1;
      const strikes = new Strikes(random.stream(`run ${begun}`));
      const life = new Life({ store, environment, program, dataset, folder, number: begun, strikes, quota });
      const facts = await life.live();
      lives.push(facts);
      onLife(facts);
    }
  };
  const stopping = async (): Promise<void> => {
    await lane().catch((error: unknown) => failed.abort(error));
  };
  await Promise.all(Array.from({ length: LANES }, stopping));
  failed.signal.throwIfAborted();
  return lives.toSorted((a, b) => a.number - b.number);
}
