import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { isDiskFull } from '../disk-error.js';
import { faultPoint } from '../fault-point/fault-point.js';
import { type FlightSignals, inFlight } from '../in-flight.js';
import { CheckpointLog } from '../log/checkpoint-log.js';
import type { LogFile } from '../log/log-file.js';
import { type LogSegment, segmentKeysOf } from '../log/log-segment.js';
import type { Json } from '../state.js';
import type { ObjectStore } from '../store/object-store.js';
import { Blobs, type PlannedBlobs } from './blobs.js';
import { type CollectOptions, Garbage } from './garbage.js';
import { type CheckpointEntry, foundFromHead, readHead } from './head.js';
import { KeptCheckpoints } from './kept-checkpoints.js';
import { checkOutcome, type Lease, LeaseLost } from './lease.js';
import type { LocalFiles } from './local-files.js';
import { CorruptManifest, type Manifest } from './manifest.js';
import { Manifests } from './manifests.js';
import { PutNotes } from './put-notes.js';
import { checkPolicy, type RetentionPolicy } from './retention.js';
import { checkSnapshot, type Snapshot } from './snapshot.js';
import { StoreFull } from './store-full.js';
import { CorruptBlob, downloadFiles } from './stored-files.js';
import { Upkeep } from './upkeep.js';

/** Which checkpoints are kept ({@link RetentionPolicy}), and whom to tell. `keepLast` is 3 where it is not given. */
export interface CheckpointStoreOptions extends Partial<RetentionPolicy> {
  /** What {@link CheckpointStore.newestValid} asks for each file before it reads the store. Default: nothing is local. */
  readonly local?: LocalFiles;
  /** Told when old bytes could not be removed; the next commit tries again. Default: nobody is. */
  readonly onGarbageLeft?: (error: unknown) => void;
}

/** A checkpoint that could not be used. */
export interface RejectedCheckpoint {
  readonly manifestKey: string;
  readonly step: number;
  /** A sentence that says what is wrong with which file. */
  readonly reason: string;
}

/** The newest checkpoint that is whole, if there is one, and the newer ones that are not. */
export type NewestValid =
  | { readonly manifest: Manifest; readonly folder: string; readonly rejected: readonly RejectedCheckpoint[] }
  | { readonly manifest: undefined; readonly folder?: undefined; readonly rejected: readonly RejectedCheckpoint[] };

/**
 * The checkpoints under a prefix, such as `experiments/<id>`. A checkpoint is real only when the head names it: blobs and log
 * are written first, then the manifest, then the head, and only then are older ones removed.
 *
 * No damage of one object costs all of them: a checkpoint shares no blob with the newest one that is kept beside it, so that a file that
 * stays is written twice, and named in turns. Where `keepLast` is 1 there is none beside it, and all that it has is stored twice.
 *
 * To be used for one lease at a time, and with a lease by itself: nobody else removes what is written under it.
 */
export class CheckpointStore {
  readonly prefix: string;
  readonly #store: ObjectStore;
  readonly #puts: PutNotes;
  readonly #blobs: Blobs;
  readonly #manifests: Manifests;
  readonly #kept: KeptCheckpoints;
  readonly #log: CheckpointLog;
  readonly #garbage: Garbage;
  readonly #onGarbageLeft: (error: unknown) => void;
  readonly #upkeep: Upkeep;
  readonly #local: LocalFiles | undefined;
  #basis: LogBasis | undefined;
  /** Under which fence it was cleaned before the first write. */
  #cleanedFence: number | undefined;
  /** The head may be what was to be written or what was there before: no answer has come. */
  #isHeadUncertain = false;

  constructor(store: ObjectStore, prefix: string, options: CheckpointStoreOptions = {}) {
    const { keepLast = 3, keepEvery, keepBest } = options;
    const policy: RetentionPolicy = { keepLast, keepEvery, keepBest };
    checkPolicy(`CheckpointStore ${prefix}`, policy);
    this.#store = store;
    this.prefix = prefix;
    this.#puts = new PutNotes(store);
    this.#blobs = new Blobs(this.#puts, prefix, { isTwofold: keepLast === 1 });
    this.#manifests = new Manifests(this.#puts, prefix, { isTwofold: keepLast === 1 });
    this.#kept = new KeptCheckpoints(policy, this.#manifests);
    this.#garbage = new Garbage(store, prefix, this.#manifests);
    this.#log = new CheckpointLog(this.#puts, prefix);
    this.#onGarbageLeft = options.onGarbageLeft ?? (() => undefined);
    this.#upkeep = new Upkeep(this.#onGarbageLeft);
    this.#local = options.local;
  }

