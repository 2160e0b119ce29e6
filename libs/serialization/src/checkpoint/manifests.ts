import { ObjectExists, type ObjectStore } from '../store/object-store.js';
import { type CheckpointEntry, foundFromHead, type Head, type RunLog } from './head.js';
import { CorruptManifest, decodeManifest, encodeManifest, type Manifest } from './manifest.js';

/**
 * The manifest of the newest checkpoint under a prefix whose manifest can be read; undefined if there is none. Its files are not
 * looked at.
 */
export async function newestManifest(store: ObjectStore, prefix: string): Promise<Manifest | undefined> {
  return (await newest(store, prefix)).manifest;
}

/**
 * The log of the run under a prefix as far as it is kept: that which its last attempt has left, or else that of the newest checkpoint
 * whose manifest can be read; undefined if there is neither. While an attempt is on, a later one may be.
 */
export async function newestLog(store: ObjectStore, prefix: string): Promise<RunLog | Manifest | undefined> {
  const { head, manifest } = await newest(store, prefix);
  return head?.log ?? manifest;
}

async function newest(store: ObjectStore, prefix: string): Promise<Newest> {
  const manifests = new Manifests(store, prefix);
  return foundFromHead(store, prefix, async (head) => {
    let manifest: Manifest | undefined;
    let passedOver = 0;
    for (const entry of head?.checkpoints ?? []) {
      manifest = await manifests.find(entry);
      if (manifest !== undefined) break;
      passedOver += 1;
    }
    return { found: { head, manifest }, isDoubtful: passedOver > 0 };
  });
}

interface Newest {
  readonly head: Head | undefined;
  readonly manifest: Manifest | undefined;
}

/** The manifests under a prefix. A written one never changes, so each is read once. */
export class Manifests {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #known = new Map<string, Manifest>();

  constructor(store: ObjectStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /** The manifest that a head names, read from the store. @throws CorruptManifest if it is missing or has changed. */
  async read({ manifestKey, sha256 }: CheckpointEntry): Promise<Manifest> {
    const bytes = await this.#store.get(manifestKey);
    if (bytes === undefined) throw new CorruptManifest(`manifest ${manifestKey} is missing`);
    const manifest = decodeManifest(manifestKey, bytes, sha256);
    this.#known.set(manifestKey, manifest);
    return manifest;
  }

  /** The manifest that a head names, or undefined if it is missing or has changed. */
  async find(entry: CheckpointEntry): Promise<Manifest | undefined> {
    const known = this.#known.get(entry.manifestKey);
    if (known !== undefined) return known;
    return this.read(entry).catch((error: unknown) => {
      if (error instanceof CorruptManifest) return undefined;
      throw error;
    });
  }

  /** Writes a manifest under a key of its own, and returns what a head is to say of it. */
  async write(manifest: Manifest): Promise<CheckpointEntry> {
    const { bytes, sha256 } = encodeManifest(manifest);
    const { step, fence } = manifest;
    for (let attempt = 1; ; attempt += 1) {
      // The name is taken where this step was committed in this fence before, or was about to be.
      const manifestKey = `${this.#prefix}/checkpoints/${step}-${fence}${attempt === 1 ? '' : `-${attempt}`}.json`;
      try {
        await this.#store.put(manifestKey, bytes, { ifAbsent: true });
      } catch (error) {
        if (error instanceof ObjectExists) continue;
        throw error;
      }
      this.#known.set(manifestKey, manifest);
      return { manifestKey, sha256, step };
    }
  }

  /** Forgets manifests that were removed. */
  forget(manifestKeys: Iterable<string>): void {
    for (const manifestKey of manifestKeys) this.#known.delete(manifestKey);
  }
}
