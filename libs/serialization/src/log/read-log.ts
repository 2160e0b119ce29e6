import type { Manifest } from '../checkpoint/manifest.js';
import type { ObjectStore } from '../store/object-store.js';
import { decodeLogEntry, type LogEntry, linesOf } from './log-entry.js';
import { type DamagedCopy, type LogSegment, readSegment } from './log-segment.js';
import { decompress } from './segment-writer.js';

export interface ReadLogOptions {
  /** Only entries of later steps. Default: all. */
  readonly afterStep?: number;
  /** Told of each copy that was passed over for the other one. Default: nobody is. */
  readonly onDamagedCopy?: (copy: DamagedCopy) => void;
  /**
   * Writes a copy that is damaged again from the other one. Only for the holder of the lease and, when the run has ended, for
   * anybody: what a holder removes meanwhile would be written for nothing. Default false.
   */
  readonly mend?: boolean;
}

/** A part of a log: some entries, or a segment that is lost. */
export type LogPart =
  | { readonly entries: readonly LogEntry[]; readonly lost?: undefined }
  | {
      readonly entries?: undefined;
      readonly lost: LogSegment;
      /** A sentence that says what is wrong with its copies. */
      readonly reason: string;
    };

/**
 * Reads the log of a checkpoint, or that of a run that has ended: every entry up to it once, in the order of arrival, in parts of a
 * quarter of a megabyte, or one row if that is longer. A segment neither copy of which is whole comes as a part that says so; what follows it comes none the less.
 *
 * A checkpoint may be collected while its log is read: then segments are lost that the newest manifest has. Read that one before you
 * believe a loss.
 *
 * @throws the store's error if a segment could not be asked for: that says nothing about it.
 */
export async function* readLog(
  store: ObjectStore,
  manifest: Pick<Manifest, 'log'>,
  options: ReadLogOptions = {},
): AsyncGenerator<LogPart> {
  const { afterStep = -1, onDamagedCopy, mend = false } = options;
  for (const segment of manifest.log) {
    if (segment.lastStep <= afterStep) continue;
    const { bytes, damage } = await readSegment(store, segment, { mend });
    if (bytes === undefined) {
      yield { lost: segment, reason: lossOf(segment, damage) };
      continue;
    }
    for (const copy of damage) onDamagedCopy?.(copy);
    for await (const lines of linesOf(decompress(bytes))) {
      const entries = lines.map(decodeLogEntry).filter(({ step }) => step > afterStep);
      if (entries.length > 0) yield { entries };
    }
  }
}

/** A sentence that says what is lost with a segment, neither copy of which is whole. */
export function lossOf({ rows, firstStep, lastStep }: LogSegment, damage: readonly DamagedCopy[]): string {
  const steps = firstStep === lastStep ? `step ${firstStep}` : `steps ${firstStep} to ${lastStep}`;
  return `${rows} log rows of ${steps} are lost: ${damage.map(({ reason }) => reason).join('; ')}`;
}
