import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Contestant } from '../contestant.js';
import { msOf } from './reading.js';
import { ROUNDS, type Sides } from './sides.js';

/** Milliseconds of a conversion of Fashion-MNIST, from raw files in a folder: ours until the file is on the disk. */
export async function converting(raw: string, folder: string, peer: Contestant | undefined): Promise<Sides> {
  const script = fileURLToPath(new URL('converting-process.js', import.meta.url));
  const { contestant } = await Contestant.start('longrun', process.execPath, [script]);
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      const took = await msOf(contestant, { from: raw, to: join(folder, 'ours.hdf5') });
      const answer = peer === undefined ? undefined : await msOf(peer, { from: raw, to: folder });
      await rm(join(folder, 'fuel.hdf5'), { force: true });
      // The first ones find neither files nor code warm.
      if (round === 0) continue;
      ours.push(took);
      if (answer !== undefined) theirs.push(answer);
    }
  } finally {
    contestant.stop();
  }
  return { ours, peer: peer === undefined ? null : theirs };
}
