import { join } from 'node:path';
import {
  type DatasetDescription,
  type DatasetOutcome,
  type DatasetProgress,
  type DatasetResult,
  ResolvedDataset,
  type WorkerEvent,
} from '@longrun/contracts';
import {
  type Attempt,
  type AttemptEnd,
  classifyExit,
  StallGuard,
  SupervisedChild,
  type Work,
  withStorageRetries,
} from '@longrun/platform/worker';
import { hashFile, ObjectExists } from '@longrun/serialization';
import { z } from 'zod';
import { type ConverterAssignment, ConverterMessage } from './converter-messages.js';

export interface DatasetWorkOptions {
  /** Root of raw files, absolute. */
  readonly rawFolder: string;
  /** The converter's module, absolute. */
  readonly converterScript: string;
  /** Longest time without a sign of progress, in ms. Default 600,000. */
  readonly stallMs?: number;
  /** Told what the converter prints. */
  readonly report: (line: string) => void;
}

type LastMessage = Exclude<ConverterMessage, { type: 'progress' }>;

/**
 * One attempt at a dataset: has it converted in a process of its own, publishes the file under its own hash, and says how it
 * ended. Whatever goes wrong, nothing of a half-made dataset stays.
 */
export class DatasetWork implements Work {
  readonly #attempt: Attempt;
  readonly #options: DatasetWorkOptions;
  #child: SupervisedChild | undefined;
  #result: DatasetResult | undefined;

  constructor(attempt: Attempt, options: DatasetWorkOptions) {
    this.#attempt = attempt;
    this.#options = options;
  }

  async run(): Promise<AttemptEnd> {
    const { stop, scratchFolder, workerId } = this.#attempt;
    const { spec } = ResolvedDataset.parse(await this.#attempt.readSpec());
    this.#attempt.send({ type: 'dataset_started', workerId });
    if (this.#attempt.mustLeave) return this.#attempt.endOfStop();

    const outputPath = join(scratchFolder, 'dataset.hdf5');
    const converted = await this.#convert({
      type: 'assignment',
      converter: spec.converter,
      source: spec.source,
      rawFolder: this.#options.rawFolder,
      outputPath,
    });
    if (this.#attempt.mustLeave) return this.#attempt.endOfStop();
    if (converted.type === 'failed') return { reason: converted.reason, message: converted.message };

    this.#result = await withStorageRetries(async () => await this.#publish(outputPath, converted.description), {
      what: `publish the dataset ${spec.name}`,
      signal: stop,
    });
    // Once it is published, to say so takes no longer than to give it back.
    return this.#attempt.abandon.aborted ? this.#attempt.endOfStop() : { reason: 'succeeded' };
  }

  heartbeat(): WorkerEvent {
    void this.#child?.samplePeakMemory();
    return { type: 'dataset_heartbeat' };
  }

  outcome(end: AttemptEnd): DatasetOutcome {
    return {
      reason: end.reason,
      ...(end.message === undefined ? {} : { message: end.message }),
      ...(end.reason === 'succeeded' && this.#result !== undefined ? { result: this.#result } : {}),
    };
  }

  endEvent(end: AttemptEnd): WorkerEvent {
    return { type: 'dataset_ended', ...this.outcome(end), peakMemoryBytes: this.#child?.peakMemoryBytes ?? 0 };
  }

  /** Runs the converter to its end. The worker's own memory and life do not depend on it. */
  async #convert(assignment: ConverterAssignment): Promise<LastMessage> {
    let last: LastMessage | undefined;
    const guard = new StallGuard({
      name: 'converter',
      firstStepMs: this.#options.stallMs ?? STALL_MS,
      say: (line) => this.#options.report(line),
    });
    const child = new SupervisedChild({
      script: this.#options.converterScript,
      onLine: (_stream, text) => this.#options.report(text),
      onBeat: (beat) => guard.beat(beat),
      onMessage: (json) => {
        const message = ConverterMessage.safeParse(json);
        if (!message.success)
          this.#options.report(`A message of the converter was ignored: ${z.prettifyError(message.error)}`);
        else if (message.data.type === 'progress') this.#progress(message.data.progress);
        else last = message.data;
      },
    });
    this.#child = child;
    guard.guard(child);
    for (const signal of [this.#attempt.stop, this.#attempt.abandon]) {
      // A conversion has no checkpoints: who has to leave leaves at once.
      signal.addEventListener('abort', () => void child.kill());
      if (signal.aborted) void child.kill();
    }
    child.send(assignment);
    const exit = await child.exited;
    if (last !== undefined) return last;
    if (guard.stalled !== undefined) return { type: 'failed', reason: 'stalled', message: guard.stalled };
    const { reason, message } = classifyExit(exit, 'converter', {
      reason: 'internal_error',
      message: 'The converter ended without a word.',
    });
    return { type: 'failed', reason, message: message ?? reason };
  }

  async #publish(path: string, description: DatasetDescription): Promise<DatasetResult> {
    const { store, scratchFolder } = this.#attempt;
    const { sha256, sizeBytes } = await hashFile(path);
    this.#progress({ phase: 'publishing', what: `${sha256}.hdf5`, done: 0, total: sizeBytes, unit: 'bytes' });
    const fileKey = `datasets/files/${sha256}.hdf5`;
    try {
      await store.put(fileKey, { path }, { ifAbsent: true });
    } catch (error) {
      if (!(error instanceof ObjectExists)) throw error;
      const found = await store.download(fileKey, join(scratchFolder, 'published.hdf5'));
      if (found?.sha256 !== sha256) await store.put(fileKey, { path });
    }
    this.#progress({ phase: 'publishing', what: `${sha256}.hdf5`, done: sizeBytes, total: sizeBytes, unit: 'bytes' });
    return { fileKey, sha256, sizeBytes, description };
  }

  #progress(progress: DatasetProgress): void {
    this.#attempt.send({ type: 'dataset_progress', ...progress });
  }
}

const STALL_MS = 600_000;
