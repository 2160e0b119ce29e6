import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rm } from 'node:fs/promises';
import { acquireLease, CheckpointStore, openObjectStore, readSafetensors } from '@longrun/serialization';
import type { Contestant } from '../contestant.js';
import { BigSnapshots } from './big-snapshots.js';
import { withScratchFolder } from '../scratch-folder.js';

const ROUNDS = 5;

/** Milliseconds of each round. */
export interface Restored {
  /** The newest checkpoint that is whole copied to a folder, and all its tensors read. */
  readonly ours: number[];
  /** Of that, the copy alone. */
  readonly copy: number[];
  /** The same file loaded and its SHA-256 taken; null without the peer. */
  readonly python: number[] | null;
}

/** A checkpoint restored from a store in a folder, by one who has not written it; in turn with the same file loaded in Python. */
export async function restoring(bytes: number, python: Contestant | undefined): Promise<Restored> {
  return await withScratchFolder(async (folder) => {
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const lease = await acquireLease(store, 'bench', { fence: 1, holder: 'bench' });
    const snapshots = await BigSnapshots.start(folder, bytes);
    const snapshot = await snapshots.handOver(store, 1);
    await snapshot.commit(new CheckpointStore(store, 'bench'), lease);
    snapshots.stop();
    const target = join(folder, 'restored');
    const restored: Restored = { ours: [], copy: [], python: python === undefined ? null : [] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      await rm(target, { recursive: true, force: true });
      const startedAt = performance.now();
      const newest = await new CheckpointStore(store, 'bench').newestValid(target);
      const copy = performance.now() - startedAt;
      if (newest.manifest === undefined) throw new Error('the checkpoint that was committed is not there');
      for (const { name } of newest.manifest.files) await readSafetensors(join(newest.folder, name));
      const ours = performance.now() - startedAt;
      const answer = await python?.ask({ do: 'load', path: snapshots.path });
      // The first ones find neither files nor code warm.
      if (round === 0) continue;
      restored.ours.push(ours);
      restored.copy.push(copy);
      if (answer !== undefined) restored.python?.push(1_000 * (answer['seconds'] ?? Number.NaN));
    }
    return restored;
  });
}
