import { join } from 'node:path';
import {
  type DatasetFile,
  type ExperimentOutcome,
  type ExperimentResult,
  type ProgramFile,
  ResolvedExperiment,
  type TrainerCommand,
  type TrainerMessage,
  type WorkerEvent,
} from '@longrun/contracts';
import { installedLibraries, layOutProgram } from '@longrun/platform/programs';
import {
  type Attempt,
  type AttemptEnd,
  type ChildExit,
  classifyExit,
  type FileCache,
  ForeignStore,
  HandoverRefused,
  type HeldFile,
  NO_SECRETS,
  SecretMasks,
  StorageFailed,
  WallTime,
  type Work,
  withStorageRetries,
} from '@longrun/platform/worker';
import { CheckpointStore, FORK_FENCE, type NewestValid, SnapshotChanged, StateMismatch } from '@longrun/serialization';
import { CheckpointCache } from '../checkpoint-cache.js';
import { ContentCache, ContentUnavailable, DATASETS, PROGRAMS } from '../content-cache.js';
import {
  allDamaged,
  failureMessage,
  isAllDamaged,
  NO_MODULE,
  otherProgram,
  rejectionLine,
  timedOut,
} from './attempt-ends.js';
import type { OpenSnapshot } from './open-snapshot.js';
import { SecretUnavailable, type Secrets } from './secrets.js';
import { SupervisedTraining } from './supervised-training.js';
import type { TrainerPlace, Trainers } from './trainers.js';

export interface ExperimentWorkOptions {
  /** Where dataset files are kept on the local disk. */
  readonly datasetFiles: FileCache;
  /** Where files of checkpoints are kept on the local disk. */
  readonly checkpointFiles: FileCache;
  /** Where modules of programs are kept on the local disk. */
  readonly programFiles: FileCache;
  /** The installation's own folder `node_modules/@longrun`, absolute: what programs import of it. */
  readonly libraries: string;
  /** Where secrets of programs are. */
  readonly secrets: Pick<Secrets, 'read'>;
  /** Where trainer processes come from, the same for all attempts. */
  readonly trainers: Trainers;
  /** How long a trainer may take to stop in good order once its time is up, in ms. */
  readonly graceMs: number;
  /** The clock of the wall time: see {@link WallTime}. */
  readonly now?: () => number;
}

/**
 * One attempt at an experiment: fetches what the trainer needs, has it trained in a process of its own, and says how it ended.
 * Nothing is trained in this process.
 */
export class ExperimentWork implements Work {
  readonly #attempt: Attempt;
  readonly #options: ExperimentWorkOptions;
  #place: TrainerPlace | undefined;
  #training: SupervisedTraining | undefined;
  #result: ExperimentResult | undefined;
  #wallTime: WallTime | undefined;
  #checkpointCache: CheckpointCache | undefined;
  /** Of the secrets that the program is given. */
  #masks = NO_SECRETS;
  /** Files of datasets and the program by their SHA-256: they stay until the trainer has gone. */
  readonly #held = new Map<string, HeldFile>();

  constructor(attempt: Attempt, options: ExperimentWorkOptions) {
    this.#attempt = attempt;
    this.#options = options;
  }

