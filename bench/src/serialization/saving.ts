import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { acquireLease, CheckpointStore, openObjectStore } from '@longrun/serialization';
import type { Contestant } from '../contestant.js';
import { BigSnapshots, randomTensors } from './big-snapshots.js';
import { took } from './took.js';
import { elapsedMs } from '../elapsed.js';
import { withScratchFolder } from '../scratch-folder.js';

const ROUNDS = 5;
const PIECE_BYTES = 1 << 20;

/** Milliseconds of each round. */
export interface Saved {
  /** From the tensors in memory to an acknowledged commit: a trainer writes the snapshot and hands it over, its worker commits it. */
  readonly ours: number[];
  /** Of the processors while ours went on: near to their number times its length, nothing is left to be done beside. */
  readonly processors: number[];
  /** Of ours, the part after the snapshot was written. */
  readonly commit: number[];
  /** The same bytes written to a new file, and fsync. */
  readonly write: number[];
  /** SHA-256 of the same bytes. */
  readonly sha256: number[];
  /** Null without the peer. */
  readonly python: number[] | null;
}

/** Snapshots committed to a store in a folder; in turn with what a disk and a processor need for the same bytes, and a save in Python. */
export async function saving(bytes: number, python: Contestant | undefined): Promise<Saved> {
  return await withScratchFolder(async (folder) => {
    const store = await openObjectStore(pathToFileURL(join(folder, 'objects')).href);
    const checkpoints = new CheckpointStore(store, 'bench');
    const lease = await acquireLease(store, 'bench', { fence: 1, holder: 'bench' });
    const snapshots = await BigSnapshots.start(folder, bytes);
    const chunks = Array.from(
      randomTensors(bytes).values(),
      ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
    const bare = join(folder, 'bare');
    const saved: Saved = {
      ours: [],
      processors: [],
      commit: [],
      write: [],
      sha256: [],
      python: python === undefined ? null : [],
    };
    for (let round = 0; round <= ROUNDS; round += 1) {
      let commit = 0;
      const ours = await took(async () => {
        const snapshot = await snapshots.handOver(store, round);
        commit = await elapsedMs(() => snapshot.commit(checkpoints, lease));
      });
      await checkpoints.settled();
      const write = await elapsedMs(() => writeSynced(bare, chunks));
      await rm(bare);
      const sha256 = await elapsedMs(() => sha256Of(chunks));
      const answer = await python?.ask({ do: 'save', path: bare });
      await rm(bare, { force: true });
      // The first ones find neither files nor code warm.
      if (round === 0) continue;
      saved.ours.push(ours.elapsed);
      saved.processors.push(ours.processors);
      saved.commit.push(commit);
      saved.write.push(write);
      saved.sha256.push(sha256);
      if (answer !== undefined) saved.python?.push(1_000 * (answer['seconds'] ?? Number.NaN));
    }
    snapshots.stop();
    return saved;
  });
}

async function writeSynced(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx');
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength; start += PIECE_BYTES)
      await file.write(chunk.subarray(start, start + PIECE_BYTES));
  }
  await file.sync();
  await file.close();
}

function sha256Of(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
