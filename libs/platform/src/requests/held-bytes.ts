import { randomUUID } from 'node:crypto';

import { holdCheckpoint, type ObjectStore, releaseCheckpoint } from '@longrun/serialization';

/** Which checkpoint bytes are of. */
export interface HeldCheckpoint {
  readonly store: ObjectStore;
  readonly prefix: string;
  readonly manifestKey: string;
  /** How long it is held without a sign of whoever reads, in ms: then the hold passes by itself. */
  readonly holdMs: number;
}

/**
 * Bytes of a checkpoint, which is held as `download <uuid>` while they are read: no commit removes it meanwhile. The hold is prolonged as they flow, and
 * released when they have ended or nobody wants more of them.
 *
 * @throws CheckpointAbsent before the first of them, where it is there no more
 */
export async function* heldBytes(
  bytes: AsyncIterable<Uint8Array>,
  { store, prefix, manifestKey, holdMs }: HeldCheckpoint,
): AsyncGenerator<Uint8Array> {
  const name = `download ${randomUUID()}`;
  const hold = async (): Promise<number> => {
    const until = new Date(Date.now() + holdMs).toISOString();
    await holdCheckpoint(store, prefix, manifestKey, { name, until });
    return performance.now() + holdMs / 2;
  };
  let prolongAtMs = await hold();
  try {
    for await (const piece of bytes) {
      yield piece;
      if (performance.now() >= prolongAtMs) prolongAtMs = await hold();
    }
  } finally {
    // What cannot be released now passes by itself.
    await releaseCheckpoint(store, prefix, manifestKey, name).catch(() => undefined);
  }
}
