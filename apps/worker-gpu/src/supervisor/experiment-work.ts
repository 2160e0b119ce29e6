import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ExperimentOutcome,
  type ExperimentResult,
  ResolvedExperiment,
  type TrainerCommand,
  type TrainerMessage,
  type WorkerEvent,
} from '@longrun/contracts';
import {
  type Attempt,
  type AttemptEnd,
  type ChildExit,
  classifyExit,
  StorageFailed,
  type Work,
  withStorageRetries,
} from '@longrun/platform/worker';
import { CheckpointStore, type NewestValid, type RejectedCheckpoint, StateMismatch } from '@longrun/serialization';
import { DatasetCache, DatasetUnavailable } from '../dataset-cache.js';
import { SupervisedTraining } from './supervised-training.js';
import { WallTime } from './wall-time.js';

export interface ExperimentWorkOptions {
  /** Where dataset files are kept on the local disk. */
  readonly cacheFolder: string;
  /** Folder of program modules, absolute. */
  readonly programsFolder: string;
  /** The trainer's module, absolute. */
  readonly trainerScript: string;
  /** How long a trainer may take to stop in good order once its time is up, in ms. */
  readonly graceMs: number;
}

/**
 * One attempt at an experiment: fetches what the trainer needs, has it trained in a process of its own, and says how it ended.
 * Nothing is trained in this process.
 */
export class ExperimentWork implements Work {
  readonly #attempt: Attempt;
  readonly #options: ExperimentWorkOptions;
  #training: SupervisedTraining | undefined;
  #result: ExperimentResult | undefined;

  constructor(attempt: Attempt, options: ExperimentWorkOptions) {
    this.#attempt = attempt;
    this.#options = options;
  }

  async run(): Promise<AttemptEnd> {
    try {
      return await this.#run();
    } finally {
      await this.#training?.keepLog();
    }
  }

  async #run(): Promise<AttemptEnd> {
    try {
      const experiment = ResolvedExperiment.parse(await this.#attempt.readSpec());
      const { limits } = experiment.spec;
      const { trainedMs } = experiment;
      const wallTime = new WallTime({ limitSeconds: limits.wallTimeSeconds, trainedMs });
      const checkpoints = new CheckpointStore(this.#attempt.store, this.#attempt.prefix, {
        keepLast: experiment.spec.checkpoint.keepLast,
      });
      const restored = await this.#newestCheckpoint(checkpoints);
      if (isAllDamaged(restored) && experiment.spec.checkpoint.onAllDamaged === 'stop') return allDamaged(restored);
      const training = new SupervisedTraining({
        attempt: this.#attempt,
        checkpoints,
        restored,
        trainerScript: this.#options.trainerScript,
        limits,
        wallTime,
        graceMs: this.#options.graceMs,
      });
      this.#training = training;
      const assignment = await this.#assignment(experiment, restored);
      if (this.#attempt.mustLeave) return this.#attempt.endOfStop();
      if (wallTime.isUp) return timedOut(wallTime);
      return await this.#endOf(training, await training.run(assignment), wallTime);
    } catch (error) {
      if (error instanceof DatasetUnavailable) return { reason: 'dataset_unavailable', message: error.message };
      if (error instanceof StateMismatch) return { reason: 'checkpoint_unreadable', message: error.message };
      // Who has to leave does not try again, so that what failed once is not held against the experiment.
      if (error instanceof StorageFailed && this.#attempt.mustLeave) return this.#attempt.endOfStop();
      throw error;
    }
  }

  heartbeat(): WorkerEvent {
    void this.#training?.samplePeakMemory();
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
      ...this.outcome(end),
      stepsRun: Math.max(0, step - startStep),
      peakMemoryBytes: this.#training?.peakMemoryBytes ?? 0,
    };
  }

