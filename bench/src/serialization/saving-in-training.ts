import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { acquireLease, CheckpointStore, openObjectStore } from '@longrun/serialization';
import { trainerEnvironment } from '@longrun/platform/processes';
import { z } from 'zod';
import type { PythonPeer } from '../python-peer.js';
import { widthFor } from './saved-network.js';
import { withScratchFolder } from '../scratch-folder.js';
import { type Round, WatchedTraining } from './watched-training.js';

const ROUNDS = 5;
/** In each round, before its snapshot: as many as are done until it is committed. */
const UNDISTURBED_STEPS = 40;

/** Of each round. */
export interface SavedInTraining {
  readonly ours: Round[];
  /** One for each way in which DCP writes; without the peer none. */
  readonly peers: ReadonlyMap<string, Round[]>;
}

/** Trainings with parameters and moments of so many bytes that are saved as they go on; ours and those of PyTorch in turn. */
export async function savingInTraining(
  bytes: number,
  peers: ReadonlyMap<string, PythonPeer>,
): Promise<SavedInTraining> {
  return await withScratchFolder(async (folder) => {
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const where = {
      store,
      checkpoints: new CheckpointStore(store, 'bench'),
      lease: await acquireLease(store, 'bench', { fence: 1, holder: 'bench' }),
    };
    const training = await WatchedTraining.start(
      join(folder, 'snapshots'),
      widthFor(bytes),
      where,
      trainerEnvironment(),
    );
    try {
      const saved: SavedInTraining = { ours: [], peers: new Map([...peers.keys()].map((name) => [name, []])) };
      for (let round = 0; round <= ROUNDS; round += 1) {
        const ours = await training.round(UNDISTURBED_STEPS);
        // The first ones find neither memory nor code warm.
        if (round > 0) saved.ours.push(ours);
        for (const [name, { contestant }] of peers) {
          const request = { steps: UNDISTURBED_STEPS, path: join(folder, 'peer') };
          const answer = await contestant?.askFor(PeerRound, request);
          if (answer !== undefined && round > 0) saved.peers.get(name)?.push(answer);
        }
      }
      return saved;
    } finally {
      training.stop();
    }
  });
}

const PeerRound = z.object({
  undisturbed: z.array(z.number()),
  blocked: z.number(),
  disturbed: z.array(z.number()).min(1),
  saved: z.number(),
});
