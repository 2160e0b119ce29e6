import { DeletionFailed, type ObjectStore } from '../store/object-store.js';
import { segmentKeysOf } from '../log/log-segment.js';
import type { CheckpointEntry, Head, RunLog } from './head.js';
import { objectKeysOf } from './manifest.js';
import type { Manifests } from './manifests.js';

/**
 * The manifests, blobs and log segments under a prefix that neither a checkpoint nor the log in the head needs any more.
 *
 * An object is garbage if the head named it once and does so no more, or if an earlier fence wrote it and the head does not name
 * it: that fence can commit no more, and a later one names again only what the head names. What the present fence has
 * written and not committed is never garbage: it may be about to be.
 */
export class Garbage {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #manifests: Manifests;
  readonly #keys = new Set<string>();
  #sweptFence: number | undefined;

  constructor(store: ObjectStore, prefix: string, manifests: Manifests) {
    this.#store = store;
    this.#prefix = prefix;
    this.#manifests = manifests;
  }

  /** Removes all garbage, `dropped` being what the head does not name any more. What fails is tried again next time. */
  async collect(dropped: Dropped, head: Head): Promise<void> {
    for (const key of segmentKeysOf(dropped.log?.log ?? [])) this.#keys.add(key);
    for (const entry of dropped.checkpoints) {
      const manifest = await this.#manifests.find(entry);
      this.#keys.add(entry.manifestKey);
      for (const key of manifest === undefined ? [] : objectKeysOf(manifest)) this.#keys.add(key);
    }
    const needed = await this.#neededBy(head);
    if (needed === undefined) return;
    if (this.#sweptFence !== head.fence) {
      await this.#addLeftovers(head.fence);
      this.#sweptFence = head.fence;
    }
    for (const key of needed) this.#keys.delete(key);
    const keys = [...this.#keys];
    try {
      await this.#store.delete(keys);
      this.#keys.clear();
    } catch (error) {
      if (!(error instanceof DeletionFailed)) throw error;
      this.#keys.clear();
      for (const { key } of error.failed) this.#keys.add(key);
      throw error;
    } finally {
      this.#manifests.forget(keys);
    }
  }

  /** Everything the head needs; undefined if one of its checkpoints cannot say, in which case nothing can be removed. */
  async #neededBy(head: Head): Promise<Set<string> | undefined> {
    const needed = new Set(segmentKeysOf(head.log?.log ?? []));
    for (const entry of head.checkpoints) {
      const manifest = await this.#manifests.find(entry);
      if (manifest === undefined) return undefined;
      needed.add(entry.manifestKey);
      for (const key of objectKeysOf(manifest)) needed.add(key);
    }
    return needed;
  }

  /** Adds what earlier fences have written. Most of it is from workers that were killed between blob and head. */
  async #addLeftovers(fence: number): Promise<void> {
    for (const [folder, pattern] of [
      ['blobs', BLOB],
      ['log', LOG_COPY],
      ['checkpoints', MANIFEST],
    ] as const) {
      const start = `${this.#prefix}/${folder}/`;
      for await (const { key } of this.#store.list(start)) {
        const writer = pattern.exec(key.slice(start.length))?.[1];
        if (writer !== undefined && Number(writer) < fence) this.#keys.add(key);
      }
    }
  }
}

/** What a head named before. */
export interface Dropped {
  readonly checkpoints: Iterable<CheckpointEntry>;
  readonly log: RunLog | null;
}

const BLOB = /^(\d+)\/[0-9a-f]{64}$/u;
const LOG_COPY = /^[ab]\/(\d+)\/[0-9a-f]{64}$/u;
const MANIFEST = /^\d+-(\d+)(?:-\d+)?\.json$/u;
