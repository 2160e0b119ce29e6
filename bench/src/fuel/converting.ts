import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fashionMnist } from '@longrun/fuel';
import type { Contestant } from '../contestant.js';
import { elapsedMs } from '../elapsed.js';
import { ROUNDS, type Sides } from './sides.js';

/** Milliseconds of a conversion of Fashion-MNIST, from raw files in a folder: ours until the file is on the disk. */
export async function converting(raw: string, folder: string, peer: Contestant | undefined): Promise<Sides> {
  const path = join(folder, 'ours.hdf5');
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const took = await elapsedMs(() => fashionMnist.convert(raw, path, {}));
    const answer = await peer?.ask({ from: raw, to: folder });
    for (const written of [path, join(folder, 'fuel.hdf5')]) await rm(written, { force: true });
    // The first ones find neither files nor code warm.
    if (round === 0) continue;
    ours.push(took);
    if (answer !== undefined) theirs.push(1_000 * (answer['seconds'] ?? Number.NaN));
  }
  return { ours, peer: peer === undefined ? null : theirs };
}
