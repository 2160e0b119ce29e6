import { join } from 'node:path';
import {
  type DataStream,
  DatasetStream,
  H5Dataset,
  IndexableDataset,
  SequentialScheme,
  ShuffledScheme,
} from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import type { Contestant } from '../contestant.js';
import { type Amounts, ROUNDS, type Sides } from './sides.js';

/** How a file holds its rows. */
export const LAYOUTS = ['contiguous', 'chunked', 'gzip'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Batches of random rows in a round. */
const RANDOM_BATCHES = 200;

/** All rows of a contiguous file in order, a batch at a time. */
export async function sequential(folder: string, { rows, batchSize }: Amounts, peer: Contestant): Promise<Sides> {
  const path = join(folder, 'contiguous.hdf5');
  const sides = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const stream = new DatasetStream(
      await H5Dataset.open(path, { whichSets: ['train'] }),
      new SequentialScheme(rows, batchSize),
    );
    const ours = await perBatch(stream, Infinity);
    await stream.close();
    const theirs = await msOf(peer, { do: 'sequential', path });
    // The first ones find neither files nor code warm.
    if (round === 0) continue;
    sides.ours.push(ours);
    sides.peer.push(theirs);
  }
  return sides;
}

/** Batches of random rows of a file, once its chunks were seen. */
export async function random(
  folder: string,
  layout: Layout,
  { rows, batchSize }: Amounts,
  peer: Contestant,
): Promise<Sides> {
  const path = join(folder, `${layout}.hdf5`);
  const scheme = new ShuffledScheme(rows, batchSize, { random: new RandomStreams(1).stream('order') });
  const stream = new DatasetStream(await H5Dataset.open(path, { whichSets: ['train'] }), scheme);
  const sides = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const ours = await perBatch(stream, RANDOM_BATCHES);
    await stream.nextEpoch();
    const theirs = await msOf(peer, { do: 'random', path, batches: RANDOM_BATCHES, seed: round });
    if (round === 0) continue;
    sides.ours.push(ours);
    sides.peer.push(theirs);
  }
  await stream.close();
  return sides;
}

/** Shuffled batches of rows in memory, with the state of the stream after each. */
export async function loading({ rows, width, batchSize }: Amounts, peer: Contestant): Promise<Sides> {
  const dataset = new IndexableDataset({ features: ndarray('uint8', [rows, width]) });
  const scheme = new ShuffledScheme(rows, batchSize, { random: new RandomStreams(1).stream('order') });
  const stream = new DatasetStream(dataset, scheme);
  const batches = Math.min(300, Math.floor(rows / batchSize) - 1);
  const sides = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    await stream.next();
    const ours = await perBatch(stream, batches, true);
    await stream.nextEpoch();
    const theirs = await msOf(peer, { do: 'load', batches });
    if (round === 0) continue;
    sides.ours.push(ours);
    sides.peer.push(theirs);
  }
  return sides;
}

/** Milliseconds of a batch, of so many or of all that are left of the epoch. */
export async function perBatch(stream: DataStream, most: number, areStated = false): Promise<number> {
  let count = 0;
  const begunAt = performance.now();
  for (; count < most; count += 1) {
    const batch = await stream.next();
    if (batch === undefined) break;
    if (areStated) JSON.stringify(batch.state());
    // As whoever trains does after each step.
    batch.release();
  }
  return (performance.now() - begunAt) / count;
}

/** Milliseconds of what a side was asked to do, of each of its batches. @throws Error where it does not say so */
export async function msOf(side: Contestant, request: Readonly<Record<string, string | number>>): Promise<number> {
  const { seconds, batches } = await side.ask(request);
  if (seconds === undefined || batches === undefined)
    throw new Error(`${side.name}: expected {seconds, batches}, but got seconds ${seconds}, batches ${batches}`);
  return (1_000 * seconds) / batches;
}
