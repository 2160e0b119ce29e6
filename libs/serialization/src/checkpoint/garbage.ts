import { segmentKeysOf } from '../log/log-segment.js';
import { DeletionFailed, type ObjectStore } from '../store/object-store.js';
import { type Head, manifestKeysOf } from './head.js';
import { objectKeysOf } from './manifest.js';
import type { Manifests } from './manifests.js';

export interface CollectOptions {
  /** How many objects are removed at most, and how many leftovers of earlier fences are looked for. Default: all. */
  readonly most?: number;
  /** Asked before each batch; where it says no the rest stays. Default: yes. */
  readonly mayGoOn?: () => Promise<boolean>;
  /** Keys that stay, whether the head names them or not. */
  readonly kept?: Iterable<string>;
  /** Keys of manifests of checkpoints that are lost, though the head names them: what they need is not known. Default: none. */
  readonly without?: ReadonlySet<string>;
}

/**
 * The manifests, blobs and log segments under a prefix that neither a checkpoint nor the log in the head needs any more.
 *
 * An object is garbage if the head named it once and does so no more, if an earlier fence wrote it and the head does not name it, or if
 * this one wrote it for a commit that has failed; once the head has an outcome, whoever wrote it. No later holder can name it either: those
 * name again only what the head names, and write under keys of their own fence. So one who goes on removing it when another has the lease
 * does no harm.
 */
export class Garbage {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #manifests: Manifests;
  /** What is garbage unless the head names it. */
  readonly #keys = new Set<string>();
  #sweptFence: number | undefined;

  constructor(store: ObjectStore, prefix: string, manifests: Manifests) {
    this.#store = store;
    this.#prefix = prefix;
    this.#manifests = manifests;
  }

  /** Notes all that a head names: it is garbage as soon as none does any more. */
  async note(head: Head): Promise<void> {
    this.add(segmentKeysOf(head.log?.log ?? []));
    for (const entry of head.checkpoints) {
      const manifest = await this.#manifests.find(entry);
      this.add([...manifestKeysOf(entry), ...(manifest === undefined ? [] : objectKeysOf(manifest))]);
    }
  }

  /** Notes objects of this fence that are garbage unless the head names them. */
  add(keys: Iterable<string>): void {
    for (const key of keys) this.#keys.add(key);
  }

  /**
   * Removes garbage, `head` being that which the store has. What fails is tried again next time.
   *
   * @throws DeletionFailed, or what else the store throws
   */
  async collect(head: Head, { most = Infinity, mayGoOn, kept = [], without }: CollectOptions = {}): Promise<void> {
    const needed = await this.#neededBy(head, without);
    if (needed === undefined) return;
    for (const key of kept) needed.add(key);
    // Once it has ended nothing is under way for the last one either.
    const unfinished = head.outcome === null ? head.fence : head.fence + 1;
    if (this.#sweptFence !== head.fence && (await this.#addLeftovers(unfinished, needed, most)))
      this.#sweptFence = head.fence;
    // What is needed stays noted: the next head may not name it.
    const keys = [...this.#keys].filter((key) => !needed.has(key)).slice(0, most);
    const failures: unknown[] = [];
    for (let start = 0; start < keys.length; start += BATCH) {
      if ((await mayGoOn?.()) === false) break;
      await this.remove(keys.slice(start, start + BATCH)).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Those of the keys that a head does not need; none where one of its checkpoints cannot say what it needs. */
  async unneeded(head: Head, keys: readonly string[]): Promise<readonly string[]> {
    const needed = await this.#neededBy(head);
    return needed === undefined ? [] : keys.filter((key) => !needed.has(key));
  }

  /** Removes objects that no head names or will name. What fails is tried again with the rest. @throws as {@link collect} */
  async remove(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    this.add(keys);
    this.#manifests.forget(keys);
    let failed: ReadonlySet<string> = new Set();
    try {
      await this.#store.delete(keys);
    } catch (error) {
      failed = new Set(error instanceof DeletionFailed ? error.failed.map(({ key }) => key) : keys);
      throw error;
    } finally {
      for (const key of keys) this.#keys.delete(key);
      // Behind all others: what can never be removed keeps nothing else from it.
      this.add(failed);
    }
  }

  /** Everything the head needs; undefined if one of its checkpoints cannot say, in which case nothing can be removed. */
  async #neededBy(head: Head, without?: ReadonlySet<string>): Promise<Set<string> | undefined> {
    const needed = new Set(segmentKeysOf(head.log?.log ?? []));
    for (const entry of head.checkpoints) {
      for (const key of manifestKeysOf(entry)) needed.add(key);
      const manifest = await this.#manifests.find(entry);
      if (manifest === undefined && without?.has(entry.manifestKey) === true) continue;
      if (manifest === undefined) return undefined;
      for (const key of objectKeysOf(manifest)) needed.add(key);
    }
    return needed;
  }

  /**
   * Adds what fences before one have written, most of it by workers that were killed between blob and head. True when that was all: else
   * the rest is found when these are gone, without listing them again.
   */
  async #addLeftovers(fence: number, needed: ReadonlySet<string>, most: number): Promise<boolean> {
    let left = most;
    for (const [folder, pattern] of [
      ['blobs', BLOB],
      ['log', LOG_COPY],
      ['checkpoints', MANIFEST],
    ] as const) {
      const start = `${this.#prefix}/${folder}/`;
      for await (const { key } of this.#store.list(start)) {
        const writer = pattern.exec(key.slice(start.length))?.[1];
        if (writer === undefined || Number(writer) >= fence || needed.has(key) || this.#keys.has(key)) continue;
        this.#keys.add(key);
        left -= 1;
        if (left === 0) return false;
      }
    }
    return true;
  }
}

/** How many objects are removed in one request. */
const BATCH = 1_000;

const BLOB = /^(\d+)\/[0-9a-f]{64}(?:-\d+)?$/u;
const LOG_COPY = /^[ab]\/(\d+)\/[0-9a-f]{64}(?:-\d+)?$/u;
const MANIFEST = /^\d+-(\d+)(?:-\d+)?\.json$/u;
