import path from 'node:path';

import { InvalidSafetensors } from '../safetensors/header.js';
import { maskedUrl } from '../store/masked-url.js';
import { ObjectAbsent, type ObjectStore } from '../store/object-store.js';
import { type CheckpointEntry, foundFromHead, type Head, readHead } from './head.js';
import { CorruptManifest, type Manifest } from './manifest.js';
import { Manifests } from './manifests.js';
import { CorruptBlob } from './stored-files.js';

/** There is no checkpoint such as was asked for. The message says which there are. */
export class CheckpointAbsent extends Error {
  override readonly name = 'CheckpointAbsent';
  /** Names of those that there are. */
  readonly known: readonly string[];

  constructor(message: string, known: readonly string[] = []) {
    super(message);
    this.known = known;
  }
}

/** A checkpoint as the head names it, with its manifest, or what is wrong with that. */
export type ListedCheckpoint = NamedCheckpoint &
  (
    | { readonly manifest: Manifest; readonly reason?: undefined }
    | { readonly manifest: undefined; readonly reason: string }
  );

/** A checkpoint whose manifest is whole. Its files and its log may not be. */
export interface StoredCheckpoint extends NamedCheckpoint {
  readonly manifest: Manifest;
}

interface NamedCheckpoint {
  /** Its step and fence: `200-1`. No other checkpoint there has the same. */
  readonly name: string;
  readonly entry: CheckpointEntry;
}

interface ReadOptions<T> {
  readonly isDoubtful?: (found: T) => boolean;
}

/** What there is under a prefix. */
export interface CheckpointListing {
  readonly head: Head;
  /** Newest first. */
  readonly checkpoints: readonly ListedCheckpoint[];
}

/**
 * Reads the checkpoints under a prefix, such as `experiments/<id>`, without a lease: it changes nothing. Whoever holds the lease may commit and remove
 * checkpoints meanwhile; what has vanished by that is never taken for damage.
 */
export class CheckpointReader {
  readonly store: ObjectStore;
  readonly prefix: string;
  readonly #manifests: Manifests;

  constructor(store: ObjectStore, prefix: string) {
    this.store = store;
    this.prefix = prefix;
    this.#manifests = new Manifests(store, prefix);
  }

  /** The head as it is now. @throws CheckpointAbsent if nothing was ever written there; HeadDamaged */
  async head(): Promise<Head> {
    return this.#there(await readHead(this.store, this.prefix));
  }

  /** All checkpoints that the head names. @throws as {@link head} */
  async list(): Promise<CheckpointListing> {
    return foundFromHead(this.store, this.prefix, async (read) => {
      const head = this.#there(read);
      const checkpoints: ListedCheckpoint[] = [];
      for (const entry of head.checkpoints) checkpoints.push(await this.#listed(entry, head));
      const isDoubtful = checkpoints.some(({ manifest }) => manifest === undefined);
      return { found: { head, checkpoints }, isDoubtful };
    });
  }

  /**
   * Does something with a checkpoint. Where that finds damage, and the head does not name the checkpoint any more, it was removed meanwhile: it is done
   * anew with the one that is meant now.
   *
   * @param which `latest`, a step (the newest checkpoint of it), or a name
   * @param options.isDoubtful Whether what was found may be due to its removal. Default: never; what throws for damage always is
   * @throws CheckpointAbsent if there is none such, or it is removed again and again before it is read; CorruptManifest; as {@link head};
   * what `look` throws
   */
  async read<T>(
    which: string,
    look: (checkpoint: StoredCheckpoint) => Promise<T>,
    options: ReadOptions<T> = {},
  ): Promise<T> {
    return this.readListed(
      which,
      async (listed) => {
        if (listed.manifest === undefined) throw new CorruptManifest(listed.reason);
        return look(listed);
      },
      options,
    );
  }

  /** As {@link read}, also with a checkpoint whose manifest is damaged. */
  async readListed<T>(
    which: string,
    look: (checkpoint: ListedCheckpoint) => Promise<T>,
    { isDoubtful = () => false }: ReadOptions<T> = {},
  ): Promise<T> {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const head = await this.head();
      const entry = this.#chosen(head, which);
      try {
        const found = await look(await this.#listed(entry, head));
        if (!isDoubtful(found) || (await this.#isNamed(entry))) return found;
      } catch (error) {
        if (!isOfDamage(error) || (await this.#isNamed(entry))) throw error;
      }
    }
    throw new CheckpointAbsent(
      `${this.prefix}: checkpoints are removed before they are read, ${MOST_TRIES} times in a row; try again when the run commits less often`,
    );
  }

  async #isNamed({ manifestKey }: CheckpointEntry): Promise<boolean> {
    const head = await readHead(this.store, this.prefix);
    return head?.checkpoints.some((entry) => entry.manifestKey === manifestKey) ?? false;
  }

  async #listed(entry: CheckpointEntry, head: Head): Promise<ListedCheckpoint> {
    const name = nameOf(entry, head);
    try {
      return { name, entry, manifest: await this.#manifests.read(entry) };
    } catch (error) {
      if (!(error instanceof CorruptManifest)) throw error;
      return { name, entry, manifest: undefined, reason: error.message };
    }
  }

  #there(head: Head | undefined): Head {
    if (head !== undefined) return head;
    throw nothingThere(this.store, this.prefix);
  }

  #chosen(head: Head, which: string): CheckpointEntry {
    const { checkpoints } = head;
    const [newest] = checkpoints;
    if (newest === undefined) throw new CheckpointAbsent(`${this.prefix} has no checkpoints yet`);
    if (which === 'latest') return newest;
    const found = checkpoints.find((entry) => nameOf(entry, head) === which || String(entry.step) === which);
    if (found !== undefined) return found;
    const known = namesIn(head);
    throw new CheckpointAbsent(
      `${this.prefix} has no checkpoint ${which}; it has ${known.join(', ')} (each <step>-<fence>): give one of these, its step, or latest`,
      known,
    );
  }
}

/** One that cannot be read in so many tries is removed faster than it can be read at all. */
const MOST_TRIES = 5;

/** What is said where there is no head. */
export function nothingThere({ url }: ObjectStore, prefix: string): CheckpointAbsent {
  return new CheckpointAbsent(
    `nothing was ever written under ${prefix} of ${maskedUrl(url)}; check the id and the object store`,
  );
}

/** The names of the checkpoints that a head names, newest first. */
export function namesIn(head: Head): readonly string[] {
  return head.checkpoints.map((entry) => nameOf(entry, head));
}

/** Of step and fence. Where one was held as it was committed anew, the later one has the number in its key besides: `200-1-83642`. */
function nameOf(entry: CheckpointEntry, { checkpoints }: Head): string {
  const older = checkpoints.slice(checkpoints.indexOf(entry) + 1);
  const name = stepAndFence(entry);
  return older.some((each) => stepAndFence(each) === name) ? path.posix.basename(entry.manifestKey, '.json') : name;
}

function stepAndFence({ manifestKey }: CheckpointEntry): string {
  return path.posix.basename(manifestKey, '.json').split('-', 2).join('-');
}

function isOfDamage(error: unknown): boolean {
  return [CorruptManifest, CorruptBlob, InvalidSafetensors, ObjectAbsent].some((kind) => error instanceof kind);
}
