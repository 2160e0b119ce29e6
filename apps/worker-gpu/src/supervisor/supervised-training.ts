import { join } from 'node:path';
import type { CheckpointPolicy, ExperimentOutcome, LibraryVersions, Limits, TrainerCommand } from '@longrun/contracts';
import {
  type Attempt,
  type ChildExit,
  HandoverRefused,
  outcomeJson,
  type SecretMasks,
  StorageFailed,
  type SupervisedChild,
  type WallTime,
  withStorageRetries,
} from '@longrun/platform/worker';
import {
  type CheckpointStore,
  LeaseLost,
  type LogFile,
  type LogPart,
  type Manifest,
  type NewestValid,
  readLog,
  readLogFiles,
  type Snapshot,
  SnapshotChanged,
} from '@longrun/serialization';
import { scoresIn } from './checkpoint-score.js';
import type { CheckpointCache } from '../checkpoint-cache.js';
import { LogSpool, type SpooledRows } from './log-spool.js';
import { type OpenSnapshot, openSnapshot } from './open-snapshot.js';
import { type LocalSnapshot, SnapshotCommits } from './snapshot-commits.js';
import { SnapshotFollower } from './snapshot-follower.js';
import { TrainerGuard } from './trainer-guard.js';
import { TrainerReports } from './trainer-reports.js';
import type { TrainerPlace } from './trainers.js';
import { unscoredText } from './unscored.js';

export interface SupervisedTrainingOptions {
  readonly attempt: Attempt;
  readonly checkpoints: CheckpointStore;
  /** Where the files of checkpoints are kept on the local disk. Undefined: they are not. */
  readonly checkpointCache: CheckpointCache | undefined;
  /** What makes its checkpoints: part of each. `from` is undefined where it did not begin from a checkpoint of another experiment. */
  readonly made: Required<Pick<Snapshot, 'programSha256' | 'datasets' | 'from'>> & {
    readonly libraries: LibraryVersions;
  };
  /** The checkpoint that the trainer goes on from, and those that were damaged. */
  readonly restored: NewestValid;
  /** By which record of the log its checkpoints are scored. Undefined: they are not. */
  readonly keepBest: CheckpointPolicy['keepBest'];
  /** Where the trainer works. */
  readonly place: TrainerPlace;
  readonly limits: Limits;
  readonly wallTime: WallTime;
  /** How long the trainer may take to stop in good order once its time is up, in ms. */
  readonly graceMs: number;
  /** Of the secrets that it is given. */
  readonly masks: SecretMasks;
}

/** A trainer process from its start to its end: obeys the attempt, hears the trainer, makes its snapshots checkpoints. */
export class SupervisedTraining {
  readonly reports: TrainerReports;
  readonly guard: TrainerGuard;
  readonly #options: SupervisedTrainingOptions;
  readonly #commits: SnapshotCommits;
  readonly #spool: LogSpool;
  readonly #follower: SnapshotFollower;
  /** Aborted, with `#commitError` set, when snapshots can no longer be committed. */
  readonly #broken = new AbortController();
  /** Aborted when no snapshot but a final one is to become a checkpoint any more. */
  readonly #dropped = new AbortController();
  #commitError: unknown;
  /** The last checkpoint; undefined before the first. */
  #before: Pick<Manifest, 'step' | 'log'> | undefined;
  #isHeld = false;
  #wasHeld = false;
  #trainer: SupervisedChild | undefined;

