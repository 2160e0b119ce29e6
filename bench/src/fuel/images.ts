import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Batching,
  ConstantScheme,
  ImagesFromBytes,
  IterableDataset,
  Prefetch,
  RandomFixedSizeCrop,
} from '@longrun/fuel';
import { ndarray } from '@longrun/serialization';
import type { Contestant } from '../contestant.js';
import { msOf, perBatch } from './reading.js';
import { type Amounts, ROUNDS, type Sides } from './sides.js';

/** All images, from the bytes of their files to batches of windows cut out of them. */
export async function decoding(folder: string, { batchSize, window }: Amounts, peer: Contestant): Promise<Sides> {
  const names = (await readdir(join(folder, 'images'))).toSorted();
  const files = await Promise.all(
    names.map(async (name) => {
      const bytes = new Uint8Array(await readFile(join(folder, 'images', name)));
      return ndarray('uint8', [bytes.length], bytes);
    }),
  );
  const sides = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bytes = new Batching(new IterableDataset({ images: files }).exampleStream(), new ConstantScheme(batchSize));
    const images = new RandomFixedSizeCrop(new ImagesFromBytes(bytes), { windowShape: [window, window], seed: 1 });
    const ours = await perBatch(new Prefetch(images, 2), Infinity);
    const theirs = await msOf(peer, { do: 'images', folder });
    if (round === 0) continue;
    sides.ours.push(ours);
    sides.peer.push(theirs);
  }
  return sides;
}