  /**
   * Makes a snapshot the newest checkpoint. Once the promise resolves it survives anything the store survives; a process that dies
   * before leaves the previous checkpoints as they were. What is needed no more is removed afterwards (see {@link settled}).
   *
   * A checkpoint of the same step is replaced, and its score kept where this snapshot has none. Those that were found damaged are dropped, and
   * so is the log that {@link keepLog} has kept of an earlier attempt. One that is held ({@link holdCheckpoint}) stays as it is, whether it is
   * replaced or damaged. A failure to remove old bytes is not an error: the next commit tries again.
   *
   * Its log is that of the checkpoint it goes on from, and then that of the snapshot: it goes on from the last one that was
   * committed here under this lease or that {@link newestValid} has found since; where there is neither, from the newest.
   *
   * @param options.outcome Ends the experiment in the same compare-and-set.
   * @param options.signal Aborted while files are being written, they are not waited for: it throws the reason, and nothing has changed.
   * The signal of the lease does the same: files are not uploaded to the end once it is known to be lost.
   * @throws LeaseLost if another has taken the lease or it has ended; then nothing has changed.
   * @throws SnapshotChanged if a file is not what it was announced as; then nothing has changed either.
   * @throws StoreFull if there is no room, also after all garbage was removed. What it has written is gone again.
   */
  async commit(
    lease: Lease,
    snapshot: Snapshot,
    options: { readonly outcome?: Json; readonly signal?: AbortSignal } = {},
  ): Promise<Manifest> {
    this.#checkPrefix(lease);
    const { outcome } = options;
    if (outcome !== undefined) checkOutcome(this.prefix, outcome);
    checkSnapshot(snapshot);
    const signal = AbortSignal.any(options.signal === undefined ? [lease.signal] : [lease.signal, options.signal]);
    // It ends with this commit, of which each upload in flight listens to it: they are many, and no leak.
    setMaxListeners(0, signal);
    return this.#exclusive(lease, async () => {
      const { segments } = (this.#basis = await this.#basisUnder(lease));
      const known = await this.#kept.knownBlobs(lease.head(), snapshot.step);
      const blobs = await this.#blobs.plan(lease.fence, snapshot.files, known, signal);
      await this.#kept.rejectDamaged(lease.head());
      const log = await this.#write({ snapshot, fence: lease.fence, blobs, base: segments, signal });
      const manifest: Manifest = {
        version: 2,
        step: snapshot.step,
        fence: lease.fence,
        createdAt: new Date().toISOString(),
        environment: snapshot.environment,
        ...(snapshot.programSha256 !== undefined && { programSha256: snapshot.programSha256 }),
        ...(snapshot.datasets !== undefined && { datasets: snapshot.datasets }),
        ...(snapshot.libraries !== undefined && { libraries: snapshot.libraries }),
        ...(snapshot.from !== undefined && { from: snapshot.from }),
        files: blobs.files,
        log,
      };
      const entry = await this.#manifests.write(manifest);
      this.#kept.verify(entry.manifestKey);
      await faultPoint('commit.manifest-written');
      await this.#writeHead(lease, (head) => ({
        checkpoints: this.#kept.with(entry, head, snapshot),
        log: null,
        outcome: outcome ?? head.outcome,
      }));
      this.#basis = { fence: lease.fence, segments: manifest.log };
      await faultPoint('commit.head-swapped');
      this.#upkeep.later(async () => await this.#cleanAfterCommit(lease, manifest.log));
      return manifest;
    });
  }

  /**
   * Keeps the log of an attempt that ends without another checkpoint: that of the one it has written last or gone on from, and then
   * `files`. The head names it until a later attempt commits a checkpoint or keeps its own; if there is no later one it stays.
   * Checkpoints are left as they are, and a damaged log keeps nobody from anything.
   *
   * @param files The rows since the last snapshot whose commit has succeeded, as those of a snapshot. With none there is nothing to
   * keep, and what an earlier attempt kept goes all the same: this one has gone another way
   * @throws LeaseLost if another has taken the lease or it has ended; then nothing has changed.
   * @throws StoreFull as {@link commit}
   */
  async keepLog(lease: Lease, files: readonly LogFile[]): Promise<void> {
    this.#checkPrefix(lease);
    return this.#exclusive(lease, async () => {
      const dropped = lease.head().log;
      if (files.length === 0 && dropped === null) return;
      const { segments } = (this.#basis = await this.#basisUnder(lease));
      const log = await this.#log.extend(segments, lease.fence, files);
      const hasMore = rowsIn(log) > rowsIn(segments);
      if (!hasMore && dropped === null) return;
      await faultPoint('keep-log.written');
      const kept = hasMore ? { fence: lease.fence, createdAt: new Date().toISOString(), log } : null;
      await this.#writeHead(lease, (head) => ({ ...head, log: kept }));
      await faultPoint('keep-log.head-swapped');
      this.#upkeep.later(async () => await this.#collect(lease));
    });
  }

  /**
   * Waits until nothing is done after commits any more: what the head needs no more is gone then, as far as it could be removed. A process
   * may end without it, and a lease may.
   */
  async settled(): Promise<void> {
    await this.#upkeep.settled();
  }

  /**
   * Copies the newest checkpoint that is whole to a folder of its own under `toFolder`, every file checked against the SHA-256 that
   * was committed. Where the newest is damaged the one before it is taken, and so on; the damaged ones are reported. A file that is
   * local is not read from the store: what that has of it is not known then.
   *
   * @throws StateMismatch if a newer build has written the checkpoint; any error of the store. These say nothing about the
   * checkpoint, so no older one is taken.
   */
  async newestValid(toFolder: string): Promise<NewestValid> {
    const found = await foundFromHead(this.#store, this.prefix, async (head) => {
      const newest = await this.#newestOf(head?.checkpoints ?? [], toFolder);
      return { found: newest, isDoubtful: newest.rejected.length > 0 };
    });
    for (const { manifestKey } of found.rejected) this.#kept.reject(manifestKey);
    this.#basis = { fence: undefined, segments: found.manifest?.log ?? [] };
    return found;
  }

  /** Writes files and log side by side, and what that log is. */
  async #write({ snapshot, fence, blobs, base, signal }: CheckpointToWrite): Promise<readonly LogSegment[]> {
    let log = base;
    const writeBlobs = async (signals: FlightSignals): Promise<void> => {
      await blobs.write(signals);
      await faultPoint('commit.blobs-written');
    };
    const writeLog = async (signals: FlightSignals): Promise<void> => {
      log = await this.#log.extend(base, fence, snapshot.log ?? [], signals);
      await faultPoint('commit.log-written');
    };
    await inFlight([writeBlobs, writeLog], { leaving: signal }, async (write, signals) => await write(signals));
    return log;
  }

  #checkPrefix(lease: Lease): void {
    if (lease.prefix === this.prefix) return;
    throw new RangeError(
      `CheckpointStore ${this.prefix}: the lease is that of ${lease.prefix}; give that of ${this.prefix}`,
    );
  }

  /** Runs what writes under a lease, on clean ground. What it has put when it fails is removed, and where there was no room it is tried again. */
  async #exclusive<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => {
      await this.#prepare(lease);
      try {
        return await work();
      } catch (error) {
        this.#discard(error);
        throw error;
      }
    };
    return lease.exclusive(async () => {
      try {
        return await attempt();
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        await this.#makeRoom(lease);
      }
      return attempt().catch(async (error: unknown) => {
        if (!isDiskFull(error)) throw error;
        await this.#makeRoom(lease).catch(() => undefined);
        throw new StoreFull(this.prefix, this.#store.url, error);
      });
    });
  }

  /** Removes all garbage. That there was no room is an answer: what the head is now it stays, and nothing has to be written to find out. */
  async #makeRoom(lease: Lease): Promise<void> {
    if (this.#isHeadUncertain) await lease.reread();
    this.#isHeadUncertain = false;
    await this.settled();
    await this.#collect(lease, { most: Infinity, without: this.#kept.rejected });
  }

  /** Waits for what is still done after the last commit, and removes what earlier fences and failed commits have left. */
  async #prepare(lease: Lease): Promise<void> {
    await this.settled();
    lease.checkOpen();
    await this.#garbage.note(lease.head());
    const wasUncertain = this.#isHeadUncertain;
    // With a new version, so that nothing that is still under way can set it any more.
    if (wasUncertain) await this.#writeHead(lease, (head) => head);
    if (wasUncertain || this.#cleanedFence !== lease.fence) await this.#collect(lease);
    this.#cleanedFence = lease.fence;
    this.#puts.forget();
  }

  async #writeHead(lease: Lease, change: Parameters<Lease['write']>[0]): Promise<void> {
    const wasUncertain = this.#isHeadUncertain;
    try {
      await lease.write((head) => {
        this.#isHeadUncertain = true;
        return change(head);
      });
    } catch (error) {
      // Another has set it since; this one has not, and no more can.
      if (error instanceof LeaseLost) this.#isHeadUncertain = wasUncertain;
      throw error;
    }
    this.#isHeadUncertain = false;
    // The head names it now: whatever fails from here on undoes nothing.
    this.#puts.forget();
    const head = lease.head();
    this.#kept.forgetOthersThan(head);
    await this.#garbage.note(head);
  }

  /** Removes what was put by what has failed, unless a head may name it. */
  #discard(error: unknown): void {
    const { written, uncertain } = this.#puts;
    this.#garbage.add(uncertain);
    this.#garbage.add(written);
    if (this.#isHeadUncertain) return;
    this.#upkeep.later(async () => {
      // Its successor has cleaned already, and nobody does it again. The head that it has gone on from is asked all the same.
      const unneeded = error instanceof LeaseLost ? await this.#unneededNow(written) : written;
      await this.#garbage.remove(unneeded);
    });
  }

  async #unneededNow(keys: readonly string[]): Promise<readonly string[]> {
    const head = await readHead(this.#store, this.prefix);
    return head === undefined ? [] : await this.#garbage.unneeded(head, keys);
  }

  async #cleanAfterCommit(lease: Lease, log: readonly LogSegment[]): Promise<void> {
    // Nobody comes after the last commit.
    await this.#collect(lease, { most: lease.head().outcome === null ? MOST_AT_ONCE : Infinity });
    await faultPoint('commit.collected');
    if (log.length > 0 && (await lease.isHeld())) await this.#log.mendNext(log);
  }

  /** Removes garbage while the lease is held. Never fails. */
  async #collect(lease: Lease, options: Pick<CollectOptions, 'most' | 'without'> = {}): Promise<void> {
    const mayGoOn = async (): Promise<boolean> => await lease.isHeld();
    // The head may name the basis no more: that of a commit whose answer was lost.
    const kept = segmentKeysOf(this.#basis?.segments ?? []);
    const head = lease.head();
    // One that is lost and held stays in the head, and is not to keep all garbage with it.
    const isLost = ({ manifestKey, holds }: CheckpointEntry): boolean =>
      holds !== undefined && this.#kept.rejected.has(manifestKey);
    const without = new Set(head.checkpoints.filter(isLost).map(({ manifestKey }) => manifestKey));
    await this.#garbage
      .collect(head, { most: MOST_AT_ONCE, mayGoOn, kept, without, ...options })
      .catch(this.#onGarbageLeft);
  }

  /** The log that a commit adds to. */
  async #basisUnder(lease: Lease): Promise<LogBasis> {
    const { fence } = lease;
    // Kept before the commit is tried: tried again, it must not find itself in the head, its answer having been lost.
    if (this.#basis !== undefined && (this.#basis.fence ?? fence) === fence) return { ...this.#basis, fence };
    for (const entry of lease.head().checkpoints) {
      const manifest = await this.#kept.manifestOf(entry);
      if (manifest !== undefined) return { fence, segments: manifest.log };
    }
    return { fence, segments: [] };
  }

  async #newestOf(entries: readonly CheckpointEntry[], toFolder: string): Promise<NewestValid> {
    const rejected: RejectedCheckpoint[] = [];
    for (const entry of entries) {
      const { manifestKey, step } = entry;
      const folder = path.join(toFolder, path.basename(manifestKey, '.json'));
      await rm(folder, { recursive: true, force: true });
      try {
        const manifest = await this.#manifests.read(entry);
        const downloaded = await downloadFiles(this.#store, manifest, folder, this.#local);
        // One that is whole here may be damaged in the store.
        if (downloaded === manifest.files.length) this.#kept.verify(manifestKey);
        return { manifest, folder, rejected };
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        if (!(error instanceof CorruptManifest || error instanceof CorruptBlob)) throw error;
        rejected.push({ manifestKey, step, reason: error.message });
      }
    }
    return { manifest: undefined, rejected };
  }
}

/** How much garbage one commit removes before it writes, and as much again after it: some seconds' work. */
const MOST_AT_ONCE = 2_000;

interface CheckpointToWrite {
  readonly snapshot: Snapshot;
  readonly fence: number;
  readonly blobs: PlannedBlobs;
  /** The log that it adds to. */
  readonly base: readonly LogSegment[];
  readonly signal: AbortSignal;
}

/** The log of the checkpoint that training goes on from. */
interface LogBasis {
  /** Under which it is true; undefined: under any. */
  readonly fence: number | undefined;
  readonly segments: readonly LogSegment[];
}

function rowsIn(segments: readonly LogSegment[]): number {
  return segments.reduce((sum, { rows }) => sum + rows, 0);
}