  constructor(options: SupervisedTrainingOptions) {
    this.#options = options;
    this.#before = options.restored.manifest;
    this.#commits = new SnapshotCommits({
      dropped: this.#dropped.signal,
      commit: async (snapshot) => await this.#commit(snapshot, this.#dropped.signal),
      onCommitted: ({ name }) => this.#command({ type: 'snapshot_committed', name }),
      onFailure: (error) => {
        this.#commitError = error;
        this.#broken.abort();
      },
    });
    this.guard = new TrainerGuard({
      ...options,
      isHeld: () => this.#isHeld || this.#commits.isBusy,
      stop: () => this.#command({ type: 'stop', snapshot: true }),
    });
    this.#spool = new LogSpool(join(options.attempt.scratchFolder, 'log'));
    this.#follower = new SnapshotFollower(options.place.workFolder, options.attempt.store);
    this.reports = new TrainerReports({
      attempt: options.attempt,
      restored: options.restored,
      libraries: options.made.libraries,
      spool: this.#spool,
      follower: this.#follower,
      pid: () => this.#trainer?.pid,
      onSnapshot: (snapshot) => this.#commits.add(snapshot),
    });
  }

  /** Largest resident set of the trainer and all that it has started, as far as it was said or seen. */
  get peakMemoryBytes(): number {
    return Math.max(this.reports.peakMemoryBytes, this.#trainer?.peakMemoryBytes ?? 0);
  }

  /**
   * Runs the trainer until it has ended and all its snapshots but the final one are committed. Asked to stop, it hands over a
   * final snapshot at the next step boundary; cancelled before it has finished, its snapshots are dropped once it has ended; told to
   * abandon, it is killed and nothing is waited for.
   *
   * @throws what {@link commit} throws, and HandoverRefused when it did not wait for its snapshots to be committed; the trainer has
   * been killed then
   */
  async run(assignment: TrainerCommand): Promise<ChildExit> {
    const { attempt, place, masks } = this.#options;
    const trainer = place.start({
      onMessage: (message) => {
        this.reports.hear(message);
        void this.#holdUnderPressure();
      },
      onLine: (stream, text) => this.reports.print(stream, text),
      onBeat: (beat) => this.guard.beat(beat),
    });
    this.#trainer = trainer;
    this.guard.guard(trainer);
    trainer.mask(masks);
    for (const signal of [attempt.abandon, this.#broken.signal]) whenAborted(signal, () => void trainer.kill());
    whenAborted(attempt.abandon, () => this.#dropped.abort());
    whenAborted(attempt.stop, () => {
      // Nothing of a cancelled experiment is kept beyond its last checkpoint, so its trainer need not be waited for long.
      const cancelled = attempt.stopCause() === 'cancelled';
      this.#command({ type: 'stop', snapshot: !cancelled });
      if (cancelled) void trainer.endWithin(CANCEL_WITHIN_MS);
    });
    this.#command(assignment);
    attempt.onSettings((settings) => this.#command({ type: 'set', settings: [...settings] }));

    const exit = await trainer.exited;
    this.reports.close();
    if (this.reports.lastMessage?.type !== 'finished')
      whenAborted(attempt.stop, () => {
        if (attempt.stopCause() === 'cancelled') this.#dropped.abort();
      });
    const abandoned = new Promise<void>((resolve) => whenAborted(attempt.abandon, resolve));
    await Promise.race([this.#commits.settled(), abandoned]);
    if (this.#commitError !== undefined) throw this.#commitError;
    return exit;
  }

  /**
   * Makes a snapshot a checkpoint, and with an outcome the end of the experiment in the same compare-and-set.
   *
   * @param outcomeOf Makes the outcome, of what is committed and of what its researcher should know of the run, in sentences
   * @throws HandoverRefused, SnapshotChanged when it is not what its trainer said; LeaseLost; StorageFailed, also when it is told to
   * abandon meanwhile
   */
  async commit(snapshot: LocalSnapshot, outcomeOf?: OutcomeOf): Promise<void> {
    await this.#commit(snapshot, this.#options.attempt.abandon, outcomeOf);
  }

  async #commit(snapshot: LocalSnapshot, signal: AbortSignal, outcomeOf?: OutcomeOf): Promise<void> {
    const { attempt, checkpoints, checkpointCache, keepBest, place, made } = this.#options;
    const { step, rows, followed } = snapshot;
    const before = this.#before;
    const stepBefore = before?.step ?? 0;
    await allWritten(rows);
    const retried = async <T>(work: () => Promise<T>): Promise<T> =>
      await withStorageRetries(
        work,
        { what: `commit the checkpoint of step ${step}`, signal: attempt.abandon },
        (error) => signal.aborted || error instanceof HandoverRefused || error instanceof SnapshotChanged,
      );
    const opened = await retried(
      async () => await openSnapshot(place.workFolder, snapshot, attempt.store, { followed, signal }),
    );
    try {
      // For want of a warning nothing fails.
      const outcome = outcomeOf?.(opened, await this.#unscored(before, rows.files).catch(() => undefined));
      const manifest = await retried(async () => {
        const scores = keepBest && (await scoresIn(rows.files, { record: keepBest.record, step, stepBefore }));
        return await checkpoints.commit(
          attempt.lease,
          { ...opened, ...scores, ...made, log: rows.files },
          { signal, ...(outcome === undefined ? {} : { outcome: outcomeJson(outcome) }) },
        );
      });
      this.#before = manifest;
      if (outcome === undefined) await this.#warnUnscored(stepBefore, manifest);
      // Nobody goes on with what has ended.
      if (outcome === undefined) await checkpointCache?.keep(manifest, opened.files);
      await rows.discard();
      const sizeBytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
      attempt.send({ type: 'checkpoint_committed', step: manifest.step, sizeBytes });
    } finally {
      await opened.close();
    }
  }

  /**
   * Says once in a run, whatever attempts it takes, that its log lacks the record by which its checkpoints are scored: with the first one that has the rows of
   * a whole epoch.
   */
  async #warnUnscored(stepBefore: number, manifest: Manifest): Promise<void> {
    const { attempt } = this.#options;
    const { stepsPerEpoch = Infinity } = this.reports;
    // The row of the step itself comes with the next one.
    if (stepBefore > stepsPerEpoch || manifest.step <= stepsPerEpoch) return;
    // The end says it again: for want of it nothing stops.
    const text = await this.#unscored(manifest, []).catch(() => undefined);
    if (text !== undefined) attempt.send({ type: 'line', stream: 'stderr', text: `[longrun] ${text}` });
  }

  /** What is to be said of a run whose checkpoints should have scores and have none; its log is that of a checkpoint and these rows. */
  async #unscored(last: Pick<Manifest, 'log'> | undefined, rows: readonly LogFile[]): Promise<string | undefined> {
    const { attempt, keepBest } = this.#options;
    const isScored = attempt.lease.head().checkpoints.some(({ score }) => score !== undefined);
    if (keepBest === undefined || isScored) return undefined;
    return await unscoredText(keepBest.record, logOf(attempt.store, last?.log ?? [], rows));
  }

  /**
   * Keeps the rows that are part of no checkpoint, in the store, once the trainer has ended: if the attempt ends for good without
   * another checkpoint, nobody else may have them. Rows that cannot be kept are said, and stop nothing.
   */
  async keepLog(): Promise<void> {
    const { attempt, checkpoints } = this.#options;
    // Before its trainer is up an attempt has not gone another way than the one before, whose log stays.
    if (!this.reports.isStarted || attempt.abandon.aborted || attempt.lease.head().outcome !== null) return;
    const rows = this.#spool.rest();
    try {
      await allWritten(rows);
      await withStorageRetries(async () => await checkpoints.keepLog(attempt.lease, rows.files), {
        what: 'keep the log rows after the last checkpoint',
        signal: attempt.abandon,
      });
    } catch (error) {
      // Whoever writes the outcome next finds out that the lease is lost.
      if (error instanceof LeaseLost) return;
      const reason = error instanceof Error ? error.message : String(error);
      attempt.send({
        type: 'line',
        stream: 'stderr',
        text: `[longrun] ${reason}. If Redis loses them too, they are gone.`,
      });
    }
  }

  /**
   * Lets go of snapshots that were not committed, and waits for what is removed after the last commit: once the experiment has ended nobody
   * else does it. No longer than the attempt has.
   */
  async close(): Promise<void> {
    const { attempt, checkpoints } = this.#options;
    const abandoned = new Promise<void>((resolve) => whenAborted(attempt.abandon, resolve));
    await Promise.race([Promise.all([this.#follower.close(), checkpoints.settled()]), abandoned]);
  }

  /** Has the trainer wait while the record takes events more slowly than they come. */
  async #holdUnderPressure(): Promise<void> {
    const { attempt } = this.#options;
    if (this.#isHeld || !attempt.pressure.isHigh) return;
    this.#isHeld = true;
    if (!this.#wasHeld)
      attempt.report('the record takes events more slowly than they come: the trainer waits for it now and then');
    this.#wasHeld = true;
    this.#command({ type: 'hold' });
    await attempt.pressure.relieved();
    this.#command({ type: 'go_on' });
    this.#isHeld = false;
  }

  #command(command: TrainerCommand): void {
    this.#trainer?.send(command);
  }
}

/** Makes an outcome, of what is committed and of what its researcher should know of the run. */
type OutcomeOf = (opened: OpenSnapshot, warning: string | undefined) => ExperimentOutcome;

/** Segments of a log, and then rows that are in none. */
async function* logOf(
  store: Attempt['store'],
  log: Manifest['log'],
  rows: readonly LogFile[],
): AsyncGenerator<LogPart> {
  yield* readLog(store, { log });
  for await (const entries of readLogFiles(rows)) yield { entries };
}

/** Rows that are not on the disk will not get there by another try: the attempt goes on from its last checkpoint. */
async function allWritten(rows: Pick<SpooledRows, 'written'>): Promise<void> {
  try {
    await rows.written;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageFailed(`Could not keep the log rows after the last checkpoint on the worker's disk: ${reason}`, {
      cause: error,
    });
  }
}

/** How long the trainer of a cancelled experiment may take to the next step boundary. */
const CANCEL_WITHIN_MS = 3_000;

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}
