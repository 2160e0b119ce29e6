import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { acquireLease, CheckpointStore, openObjectStore } from '@longrun/serialization';
import { z } from 'zod';
import { checkout, median } from '../report.js';
import type { PythonPeer } from './python-peers.js';
import { widthFor } from './saved-network.js';
import { withScratchFolder } from './scratch-folder.js';
import { type Round, WatchedTraining } from './watched-training.js';

const ROUNDS = 5;
/** In each round, before its snapshot. */
const UNDISTURBED_STEPS = 12;
/** How often a checkpoint is made, for the share that it takes. */
const CHECKPOINT_EVERY_MS = 30_000;

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
      await allocatorOfTrainers(),
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

/** What the saves of a training cost it. */
export interface CostOfSaves {
  /** Of a step that nothing disturbs, the median, in ms. */
  readonly step: number;
  /** For how long each snapshot kept the next step from starting, in ms. */
  readonly blocked: readonly number[];
  /** The longest step of each save less an undisturbed one, in ms. */
  readonly stall: readonly number[];
  /** The longest of each save that training was between two steps, in ms; of a peer there is none. */
  readonly outside: readonly number[];
  /** The time that each save added to its steps, in percent of the time between two checkpoints. */
  readonly percent: readonly number[];
}

export function costOf(rounds: readonly Round[]): CostOfSaves {
  const step = median(rounds.flatMap(({ undisturbed }) => undisturbed));
  return {
    step,
    blocked: rounds.map(({ blocked }) => blocked),
    stall: rounds.map(({ disturbed }) => Math.max(...disturbed) - step),
    outside: rounds.flatMap(({ outside }) => outside ?? []),
    percent: rounds.map(({ disturbed }) => {
      const added = disturbed.reduce((sum, time) => sum + time - step, 0);
      return (100 * added) / CHECKPOINT_EVERY_MS;
    }),
  };
}

const PeerRound = z.object({
  undisturbed: z.array(z.number()),
  blocked: z.number(),
  disturbed: z.array(z.number()).min(1),
  saved: z.number(),
});

/** How the C library of a trainer gets memory, as its worker says: for all that train here. */
export async function allocatorOfTrainers(): Promise<Readonly<Record<string, string>>> {
  const built: unknown = await import(join(checkout, 'apps/worker-gpu/dist/supervisor/trainer-environment.js'));
  return WorkerModule.parse(built).trainerEnvironment();
}

const WorkerModule = z.object({
  trainerEnvironment: z.function({ input: [], output: z.record(z.string(), z.string()) }),
});
