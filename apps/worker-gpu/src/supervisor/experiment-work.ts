import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type ExperimentOutcome,
  type ExperimentResult,
  type RejectedCheckpoint,
  ResolvedExperiment,
  type TrainerCommand,
  TrainerMessage,
  assertNever,
  type WorkerEvent,
} from '@longrun/contracts';
import {
  type Attempt,
  type AttemptEnd,
  type ChildExit,
  classifyExit,
  outcomeJson,
  SupervisedChild,
  type Work,
  withStorageRetries,
} from '@longrun/platform/worker';
import { CheckpointStore, LeaseLost, type NewestValid } from '@longrun/serialization';
import { z } from 'zod';
import { DatasetCache, DatasetUnavailable } from '../dataset-cache.js';
import { LineLimit } from './line-limit.js';
import { type LocalSnapshot, SnapshotCommits } from './snapshot-commits.js';

export interface ExperimentWorkOptions {
  /** Where dataset files are kept on the local disk. */
  readonly cacheFolder: string;
  /** Folder of program modules, absolute. */
  readonly programsFolder: string;
  /** The trainer's module, absolute. */
  readonly trainerScript: string;
}

type Snapshot = Extract<TrainerMessage, { type: 'snapshot' }>;
type LastMessage = Extract<TrainerMessage, { type: 'failed' | 'finished' | 'stopped' }>;

/**
 * One attempt at an experiment: fetches what the trainer needs, watches over the trainer, passes on what it says, commits its snapshots,
 * and says how it ended. Nothing is trained in this process.
 */
export class ExperimentWork implements Work {
  readonly #attempt: Attempt;
  readonly #options: ExperimentWorkOptions;
  readonly #lineLimit = new LineLimit();
  /** Aborted when the trainer has to go although nobody asked: its checkpoints cannot be stored. */
  readonly #broken = new AbortController();
  #checkpoints: CheckpointStore | undefined;
  #restored: NewestValid | undefined;
  #trainer: SupervisedChild | undefined;
  #startStep = 0;
  #step = 0;
  #peakMemoryBytes = 0;
  #finalSnapshot: Snapshot | undefined;
  #lastMessage: LastMessage | undefined;
  #result: ExperimentResult | undefined;

  constructor(attempt: Attempt, options: ExperimentWorkOptions) {
    this.#attempt = attempt;
    this.#options = options;
  }