  async run(): Promise<AttemptEnd> {
    try {
      const end = await this.#run();
      return end.message === undefined ? end : { ...end, message: this.#masks.inText(end.message) };
    } finally {
      this.#wallTime?.close();
      await this.#training?.keepLog();
      await this.#training?.close();
      await this.#place?.close();
      for (const file of this.#held.values()) await file.release();
      if (this.#attempt.lease.head().outcome !== null) await this.#checkpointCache?.forget();
      // Not while one trains: it would take of its memory.
      if (this.#attempt.stopCause() !== 'shutdown') void this.#options.trainers.keepSpare();
    }
  }

  async #run(): Promise<AttemptEnd> {
    try {
      const experiment = ResolvedExperiment.parse(await this.#attempt.readSpec());
      const { trainedMs, spec, program } = experiment;
      if (program === null) return NO_MODULE;
      const { limits } = spec;
      const { keepLast, keepEvery, keepBest } = spec.checkpoint;
      const { now } = this.#options;
      const wallTime = new WallTime({
        limitSeconds: limits.wallTimeSeconds,
        ranMs: trainedMs,
        ...(now !== undefined && { now }),
      });
      this.#wallTime = wallTime;
      const place = await this.#options.trainers.take(limits.memoryBytes);
      this.#place = place;
      const { store, ticket } = this.#attempt;
      // One that takes files has the very same on a disk of this machine.
      const checkpointCache = store.takesFiles
        ? undefined
        : new CheckpointCache(this.#options.checkpointFiles, ticket.id, { keepLast });
      this.#checkpointCache = checkpointCache;
      const checkpoints = new CheckpointStore(this.#attempt.store, this.#attempt.prefix, {
        keepLast,
        keepEvery,
        keepBest,
        ...(checkpointCache !== undefined && { local: checkpointCache }),
      });
      const restored = await this.#newestCheckpoint(checkpoints, experiment, place);
      const { manifest } = restored;
      if (manifest?.programSha256 !== undefined && manifest.programSha256 !== program.sha256)
        return otherProgram(manifest.programSha256, program);
      if (isAllDamaged(restored) && spec.checkpoint.onAllDamaged === 'stop') return allDamaged(restored);
      const secrets = await this.#options.secrets.read(spec.secrets ?? []);
      this.#masks = new SecretMasks(Object.values(secrets));
      const training = new SupervisedTraining({
        attempt: this.#attempt,
        checkpoints,
        checkpointCache,
        made: {
          programSha256: program.sha256,
          datasets: hashesOf(experiment),
          libraries: await installedLibraries(this.#options.libraries),
          from: manifest?.from,
        },
        restored,
        keepBest,
        place,
        limits,
        wallTime,
        graceMs: this.#options.graceMs,
        masks: this.#masks,
      });
      this.#training = training;
      const task = await this.#task({ ...experiment, program }, restored, place);
      const assignment = { ...task, environment: { ...spec.environment, ...secrets } };
      if (this.#attempt.mustLeave) return this.#attempt.endOfStop();
      if (wallTime.isUp) return timedOut(wallTime);
      return await this.#endOf(training, await training.run(assignment), wallTime);
    } catch (error) {
      if (error instanceof ContentUnavailable) return { reason: error.reason, message: error.message };
      if (error instanceof SecretUnavailable) return { reason: 'secret_unavailable', message: error.message };
      if (error instanceof StateMismatch) return { reason: 'checkpoint_unreadable', message: error.message };
      if (error instanceof HandoverRefused || error instanceof SnapshotChanged)
        return { reason: 'program_error', message: error.message };
      // Who has to leave does not try again, so that what failed once is not held against the experiment.
      if (error instanceof StorageFailed && this.#attempt.mustLeave) return this.#attempt.endOfStop();
      // Another attempt would have no time for it either.
      if (error instanceof StorageFailed && this.#wallTime?.isUp === true) return timedOut(this.#wallTime);
      throw error;
    }
  }

  heartbeat(): WorkerEvent {
    return { type: 'heartbeat', step: this.#training?.reports.step ?? 0 };
  }

  outcome(end: AttemptEnd): ExperimentOutcome {
    return {
      reason: end.reason,
      step: this.#training?.reports.step ?? 0,
      ...(end.message === undefined ? {} : { message: end.message }),
      ...(end.reason === 'succeeded' && this.#result !== undefined ? { result: this.#result } : {}),
    };
  }

  endEvent(end: AttemptEnd): WorkerEvent {
    const { step, startStep } = this.#training?.reports ?? { step: 0, startStep: 0 };
    return {
      type: 'attempt_ended',
      workerId: this.#attempt.workerId,
      ...this.outcome(end),
      stepsRun: Math.max(0, step - startStep),
      peakMemoryBytes: this.#training?.peakMemoryBytes ?? 0,
    };
  }

  /** Brings the newest checkpoint that is whole to the local disk, and says which ones are not. */
  async #newestCheckpoint(
    checkpoints: CheckpointStore,
    { checkpointStep, spec }: ResolvedExperiment,
    { givenFolder }: TrainerPlace,
  ): Promise<NewestValid> {
    const { ticket } = this.#attempt;
    const found = await withStorageRetries(
      async () => await checkpoints.newestValid(givenFolder),
      { what: `fetch the newest checkpoint of ${ticket.id}`, signal: this.#leave() },
      (error) => error instanceof StateMismatch,
    );
    // A store that has lost sight of all that the lease names, the lease itself included, has no say on what is in it.
    const known = this.#attempt.lease.head().checkpoints.length;
    if (found.manifest === undefined && found.rejected.length < known) {
      const { url } = this.#attempt.store;
      throw new ForeignStore(
        `${ticket.id} has ${known} checkpoints, but the object store ${url} shows ${found.rejected.length}`,
      );
    }
    // Nor has one that lost the lease with them: that it is at the beginning is not known but by the record.
    const isLost = found.manifest === undefined && known === 0 && checkpointStep > 0;
    if (isLost && spec.checkpoint.onAllDamaged === 'stop') {
      const { url } = this.#attempt.store;
      throw new ForeignStore(
        `The record knows a checkpoint of step ${checkpointStep} of ${ticket.id}, but the object store ${url} shows none; ` +
          'put back what it had, or, to begin anew from the seed, submit it with checkpoint.onAllDamaged: restart',
      );
    }
    if (found.manifest !== undefined) await this.#checkpointCache?.keepFetched(found.manifest, found.folder);
    for (const rejected of found.rejected)
      this.#attempt.send({ type: 'line', stream: 'stderr', text: rejectionLine(rejected, found) });
    return found;
  }

  /** Brings the program and the datasets to the local disk, and says to the trainer where everything is. */
  async #task(
    { spec, program, datasets, settings }: ResolvedExperiment & { readonly program: ProgramFile },
    restored: NewestValid,
    place: TrainerPlace,
  ): Promise<Omit<Assignment, 'environment'>> {
    const { ticket } = this.#attempt;
    const datasetFiles = await this.#fetchDatasets(datasets);
    const programFolder = join(place.givenFolder, 'program');
    const { programFiles, libraries } = this.#options;
    const module = await this.#fetch(new ContentCache(this.#attempt.store, programFiles, PROGRAMS), program, 'program');
    const programFile = await layOutProgram(programFolder, module, libraries);
    await place.share([
      ...Object.values(datasetFiles),
      programFolder,
      ...(restored.folder === undefined ? [] : [restored.folder]),
    ]);
    return {
      type: 'assignment',
      experimentId: ticket.id,
      fence: ticket.fence,
      spec,
      datasetFiles,
      checkpointFolder: restored.folder ?? null,
      fork: forkIn(restored),
      workFolder: place.workFolder,
      programFile,
      settings,
    };
  }

  /** Brings the files of all datasets to the local disk; answers their paths, by role. A file of several roles is looked at once. */
  async #fetchDatasets(datasets: ResolvedExperiment['datasets']): Promise<Record<string, string>> {
    const cache = new ContentCache(this.#attempt.store, this.#options.datasetFiles, DATASETS);
    for (const file of Object.values(datasets)) await this.#fetch(cache, file, 'dataset');
    return Object.fromEntries(
      Object.entries(datasets).flatMap(([role, { sha256 }]) => {
        const held = this.#held.get(sha256);
        return held === undefined ? [] : [[role, held.path]];
      }),
    );
  }

  /** Brings a file to the local disk, where it stays until the trainer has gone. */
  async #fetch(cache: ContentCache, file: DatasetFile | ProgramFile, what: string): Promise<HeldFile> {
    const known = this.#held.get(file.sha256);
    if (known !== undefined) return known;
    const signal = this.#leave();
    const held = await withStorageRetries(
      async () => await cache.fetch(file, { signal }),
      { what: `fetch the ${what} ${file.fileKey}`, signal },
      (error) => error instanceof ContentUnavailable,
    );
    this.#held.set(file.sha256, held);
    return held;
  }

  /** Aborted when it has to end before its trainer has begun: it was asked to, its lease is lost, or its time is up. */
  #leave(): AbortSignal {
    const { stop, abandon } = this.#attempt;
    return AbortSignal.any([stop, abandon, ...(this.#wallTime === undefined ? [] : [this.#wallTime.up])]);
  }

  /** What is made of a trainer that has ended. One that finished has finished, whatever was asked of it meanwhile. */
  async #endOf(training: SupervisedTraining, exit: ChildExit, wallTime: WallTime): Promise<AttemptEnd> {
    if (this.#attempt.abandon.aborted) return this.#attempt.endOfStop();
    const { lastMessage, finalSnapshot } = training.reports;
    if (lastMessage?.type === 'finished') {
      if (finalSnapshot === undefined) throw new Error('The trainer finished without a final snapshot');
      let end: AttemptEnd = { reason: 'succeeded' };
      await training.commit(finalSnapshot, (opened, warning) => {
        this.#result = resultOf(lastMessage, opened);
        if (warning !== undefined) end = { ...end, message: warning };
        return this.outcome(end);
      });
      return this.#attempt.lease.head().outcome === null ? this.#attempt.endOfStop() : end;
    }
    if (this.#attempt.stopCause() === 'cancelled') return this.#attempt.endOfStop();
    if (lastMessage?.type === 'failed') return { reason: lastMessage.reason, message: failureMessage(lastMessage) };
    if (training.guard.stalled !== undefined) return { reason: 'stalled', message: training.guard.stalled };
    if (training.guard.isTimeUp) {
      let end = timedOut(wallTime);
      if (finalSnapshot === undefined) return end;
      await training.commit(finalSnapshot, (_opened, warning) => {
        if (warning !== undefined) end = { ...end, message: `${end.message} ${warning}` };
        return this.outcome(end);
      });
      return this.#attempt.lease.head().outcome === null ? this.#attempt.endOfStop() : end;
    }
    if (this.#attempt.stop.aborted) {
      if (finalSnapshot !== undefined) await training.commit(finalSnapshot);
      return this.#attempt.endOfStop();
    }
    return classifyExit(exit, 'trainer', {
      reason: 'program_error',
      message:
        'The program ended the trainer process before training was finished; it must return, and not call process.exit.',
    });
  }
}

/** The hash of the parameters is that of the file that is committed. */
function resultOf(
  { lastRow, parametersFile }: Extract<TrainerMessage, { type: 'finished' }>,
  { files }: OpenSnapshot,
): ExperimentResult {
  const parameters = files.find(({ name }) => name === parametersFile);
  if (parameters === undefined)
    throw new HandoverRefused(`The trainer handed over no ${parametersFile}, which it says has the parameters.`);
  return { parametersSha256: parameters.sha256, lastRow };
}

/** What is to be known of a checkpoint that is another experiment's; null for one of its own. */
function forkIn({ manifest }: NewestValid): Assignment['fork'] {
  if (manifest?.from === undefined || manifest.fence !== FORK_FENCE) return null;
  return { otherDatasets: manifest.from.changed.includes('datasets') };
}

type Assignment = Extract<TrainerCommand, { type: 'assignment' }>;

/** The SHA-256 of the files of its datasets, by role. */
function hashesOf({ datasets }: ResolvedExperiment): Record<string, string> {
  return Object.fromEntries(Object.entries(datasets).map(([role, { sha256 }]) => [role, sha256]));
}
