import { type IterationScheme, ShuffledScheme } from '@longrun/fuel';
import { RandomStreams } from '@longrun/serialization';
import type { Contestant } from '../contestant.js';
import { median } from '../report.js';
import { BATCH_SIZE, datasetOf, keyedScheme, streamAt } from './examples.js';
import { elapsedMs } from '../elapsed.js';

const POSITIONS = 51;
/** Of each position; of them the median counts. */
const ROUNDS = 5;
/** The slow ones take seconds for each. */
const POSITIONS_OF_SLOW = 5;

/** Milliseconds from the build of a stream to its first batch, at positions all over the epoch, the first and the last among them. */
export interface Resumed {
  /** Of each position, the median. */
  readonly keyed: number[];
  /** With `ShuffledScheme`, which draws the order of the epoch first. */
  readonly shuffled: number[];
  /** With a StatefulDataLoader; null without the peer. */
  readonly peer: number[] | null;
}

/** Streams over so many examples that go on from a position. The dataset is there already. */
export async function resuming(examples: number, loader: Contestant | undefined): Promise<Resumed> {
  const dataset = datasetOf(examples);
  const resume = async (scheme: () => IterationScheme, position: number): Promise<number> =>
    await elapsedMs(async () => {
      const batch = await streamAt(dataset, scheme(), position).next();
      if (batch === undefined) throw new Error(`there is no batch ${position} of ${examples} examples`);
    });
  const keyed = (): IterationScheme => keyedScheme(examples);
  const shuffled = (): IterationScheme =>
    new ShuffledScheme(examples, BATCH_SIZE, { random: new RandomStreams(1).stream('order') });
  const batches = keyed().requestsPerEpoch;
  const resumed: Resumed = { keyed: [], shuffled: [], peer: loader === undefined ? null : [] };
  for (const position of spread(batches, POSITIONS)) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) times.push(await resume(keyed, position));
    resumed.keyed.push(median(times));
  }
  for (const position of spread(batches, POSITIONS_OF_SLOW)) {
    resumed.shuffled.push(await resume(shuffled, position));
    const answer = await loader?.ask({ do: 'resume', batch: position });
    if (answer !== undefined) resumed.peer?.push(1_000 * (answer['seconds'] ?? Number.NaN));
  }
  return resumed;
}

function spread(batches: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor((i * (batches - 1)) / (count - 1)));
}
