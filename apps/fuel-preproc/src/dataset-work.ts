import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DatasetIdentity,
  type DatasetLimits,
  type DatasetOutcome,
  type DatasetProgress,
  type DatasetResult,
  type DatasetSpec,
  ResolvedDataset,
  type WorkerEvent,
} from '@longrun/contracts';
import {
  type Attempt,
  type AttemptEnd,
  classifyExit,
  HandoverRefused,
  type Isolation,
  type Launch,
  LineLimit,
  openHandedOver,
  StallGuard,
  StorageFailed,
  SupervisedChild,
  WallTime,
  type Work,
  withStorageRetries,
} from '@longrun/platform/worker';
import type { Converter } from '@longrun/fuel';
import { hashFile } from '@longrun/serialization';
import { z } from 'zod';
import { type ConverterAssignment, ConverterMessage } from './converter-messages.js';
import { KeptDownloads } from './kept-downloads.js';

export interface DatasetWorkOptions {
  /** Root of raw files, absolute. */
  readonly rawFolder: string;
  /** What each converter needs, by name. */
  readonly converters: ReadonlyMap<string, Pick<Converter, 'params' | 'requiredFiles'>>;
  /** The converter's module, absolute. */
  readonly converterScript: string;
  /** Memory that a converter may take, in bytes; null for as much as it gets. */
  readonly memoryLimitBytes: number | null;
  /** What keeps a converter from all that is not its own. */
  readonly isolation: Isolation;
  /** Told what the converter prints, and what is to be said of it. */
  readonly report: (line: string) => void;
}

/** What one conversion has. */
interface ConversionRoom {
  readonly launch: Launch;
  readonly limits: DatasetLimits;
  readonly wallTime: WallTime;
}

/** What came of the converter: as it said, or as its worker found. */
type Converted = Made | { readonly type: 'unchanged' } | AttemptEnd;

/** What a converter says of the file that it has made. */
type Made = Pick<DatasetResult, 'description'> & { readonly identity: DatasetIdentity };

const OUTPUT_NAME = 'dataset.hdf5';
const DOWNLOADS_NAME = 'downloads';

/**
 * One attempt at a dataset: has it converted in a process of its own, publishes the file under its id and hash, and says how it
 * ended. Whatever goes wrong, nothing of a half-made dataset stays.
 */
export class DatasetWork implements Work {
  readonly #attempt: Attempt;
  readonly #options: DatasetWorkOptions;
  readonly #lineLimit = new LineLimit();
  #child: SupervisedChild | undefined;
  #result: DatasetResult | undefined;

  constructor(attempt: Attempt, options: DatasetWorkOptions) {
    this.#attempt = attempt;
    this.#options = options;
  }

