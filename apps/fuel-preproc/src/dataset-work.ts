import type { FileHandle } from 'node:fs/promises';
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
  type Isolation,
  type Launch,
  openHandedOver,
  StallGuard,
  StorageFailed,
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
  /** Memory that a converter may take, in bytes; null for as much as it gets. */
  readonly memoryLimitBytes: number | null;
  /** What keeps a converter from all that is not its own. */
  readonly isolation: Isolation;
  /** Longest time without a sign of progress, in ms. Default 600,000. */
  readonly stallMs?: number;
  /** Told what the converter prints. */
  readonly report: (line: string) => void;
}

/** What came of the converter: as it said, or as its worker found. */
type Converted = { readonly description: DatasetDescription } | AttemptEnd;

const OUTPUT_NAME = 'dataset.hdf5';

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

    const { rawFolder, isolation } = this.#options;
    // What else lies in the scratch folder is the worker's own.
    const workFolder = join(scratchFolder, 'converter');
    const outputPath = join(workFolder, OUTPUT_NAME);
    const launch = await isolation.prepare({
      folder: workFolder,
      // Where it puts what it downloads. A name that leads elsewhere is no converter's, and is refused there.
      owned: 'download' in spec.source && /^[\w-]+$/.test(spec.converter) ? [join(rawFolder, spec.converter)] : [],
    });
    const { converter, source } = spec;
    const converted = await this.#convert({ type: 'assignment', converter, source, rawFolder, outputPath }, launch);
    if (this.#attempt.mustLeave) return this.#attempt.endOfStop();
    if ('reason' in converted) return converted;

    const file = await openHandedOver(workFolder, OUTPUT_NAME);
    try {
      this.#result = await withStorageRetries(async () => await this.#publish(file, converted.description), {
        what: `publish the dataset ${spec.name}`,
        signal: stop,
      });
    } catch (error) {
      if (error instanceof StorageFailed && this.#attempt.mustLeave) return this.#attempt.endOfStop();
      throw error;
    } finally {
      await file.close();
    }
    // Once it is published, to say so takes no longer than to give it back.
    return this.#attempt.abandon.aborted ? this.#attempt.endOfStop() : { reason: 'succeeded' };
  }

  heartbeat(): WorkerEvent {
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
    const peakMemoryBytes = this.#child?.peakMemoryBytes ?? 0;
    return { type: 'dataset_ended', workerId: this.#attempt.workerId, ...this.outcome(end), peakMemoryBytes };
  }

  /** Runs the converter to its end. The worker's own memory and life do not depend on it. */
  async #convert(assignment: ConverterAssignment, launch: Launch): Promise<Converted> {
    let last: Converted | undefined;
    const guard = new StallGuard({
      name: 'converter',
      firstStepMs: this.#options.stallMs ?? STALL_MS,
      say: (line) => this.#options.report(line),
    });
    const child = new SupervisedChild({
      script: this.#options.converterScript,
      memoryLimitBytes: this.#options.memoryLimitBytes,
      launch,
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
    if (guard.stalled !== undefined) return { reason: 'stalled', message: guard.stalled };
    return classifyExit(exit, 'converter', {
      reason: 'internal_error',
      message: 'The converter ended without a word.',
    });
  }

  async #publish(handle: FileHandle, description: DatasetDescription): Promise<DatasetResult> {
    const { store, scratchFolder } = this.#attempt;
    // A file that grows is never read to its end.
    const { size: mostBytes } = await handle.stat();
    const { sha256, sizeBytes } = await hashFile(handle, mostBytes);
    this.#progress({ phase: 'publishing', what: `${sha256}.hdf5`, done: 0, total: sizeBytes, unit: 'bytes' });
    const fileKey = `datasets/files/${sha256}.hdf5`;
    const publish = async (ifAbsent: boolean): Promise<void> => {
      const written = await store.put(fileKey, { handle, mostBytes }, { ifAbsent });
      if (written.sha256 === sha256) return;
      await store.delete([fileKey]);
      throw new Error(`the converted file was written to while it was published: ${written.sha256}, not ${sha256}`);
    };
    try {
      await publish(true);
    } catch (error) {
      if (!(error instanceof ObjectExists)) throw error;
      const found = await store.download(fileKey, join(scratchFolder, 'published.hdf5'));
      if (found?.sha256 !== sha256) await publish(false);
    }
    this.#progress({ phase: 'publishing', what: `${sha256}.hdf5`, done: sizeBytes, total: sizeBytes, unit: 'bytes' });
    return { fileKey, sha256, sizeBytes, description };
  }

  #progress(progress: DatasetProgress): void {
    this.#attempt.send({ type: 'dataset_progress', ...progress });
  }
}

const STALL_MS = 600_000;
