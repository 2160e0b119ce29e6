import { createHash, randomBytes } from 'node:crypto';
import { open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { acquireLease, CheckpointStore, openObjectStore } from '@longrun/serialization';
import { elapsedMs } from '../elapsed.js';
import { withScratchFolder } from '../scratch-folder.js';

const ROUNDS = 101;
const WARM_UP_ROUNDS = 100;
const STATE_BYTES = 4_096;
/** A blob, its manifest and the head: each a new file that is given its name in a folder. */
const FILES_OF_COMMIT = 3;

/** Milliseconds of each round. */
export interface SmallCommits {
  readonly ours: number[];
  /** As many files written, synced, renamed and their folder synced, one after the other. */
  readonly byHand: number[];
}

/** Commits of a state of 4 KB to a store in a folder; in turn with what the machine takes for the same files. */
export async function smallCommits(): Promise<SmallCommits> {
  return await withScratchFolder(async (folder) => {
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const checkpoints = new CheckpointStore(store, 'bench');
    const lease = await acquireLease(store, 'bench', { fence: 1, holder: 'bench' });
    const path = join(folder, 'state.json');
    const times: SmallCommits = { ours: [], byHand: [] };
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
      const bytes = randomBytes(STATE_BYTES);
      await writeFile(path, bytes, { flush: true });
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const file = { name: 'state.json', path, sha256, sizeBytes: STATE_BYTES };
      const snapshot = { step: WARM_UP_ROUNDS + round, environment: {}, files: [file] };
      const ours = await elapsedMs(() => checkpoints.commit(lease, snapshot));
      await checkpoints.settled();
      const byHand = await elapsedMs(async () => {
        for (let placed = 0; placed < FILES_OF_COMMIT; placed += 1)
          await placeDurably(folder, `${round}-${placed}`, bytes);
      });
      if (round < 0) continue;
      times.ours.push(ours);
      times.byHand.push(byHand);
    }
    return times;
  });
}

async function placeDurably(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, 'temporary');
  await writeFile(temporary, bytes, { flag: 'wx', flush: true });
  await rename(temporary, join(folder, name));
  const handle = await open(folder, 'r');
  await handle.sync();
  await handle.close();
}