  async run(): Promise<AttemptEnd> {
    const dataset = ResolvedDataset.parse(await this.#attempt.readSpec());
    const { spec, ranMs } = dataset;
    const wallTime = new WallTime({ limitSeconds: spec.limits.wallTimeSeconds, ranMs });
    try {
      return await this.#run(dataset, wallTime);
    } finally {
      wallTime.close();
    }
  }

  async #run({ spec, predecessor }: ResolvedDataset, wallTime: WallTime): Promise<AttemptEnd> {
    const { scratchFolder, workerId } = this.#attempt;
    this.#attempt.send({ type: 'dataset_started', workerId });
    if (this.#attempt.mustLeave) return this.#attempt.endOfStop();
    if (wallTime.isUp) return timedOut(wallTime);

    const { rawFolder, isolation } = this.#options;
    // What else lies in the scratch folder is the worker's own.
    const workFolder = join(scratchFolder, 'converter');
    const kept = this.#keptDownloads(spec);
    await kept?.share();
    const launch = await isolation.prepare({ folder: workFolder });
    const assignment: ConverterAssignment = {
      type: 'assignment',
      converter: spec.converter,
      params: spec.params,
      source: spec.source,
      rawFolder,
      downloadFolder: join(workFolder, DOWNLOADS_NAME),
      outputPath: join(workFolder, OUTPUT_NAME),
      known: predecessor?.result.identity ?? null,
    };
    const converted = await this.#convert(assignment, { launch, limits: spec.limits, wallTime });
    // Whatever came of it: the next attempt finds what this one has downloaded. A worker that stops does so within its grace.
    if (this.#attempt.stopCause() !== 'cancelled') await kept?.keep(workFolder, DOWNLOADS_NAME, this.#attempt.abandon);
    if (this.#attempt.mustLeave) return this.#attempt.endOfStop();
    if ('reason' in converted) return converted;
    if ('description' in converted) return await this.#handOn(workFolder, spec.name, converted);
    if (predecessor === null) return { reason: 'internal_error', message: 'The converter knows what it was not told.' };
    this.#result = { ...predecessor.result, sameAs: predecessor.id };
    return { reason: 'succeeded' };
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

  /** What is kept of downloads for a converter; undefined where nothing is downloaded. */
  #keptDownloads({ source, converter, params }: DatasetSpec): KeptDownloads | undefined {
    const known = this.#options.converters.get(converter);
    // A name that is no converter's may be that of any folder.
    if (known === undefined || !('download' in source)) return undefined;
    const { rawFolder, isolation, report } = this.#options;
    const read = known.params.safeParse(params);
    // The converter says what is wrong with them.
    if (!read.success) return undefined;
    const requiredFiles = known.requiredFiles(read.data);
    return new KeptDownloads({ folder: join(rawFolder, converter), requiredFiles, isolation, report });
  }

  /** Runs the converter to its end. The worker's own memory and life do not depend on it. */
  async #convert(assignment: ConverterAssignment, { launch, limits, wallTime }: ConversionRoom): Promise<Converted> {
    let last: Converted | undefined;
    let ignored: string | undefined;
    let isTimeUp = false;
    const guard = new StallGuard({
      name: 'converter',
      firstStepMs: limits.stallSeconds * 1000,
      say: (line) => this.#say(line),
    });
    const child = new SupervisedChild({
      script: this.#options.converterScript,
      memoryLimitBytes: this.#options.memoryLimitBytes,
      launch,
      onLine: (_stream, text) => this.#say(text),
      onBeat: (beat) => guard.beat(beat),
      onMessage: (json) => {
        const message = ConverterMessage.safeParse(json);
        if (!message.success) {
          ignored = z.prettifyError(message.error).slice(0, LONGEST_REASON);
          this.#say(`A message of the converter was ignored: ${ignored}`);
        } else if (message.data.type === 'progress') this.#progress(message.data.progress);
        else last = message.data;
      },
    });
    this.#child = child;
    guard.guard(child);
    wallTime.watch(child, () => {
      isTimeUp = true;
      void child.kill();
    });
    for (const signal of [this.#attempt.stop, this.#attempt.abandon]) {
      // A conversion has no checkpoints: who has to leave leaves at once.
      signal.addEventListener('abort', () => void child.kill());
      if (signal.aborted) void child.kill();
    }
    child.send(assignment);
    const exit = await child.exited;
    for (const line of this.#lineLimit.rest()) this.#options.report(line);
    if (last !== undefined) return last;
    if (guard.stalled !== undefined) return { reason: 'stalled', message: guard.stalled };
    if (isTimeUp) return timedOut(wallTime);
    return classifyExit(exit, 'converter', {
      reason: 'internal_error',
      message: `The converter ended without a word${ignored === undefined ? '' : ` that could be taken: ${ignored}`}.`,
    });
  }

  /** Publishes what the converter has handed over. */
  async #handOn(workFolder: string, name: string, made: Made): Promise<AttemptEnd> {
    const { stop, abandon } = this.#attempt;
    const signal = AbortSignal.any([stop, abandon]);
    let file: FileHandle | undefined;
    try {
      const opened = await openHandedOver(workFolder, OUTPUT_NAME);
      file = opened;
      this.#result = await withStorageRetries(async () => await this.#publish(opened, made, signal), {
        what: `publish the dataset ${name}`,
        signal,
      });
    } catch (error) {
      if (error instanceof HandoverRefused) return { reason: 'program_error', message: error.message };
      if (error instanceof StorageFailed && this.#attempt.mustLeave) return this.#attempt.endOfStop();
      throw error;
    } finally {
      await file?.close();
    }
    // Once it is published, to say so takes no longer than to give it back.
    return this.#attempt.abandon.aborted ? this.#attempt.endOfStop() : { reason: 'succeeded' };
  }

  /** Says what the converter has caused to be said, up to a rate. */
  #say(text: string): void {
    for (const line of this.#lineLimit.pass(text)) this.#options.report(line);
  }

  async #publish(handle: FileHandle, { description, identity }: Made, signal: AbortSignal): Promise<DatasetResult> {
    const { store, ticket } = this.#attempt;
    // A file that grows is never read to its end.
    const { size: mostBytes } = await handle.stat();
    const { sha256, sizeBytes } = await hashFile(handle, mostBytes);
    this.#progress({ phase: 'publishing', what: `${sha256}.hdf5`, done: 0, total: sizeBytes, unit: 'bytes' });
    // Of this dataset alone: when it is deleted, no other one that is published at the same time loses its file.
    const fileKey = `datasets/files/${ticket.id}/${sha256}.hdf5`;
    await store.put(fileKey, { handle, mostBytes }, { expected: { sizeBytes, sha256 }, signal });
    this.#progress({ phase: 'publishing', what: `${sha256}.hdf5`, done: sizeBytes, total: sizeBytes, unit: 'bytes' });
    return { fileKey, sha256, sizeBytes, description, identity, sameAs: null };
  }

  #progress(progress: DatasetProgress): void {
    this.#attempt.send({ type: 'dataset_progress', ...progress });
  }
}

function timedOut({ message }: WallTime): AttemptEnd {
  return { reason: 'timed_out', message: `${message}.` };
}

/** Of why a message was ignored, in characters: one can be wrong in as many places as it has. */
const LONGEST_REASON = 2_000;
