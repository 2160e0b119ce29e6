import { randomUUID } from 'node:crypto';

import { type CheckpointEntry, holdCheckpoint, type ObjectStore, releaseCheckpoint } from '@longrun/serialization';

import { URL_VALID_MS } from './stored-file.js';

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

/**
 * Keeps a checkpoint for as long as a URL that is made now can be asked, and what was asked by then be read. One hold does for all who are given a URL:
 * nobody says when they have read, and it passes by itself. It is put on anew only where less than that is left of it.
 *
 * @param entry as the head names it
 * @throws CheckpointAbsent where it is there no more; TooManyHolds
 */
export async function holdForUrls(
  store: ObjectStore,
  prefix: string,
  { manifestKey, holds = [] }: CheckpointEntry,
): Promise<void> {
  const nowMs = Date.now();
  const isLongEnough = holds.some(
    ({ name, until }) =>
      name === BY_URL && until !== undefined && Date.parse(until) >= nowMs + URL_VALID_MS + READING_MS,
  );
  if (isLongEnough) return;
  const until = new Date(nowMs + URL_VALID_MS + READING_MS + RENEWED_MS).toISOString();
  await holdCheckpoint(store, prefix, manifestKey, { name: BY_URL, until });
}

/** A hold that is there may not last for long enough: only `until` counts. */
const BY_URL = 'download by URL';
/** What one answer of the store may take; whoever is cut off asks for the rest by another URL, which holds anew. */
const READING_MS = 3_600_000;
/** How often the head is written at most. */
const RENEWED_MS = 600_000;
