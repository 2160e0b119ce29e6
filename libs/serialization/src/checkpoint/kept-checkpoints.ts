import type { KnownBlobs } from './blobs.js';
import type { CheckpointEntry, Head } from './head.js';
import { isHeld, withPresentHolds } from './holds.js';
import { blobKeysOf, type Manifest } from './manifest.js';
import type { Manifests } from './manifests.js';
import { keptBy, type RetentionPolicy } from './retention.js';
import type { Snapshot } from './snapshot.js';

/** What is known of the checkpoints that a head names, and which of them the next head is to name. */
export class KeptCheckpoints {
  readonly #policy: RetentionPolicy;
  readonly #manifests: Manifests;
  /** Keys of manifests of checkpoints that were found damaged. */
  readonly #rejected = new Set<string>();
  /** Keys of manifests of checkpoints that were written or read here, and were whole. */
  readonly #verified = new Set<string>();
  /** Keys of blobs that were found damaged. */
  readonly #damaged = new Set<string>();

  constructor(policy: RetentionPolicy, manifests: Manifests) {
    this.#policy = policy;
    this.#manifests = manifests;
  }

  /** Keys of manifests of checkpoints that were found damaged. */
  get rejected(): ReadonlySet<string> {
    return this.#rejected;
  }

  /** One was found damaged. */
  reject(manifestKey: string): void {
    this.#rejected.add(manifestKey);
  }

  /** One was written or read, and was whole. */
  verify(manifestKey: string): void {
    this.#verified.add(manifestKey);
  }

  /** Forgets what the head names no more. */
  forgetOthersThan({ checkpoints }: Head): void {
    const named = new Set(checkpoints.map(({ manifestKey }) => manifestKey));
    for (const known of [this.#verified, this.#rejected])
      for (const key of known) if (!named.has(key)) known.delete(key);
  }

  /** The manifest of one; undefined where it was found damaged, or is. */
  async manifestOf(entry: CheckpointEntry): Promise<Manifest | undefined> {
    return this.#rejected.has(entry.manifestKey) ? undefined : await this.#manifests.find(entry);
  }

  /** The blobs that may be named again: only those that the head keeps alive, and that the newest which is kept does not name. */
  async knownBlobs(head: Head, step: number): Promise<KnownBlobs> {
    const manifests = new Map<string, Manifest>();
    for (const entry of head.checkpoints) {
      const manifest = await this.manifestOf(entry);
      if (manifest === undefined) this.#rejected.add(entry.manifestKey);
      else manifests.set(entry.manifestKey, manifest);
    }
    const [beside] = this.#policy.keepLast === 1 ? [] : this.#sound(head).filter((entry) => entry.step !== step);
    const apart = new Set(manifests.get(beside?.manifestKey ?? '')?.files.flatMap(blobKeysOf));
    const named = new Set<string>();
    const reusable = new Map<string, string[]>();
    for (const file of [...manifests.values()].flatMap(({ files }) => files)) {
      for (const key of blobKeysOf(file)) {
        if (!named.has(key) && !apart.has(key) && !this.#damaged.has(key))
          reusable.set(file.sha256, [...(reusable.get(file.sha256) ?? []), key]);
        named.add(key);
      }
    }
    return { reusable, onDamaged: (key) => this.#damaged.add(key) };
  }

  /** Rejects the checkpoints that have lost a file. */
  async rejectDamaged(head: Head): Promise<void> {
    if (this.#damaged.size === 0) return;
    for (const entry of head.checkpoints) {
      const manifest = await this.#manifests.find(entry);
      const hasLost = manifest?.files.some((file) => blobKeysOf(file).every((key) => this.#damaged.has(key)));
      if (hasLost === true) this.#rejected.add(entry.manifestKey);
    }
  }

  /** What a head names that has a new checkpoint, newest first. */
  with(written: CheckpointEntry, head: Head, { score, scoreBefore }: Snapshot): CheckpointEntry[] {
    const nowMs = Date.now();
    const older = head.checkpoints.map((entry) => {
      const present = withPresentHolds(entry, nowMs);
      return scoreBefore?.step === entry.step ? withScore(present, scoreBefore.score) : present;
    });
    const replaced = this.#sound({ ...head, checkpoints: older }).find(({ step }) => step === written.step);
    const checkpoints = [withScore(written, score ?? replaced?.score), ...older];
    const sound = this.#sound({ ...head, checkpoints });
    const kept = keptBy(this.#policy, sound, ({ manifestKey }) => this.#verified.has(manifestKey));
    return checkpoints.filter((entry) => kept.has(entry) || isHeld(entry, nowMs));
  }

  /** The checkpoints of a head that were not found damaged, newest first. */
  #sound({ checkpoints }: Head): CheckpointEntry[] {
    return checkpoints.filter(({ manifestKey }) => !this.#rejected.has(manifestKey));
  }
}

/** One that is not finite is none. */
function withScore({ score: _before, ...entry }: CheckpointEntry, score: number | undefined): CheckpointEntry {
  return score !== undefined && Number.isFinite(score) ? { ...entry, score } : entry;
}