  async run(): Promise<AttemptEnd> {
    const { ticket, store, prefix, scratchFolder, stop } = this.#attempt;
    const experiment = ResolvedExperiment.parse(await this.#attempt.readSpec());
    this.#checkpoints = new CheckpointStore(store, prefix, { keepLast: experiment.spec.checkpoint.keepLast });
    const checkpoints = this.#checkpoints;

    this.#restored = await withStorageRetries(
      async () => await checkpoints.newestValid(join(scratchFolder, 'checkpoint')),
      { what: `fetch the newest checkpoint of ${ticket.id}`, signal: stop },
    );
    this.#step = this.#startStep = this.#restored.manifest?.step ?? 0;
    for (const rejected of this.#restored.rejected) this.#say(rejectionLine(rejected, this.#restored));

    const datasets = new DatasetCache(store, this.#options.cacheFolder);
    let datasetFile: string;
    try {
      datasetFile = await withStorageRetries(
        async () => await datasets.fetch(experiment.dataset, scratchFolder),
        { what: `fetch the dataset ${experiment.dataset.fileKey}`, signal: stop },
        (error) => error instanceof DatasetUnavailable,
      );
    } catch (error) {
      if (error instanceof DatasetUnavailable) return { reason: 'dataset_unavailable', message: error.message };
      throw error;
    }
    if (stop.aborted || this.#attempt.abandon.aborted) return this.#endOfStop();

    const snapshotFolder = join(scratchFolder, 'snapshots');
    await mkdir(snapshotFolder, { recursive: true });
    return await this.#train({
      type: 'assignment',
      experimentId: ticket.id,
      epoch: ticket.epoch,
      spec: experiment.spec,
      datasetFile,
      checkpointFolder: this.#restored.folder ?? null,
      snapshotFolder,
      programsFolder: this.#options.programsFolder,
    });
  }

  heartbeat(): WorkerEvent {
    void this.#trainer?.samplePeakMemory();
    return { type: 'heartbeat', step: this.#step };
  }

  outcome(end: AttemptEnd): ExperimentOutcome {
    return {
      reason: end.reason,
      step: this.#step,
      ...(end.message === undefined ? {} : { message: end.message }),
      ...(this.#result === undefined ? {} : { result: this.#result }),
    };
  }

  endEvent(end: AttemptEnd): WorkerEvent {
    return {
      type: 'attempt_ended',
      ...this.outcome(end),
      stepsRun: Math.max(0, this.#step - this.#startStep),
      peakMemoryBytes: Math.max(this.#peakMemoryBytes, this.#trainer?.peakMemoryBytes ?? 0),
    };
  }

  /** Runs the trainer to its end and makes of it how the attempt ended. */
  async #train(assignment: TrainerCommand): Promise<AttemptEnd> {
    const { stop, abandon } = this.#attempt;
    let commitError: unknown;
    const commits = new SnapshotCommits({
      commit: async (snapshot) => await this.#commit(snapshot),
      onCommitted: ({ folder, step }) => this.#command({ type: 'snapshot_committed', folder, step }),
      onFailure: (error) => {
        commitError = error;
        this.#broken.abort();
      },
    });
    const trainer = new SupervisedChild({
      script: this.#options.trainerScript,
      onMessage: (message) => {
        const parsed = TrainerMessage.safeParse(message);
        if (parsed.success) this.#hear(parsed.data, commits);
        else this.#say(`[longrun] A message of the trainer was ignored: ${z.prettifyError(parsed.error)}`);
      },
      onLine: (stream, text) => {
        for (const line of this.#lineLimit.pass(text)) this.#attempt.send({ type: 'line', stream, text: line });
      },
    });
    this.#trainer = trainer;
    const kill = (): void => void trainer.kill();
    for (const signal of [abandon, this.#broken.signal]) whenAborted(signal, kill);
    whenAborted(stop, () => {
      // Nothing of a cancelled experiment is kept beyond its last checkpoint, so its trainer need not be waited for long.
      const cancelled = this.#attempt.stopCause() === 'cancelled';
      this.#command({ type: 'stop', snapshot: !cancelled });
      if (cancelled) void trainer.endWithin(cancelWithinMs);
    });
    this.#command(assignment);

    const exit = await trainer.exited;
    for (const text of this.#lineLimit.rest()) this.#say(text);
    if (!abandon.aborted)
      await Promise.race([commits.settled(), new Promise<void>((resolve) => whenAborted(abandon, resolve))]);
    if (this.#attempt.abandonCause() === 'lease_lost' || commitError instanceof LeaseLost)
      return { reason: 'lease_lost', ...(commitError instanceof Error ? { message: commitError.message } : {}) };
    if (commitError !== undefined) throw commitError;
    return await this.#endOf(exit);
  }

  async #endOf(exit: ChildExit): Promise<AttemptEnd> {
    const { stop, abandon } = this.#attempt;
    if (abandon.aborted) return this.#endOfStop();
    const last = this.#lastMessage;
    if (last?.type === 'finished') {
      this.#result = last.result;
      await this.#commitFinal({ reason: 'succeeded' });
      return { reason: 'succeeded' };
    }
    if (this.#attempt.stopCause() === 'cancelled') return this.#endOfStop();
    if (last?.type === 'failed') return { reason: last.reason, message: failureMessage(last) };
    if (stop.aborted) {
      await this.#commitFinal();
      return this.#endOfStop();
    }
    return classifyExit(exit, 'trainer', {
      reason: 'program_error',
      message:
        'The program ended the trainer process before training was finished; it must return, and not call process.exit.',
    });
  }

  #endOfStop(): AttemptEnd {
    if (this.#attempt.abandonCause() === 'lease_lost') return { reason: 'lease_lost' };
    return { reason: this.#attempt.stopCause() === 'cancelled' ? 'cancelled' : 'preempted' };
  }

  /** Commits what the trainer handed over last, with how the experiment ended in the same compare-and-set. */
  async #commitFinal(end?: AttemptEnd): Promise<void> {
    const outcome = end === undefined ? undefined : this.outcome(end);
    if (this.#finalSnapshot !== undefined) await this.#commit(this.#finalSnapshot, outcome);
  }

  async #commit(snapshot: LocalSnapshot, outcome?: ExperimentOutcome): Promise<void> {
    const { lease, abandon } = this.#attempt;
    const checkpoints = this.#checkpoints;
    if (checkpoints === undefined || abandon.aborted) return;
    // Log rows up to a checkpoint are sent by no later attempt: they have to be out before it counts.
    await this.#attempt.flushEvents();
    const manifest = await withStorageRetries(
      async () =>
        await checkpoints.commit(lease, snapshot, outcome === undefined ? {} : { outcome: outcomeJson(outcome) }),
      { what: `commit the checkpoint of step ${snapshot.step}`, signal: abandon },
    );
    const sizeBytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    this.#attempt.send({ type: 'checkpoint_committed', step: manifest.step, sizeBytes });
  }

  #hear(message: TrainerMessage, commits: SnapshotCommits): void {
    switch (message.type) {
      case 'started':
        this.#step = this.#startStep = message.startStep;
        this.#attempt.send({
          type: 'attempt_started',
          workerId: this.#attempt.workerId,
          startStep: message.startStep,
          engine: message.engine,
          environment: message.environment,
          environmentChanged: message.environmentChanged,
          rejectedCheckpoints: [...(this.#restored?.rejected ?? [])],
          ...this.#restoredFrom(),
        });
        break;
      case 'progress':
        this.#step = message.step;
        this.#attempt.send(message);
        break;
      case 'log_row':
        this.#step = Math.max(this.#step, message.step);
        this.#attempt.send(message);
        break;
      case 'snapshot':
        this.#step = message.step;
        if (message.final) this.#finalSnapshot = message;
        else commits.add(message);
        break;
      case 'finished':
      case 'stopped':
        this.#peakMemoryBytes = message.peakMemoryBytes ?? 0;
        this.#step = message.step;
        this.#lastMessage = message;
        break;
      case 'failed':
        this.#step = message.step ?? this.#step;
        this.#lastMessage = message;
        break;
      default:
        assertNever(message, 'trainer message');
    }
  }

  #restoredFrom(): { restoredFrom?: string } {
    const folder = this.#restored?.folder;
    if (folder === undefined) return {};
    const entry = this.#attempt.lease
      .head()
      .checkpoints.find(({ manifestKey }) => basename(manifestKey, '.json') === basename(folder));
    return entry === undefined ? {} : { restoredFrom: entry.manifestKey };
  }

  #command(command: TrainerCommand): void {
    this.#trainer?.send(command);
  }

  #say(text: string): void {
    this.#attempt.send({ type: 'line', stream: 'stderr', text });
  }
}

/** How long the trainer of a cancelled experiment may take to the next step boundary. */
const cancelWithinMs = 3_000;

function rejectionLine(rejected: RejectedCheckpoint, found: NewestValid): string {
  const next = found.manifest === undefined ? 'the start' : `the checkpoint of step ${found.manifest.step}`;
  return `[longrun] The checkpoint of step ${rejected.step} is damaged: ${rejected.reason}. Going on from ${next}.`;
}

function failureMessage(failed: Extract<TrainerMessage, { type: 'failed' }>): string {
  return failed.stack === undefined ? failed.message : `${failed.message}\n${failed.stack}`;
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}
