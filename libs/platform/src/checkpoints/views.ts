import type { CheckpointTensors, StoredCheckpointList, StoredCheckpointView } from '@longrun/contracts';
import {
  type CheckpointListing,
  type CheckpointReader,
  type ListedCheckpoint,
  type StoredTensors,
  tensorsOf,
  withPresentHolds,
} from '@longrun/serialization';

/** The checkpoints that a head names, as a list shows them. */
export function checkpointList({ head, checkpoints }: CheckpointListing): StoredCheckpointList {
  const { fence, holder, outcome, log } = head;
  return {
    fence,
    holder,
    outcome,
    log: log === null ? null : { fence: log.fence, createdAt: log.createdAt, rows: rowsIn(log.log) },
    items: checkpoints.map(summary),
  };
}

/**
 * What a checkpoint consists of. Of its files only the headers of tensors are read.
 *
 * @param which As of `CheckpointReader.read`, which also says what it throws
 */
export async function checkpointView(reader: CheckpointReader, which: string): Promise<StoredCheckpointView> {
  return reader.read(
    which,
    async ({ name, entry, manifest }) => {
      const { manifestKey, sha256 } = entry;
      const { files, log, ...facts } = manifest;
      const tensors = await tensorsOf(reader.store, manifest);
      return {
        name,
        manifestKey,
        sha256,
        ...facts,
        files: [...files],
        log: log.map(({ keys, ...segment }) => ({ ...segment, keys: [...keys] })),
        tensors: tensors.map(tensorView),
      };
    },
    { isDoubtful: ({ tensors }) => tensors.some((each) => 'reason' in each) },
  );
}

function summary({ name, entry, manifest, reason }: ListedCheckpoint): StoredCheckpointList['items'][number] {
  const { step } = entry;
  const { holds: present = [] } = withPresentHolds(entry, Date.now());
  const holds = present.map((hold) => ({ name: hold.name, until: hold.until ?? null }));
  if (manifest === undefined) {
    const fence = Number(name.split('-')[1]);
    return { name, step, fence, damage: reason, createdAt: null, sizeBytes: null, files: null, logRows: null, holds };
  }
  const { fence, createdAt, files, log } = manifest;
  return {
    name,
    step,
    fence,
    damage: null,
    createdAt,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    files: files.map((file) => ({ name: file.name, sha256: file.sha256, sizeBytes: file.sizeBytes })),
    logRows: rowsIn(log),
    holds,
  };
}

function tensorView({ file, tensors, reason }: StoredTensors): CheckpointTensors {
  if (tensors === undefined) return { file, reason };
  return { file, tensors: [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape: [...shape] })) };
}

function rowsIn(log: readonly { readonly rows: number }[]): number {
  return log.reduce((sum, { rows }) => sum + rows, 0);
}
