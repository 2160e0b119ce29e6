import { ObjectExists, type ObjectStore } from '../store/object-store.js';
import { freshKey } from '../store/fresh-key.js';
import { firstWhole } from './first-whole.js';
import { type CheckpointEntry, foundFromHead, type Head, manifestKeysOf, type RunLog } from './head.js';
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
  readonly #isTwofold: boolean;
  readonly #known = new Map<string, Manifest>();
  /** The last that was written here: of it, and of steps before it, there may have been a manifest that is being removed. */
  #last: Pick<Manifest, 'fence' | 'step'> = { fence: -1, step: -1 };

  /** @param options.isTwofold each is stored twice. Default: once */
  constructor(store: ObjectStore, prefix: string, { isTwofold = false }: { readonly isTwofold?: boolean } = {}) {
    this.#store = store;
    this.#prefix = prefix;
    this.#isTwofold = isTwofold;
  }

  /** The manifest that a head names, read from the store. @throws CorruptManifest if it is missing or has changed. */
  async read(entry: CheckpointEntry): Promise<Manifest> {
    const manifest = await firstWhole(
      manifestKeysOf(entry),
      async (key) => {
        const bytes = await this.#store.get(key);
        if (bytes === undefined) throw new CorruptManifest(`manifest ${key} is missing`);
        return decodeManifest(key, bytes, entry.sha256);
      },
      CorruptManifest,
    );
    this.#known.set(entry.manifestKey, manifest);
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
    const name = `${this.#prefix}/checkpoints/${step}-${fence}`;
    const last = this.#last;
    const isNew = fence > last.fence || (fence === last.fence && step > last.step);
    if (isNew) this.#last = { fence, step };
    const manifestKey =
      isNew && (await this.#putNew(`${name}.json`, bytes)) ? `${name}.json` : await this.#putFresh(name, bytes);
    const copyKey = this.#isTwofold ? await this.#putFresh(name, bytes) : undefined;
    this.#known.set(manifestKey, manifest);
    return { manifestKey, ...(copyKey !== undefined && { copyKey }), sha256, step };
  }

  /** False where the key is taken: this step was committed in this fence before, or was about to be. */
  async #putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#store.put(key, bytes, { ifAbsent: true });
      return true;
    } catch (error) {
      if (error instanceof ObjectExists) return false;
      throw error;
    }
  }

  async #putFresh(name: string, bytes: Uint8Array): Promise<string> {
    const key = `${freshKey(name)}.json`;
    await this.#store.put(key, bytes, { ifAbsent: true });
    return key;
  }

  /** Forgets manifests that were removed. */
  forget(manifestKeys: Iterable<string>): void {
    for (const manifestKey of manifestKeys) this.#known.delete(manifestKey);
  }
}
