import { damagedCopies, type LogSegment } from '../log/log-segment.js';
import { sha256Of } from '../sha256.js';
import { CheckpointAbsent, type CheckpointReader, type ListedCheckpoint } from './checkpoint-reader.js';
import { type CheckpointEntry, manifestKeysOf } from './head.js';
import { blobKeysOf, type ManifestFile } from './manifest.js';
import { damageOfBlob } from './stored-files.js';

/** An object that is missing or has other bytes than were committed. */
export interface DamagedObject {
  readonly what: 'manifest' | 'file' | 'log';
  readonly key: string;
  /** A sentence without its full stop. */
  readonly reason: string;
  /** No other copy is whole. */
  readonly isLost: boolean;
}

/** What was found of objects, every byte of them having been read. */
export interface Verified {
  /** How many there are to be. */
  readonly objects: number;
  readonly sizeBytes: number;
  readonly damage: readonly DamagedObject[];
}

/** What was found of a checkpoint, its manifest not counted among its objects. */
export interface VerifiedCheckpoint extends Verified {
  readonly name: string;
  readonly step: number;
}

/** A checkpoint that was removed before all of it was read: whoever trains has newer ones by now. */
export interface RemovedCheckpoint {
  readonly name: string;
  readonly isRemoved: true;
}

/** Compares what checkpoints consist of with what was committed. An object that several of them share is read once. */
export class Verification {
  readonly #reader: CheckpointReader;
  /** Keys of blobs, and the first ones of segments. */
  readonly #whole = new Set<string>();

  constructor(reader: CheckpointReader) {
    this.#reader = reader;
  }

  /**
   * Reads every blob and both copies of each log segment of a checkpoint.
   *
   * @param which As of `CheckpointReader.read`
   * @throws as `CheckpointReader.head`, and CheckpointAbsent; the store's error for what could not be asked for: that is no damage
   */
  async checkpoint(which: string): Promise<VerifiedCheckpoint> {
    return this.#reader.readListed(
      which,
      async (listed) => ({ name: listed.name, step: listed.entry.step, ...(await this.#listed(listed)) }),
      { isDoubtful: isDamaged },
    );
  }

  /**
   * All checkpoints that the head names, newest first, each as {@link checkpoint}. Where every one of them was removed meanwhile, the latest
   * comes after them: at least one was looked at.
   *
   * @throws as {@link checkpoint}; CheckpointAbsent if there is none
   */
  async *all(): AsyncGenerator<VerifiedCheckpoint | RemovedCheckpoint> {
    let verified = 0;
    for (const { name } of (await this.#reader.list()).checkpoints) {
      const found = await this.#unlessRemoved(name);
      if (!('isRemoved' in found)) verified += 1;
      yield found;
    }
    if (verified === 0) yield await this.checkpoint('latest');
  }

  /** Reads both copies of each segment of the log that the head keeps beside those of the checkpoints; undefined if it keeps none. @throws as {@link checkpoint} */
  async runLog(): Promise<Verified | undefined> {
    for (;;) {
      const { log } = await this.#reader.head();
      if (log === null) return undefined;
      const found = await this.#log(log.log);
      // A later attempt may have taken its place.
      if (!isDamaged(found) || JSON.stringify((await this.#reader.head()).log) === JSON.stringify(log)) return found;
    }
  }

  async #unlessRemoved(name: string): Promise<VerifiedCheckpoint | RemovedCheckpoint> {
    try {
      return await this.checkpoint(name);
    } catch (error) {
      if (error instanceof CheckpointAbsent) return { name, isRemoved: true };
      throw error;
    }
  }

  async #listed({ entry, manifest, reason }: ListedCheckpoint): Promise<Verified> {
    if (manifest === undefined) {
      const damage: DamagedObject = { what: 'manifest', key: entry.manifestKey, reason, isLost: true };
      return { objects: 0, sizeBytes: 0, damage: [damage] };
    }
    const damage = [...(await this.#manifest(entry))];
    for (const file of manifest.files) damage.push(...(await this.#file(file)));
    const sizes = manifest.files.flatMap((file) => blobKeysOf(file).map(() => file.sizeBytes));
    const log = await this.#log(manifest.log);
    return {
      objects: sizes.length + log.objects,
      sizeBytes: sizes.reduce((sum, each) => sum + each, log.sizeBytes),
      damage: [...damage, ...log.damage],
    };
  }

  /** One copy is whole: the manifest was read. */
  async #manifest(entry: CheckpointEntry): Promise<readonly DamagedObject[]> {
    const damaged: DamagedObject[] = [];
    // The only one was just read.
    if (entry.copyKey === undefined) return damaged;
    for (const key of manifestKeysOf(entry)) {
      const bytes = await this.#reader.store.get(key);
      const reason = bytes === undefined ? `manifest ${key} is missing` : `manifest ${key} has changed`;
      if (bytes === undefined || sha256Of(bytes) !== entry.sha256)
        damaged.push({ what: 'manifest', key, reason, isLost: false });
    }
    return damaged;
  }

  async #log(segments: readonly LogSegment[]): Promise<Verified> {
    const damage: DamagedObject[] = [];
    for (const segment of segments) damage.push(...(await this.#segment(segment)));
    const sizeBytes = segments.reduce((sum, segment) => sum + 2 * segment.sizeBytes, 0);
    return { objects: 2 * segments.length, sizeBytes, damage };
  }

  async #file(file: ManifestFile): Promise<readonly DamagedObject[]> {
    const keys = blobKeysOf(file);
    const damaged: { key: string; reason: string }[] = [];
    for (const key of keys) {
      if (this.#whole.has(key)) continue;
      const reason = await damageOfBlob(this.#reader.store, file, key);
      if (reason === undefined) this.#whole.add(key);
      else damaged.push({ key, reason });
    }
    return damaged.map((each) => ({ what: 'file', ...each, isLost: damaged.length === keys.length }));
  }

  async #segment(segment: LogSegment): Promise<readonly DamagedObject[]> {
    const [key] = segment.keys;
    if (this.#whole.has(key)) return [];
    const copies = await damagedCopies(this.#reader.store, segment);
    if (copies.length === 0) this.#whole.add(key);
    return copies.map((copy) => ({ what: 'log', ...copy, isLost: copies.length === segment.keys.length }));
  }
}

function isDamaged({ damage }: Verified): boolean {
  return damage.length > 0;
}