  /** Brings the newest checkpoint that is whole to the local disk, and says which ones are not. */
  async #newestCheckpoint(checkpoints: CheckpointStore): Promise<NewestValid> {
    const { ticket, scratchFolder, stop } = this.#attempt;
    const found = await withStorageRetries(
      async () => await checkpoints.newestValid(join(scratchFolder, 'checkpoint')),
      { what: `fetch the newest checkpoint of ${ticket.id}`, signal: stop },
      (error) => error instanceof StateMismatch,
    );
    // A store that has lost sight of all that the lease names, the lease itself included, has no say on what is in it.
    const known = this.#attempt.lease.head().checkpoints.length;
    if (found.manifest === undefined && found.rejected.length < known) {
      const { url } = this.#attempt.store;
      throw new StorageFailed(
        `${ticket.id} has ${known} checkpoints, but the object store ${url} shows ${found.rejected.length}`,
      );
    }
    for (const rejected of found.rejected)
      this.#attempt.send({ type: 'line', stream: 'stderr', text: rejectionLine(rejected, found) });
    return found;
  }

  /** Brings the datasets to the local disk, and says to the trainer where everything is. */
  async #assignment({ spec, datasets }: ResolvedExperiment, restored: NewestValid): Promise<TrainerCommand> {
    const { ticket, scratchFolder } = this.#attempt;
    const datasetFiles = await this.#fetchDatasets(datasets);
    const snapshotFolder = join(scratchFolder, 'snapshots');
    await mkdir(snapshotFolder, { recursive: true });
    return {
      type: 'assignment',
      experimentId: ticket.id,
      fence: ticket.fence,
      spec,
      datasetFiles,
      checkpointFolder: restored.folder ?? null,
      snapshotFolder,
      programsFolder: this.#options.programsFolder,
    };
  }

  /** Brings the files of all datasets to the local disk; answers their paths, by role. A file of several roles is looked at once. */
  async #fetchDatasets(datasets: ResolvedExperiment['datasets']): Promise<Record<string, string>> {
    const { store, scratchFolder, stop } = this.#attempt;
    const cache = new DatasetCache(store, this.#options.cacheFolder);
    const paths = new Map<string, string>();
    for (const file of Object.values(datasets)) {
      if (paths.has(file.sha256)) continue;
      const path = await withStorageRetries(
        async () => await cache.fetch(file, scratchFolder),
        { what: `fetch the dataset ${file.fileKey}`, signal: stop },
        (error) => error instanceof DatasetUnavailable,
      );
      paths.set(file.sha256, path);
    }
    return Object.fromEntries(
      Object.entries(datasets).flatMap(([role, { sha256 }]) => {
        const path = paths.get(sha256);
        return path === undefined ? [] : [[role, path]];
      }),
    );
  }

  /** What is made of a trainer that has ended. One that finished has finished, whatever was asked of it meanwhile. */
  async #endOf(training: SupervisedTraining, exit: ChildExit, wallTime: WallTime): Promise<AttemptEnd> {
    if (this.#attempt.abandon.aborted) return this.#attempt.endOfStop();
    const { lastMessage, finalSnapshot } = training.reports;
    if (lastMessage?.type === 'finished') {
      if (finalSnapshot === undefined) throw new Error('The trainer finished without a final snapshot');
      this.#result = lastMessage.result;
      await training.commit(finalSnapshot, this.outcome({ reason: 'succeeded' }));
      return this.#attempt.lease.head().outcome === null ? this.#attempt.endOfStop() : { reason: 'succeeded' };
    }
    if (this.#attempt.stopCause() === 'cancelled') return this.#attempt.endOfStop();
    if (lastMessage?.type === 'failed') return { reason: lastMessage.reason, message: failureMessage(lastMessage) };
    if (training.guard.stalled !== undefined) return { reason: 'stalled', message: training.guard.stalled };
    if (training.guard.isTimeUp) {
      const end = timedOut(wallTime);
      if (finalSnapshot === undefined) return end;
      await training.commit(finalSnapshot, this.outcome(end));
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

function timedOut({ message }: WallTime): AttemptEnd {
  return { reason: 'timed_out', message: `${message}; its last checkpoint is kept.` };
}

/** There were checkpoints, and none is whole. */
function isAllDamaged({ manifest, rejected }: NewestValid): boolean {
  return manifest === undefined && rejected.length > 0;
}

function allDamaged({ rejected }: NewestValid): AttemptEnd {
  const each = rejected.map(({ step, reason }) => `that of step ${step}: ${reason}`).join('; ');
  const what =
    rejected.length === 1 ? 'Its only checkpoint is damaged' : `All its ${rejected.length} checkpoints are damaged`;
  return {
    reason: 'checkpoints_damaged',
    message: `${what} and kept as they are (${each}). To begin anew from the seed, submit it with checkpoint.onAllDamaged: restart.`,
  };
}

function rejectionLine(rejected: RejectedCheckpoint, found: NewestValid): string {
  const next =
    found.manifest === undefined ? 'None is whole' : `Going on from the checkpoint of step ${found.manifest.step}`;
  return `[longrun] The checkpoint of step ${rejected.step} is damaged: ${rejected.reason}. ${next}.`;
}

function failureMessage(failed: Extract<TrainerMessage, { type: 'failed' }>): string {
  if (failed.stack === undefined) return failed.message;
  // A stack begins with the message already, unless that was put together from several.
  return failed.stack.includes(failed.message) ? failed.stack : `${failed.message}\n${failed.stack}`;
}
