import type { ObjectStore } from '../store/object-store.js';
import type { CheckpointEntry, Head } from './head.js';
import { objectKeysOf } from './manifest.js';
import type { Manifests } from './manifests.js';

/**
 * The manifests, blobs and log segments under a prefix that no checkpoint needs any more.
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

  /** Removes all garbage, `dropped` being the checkpoints that the head does not name any more. What fails is tried again next time. */
  async collect(dropped: Iterable<CheckpointEntry>, head: Head): Promise<void> {
    for (const entry of dropped) {
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
    await this.#store.delete(keys);
    this.#keys.clear();
    this.#manifests.forget(keys);
  }

  /** Everything the head's checkpoints need; undefined if one of them cannot say, in which case nothing can be removed. */
  async #neededBy(head: Head): Promise<Set<string> | undefined> {
    const needed = new Set<string>();
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

const BLOB = /^(\d+)\/[0-9a-f]{64}$/u;
const LOG_COPY = /^[ab]\/(\d+)\/[0-9a-f]{64}$/u;
const MANIFEST = /^\d+-(\d+)(?:-\d+)?\.json$/u;
