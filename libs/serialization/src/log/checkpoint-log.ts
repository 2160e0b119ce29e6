import type { FlightSignals } from '../in-flight.js';
import type { ObjectStore } from '../store/object-store.js';
import { FINAL_TEXT_BYTES, MAX_SEGMENT_TEXT_BYTES, planCompaction } from './compaction.js';
import { type LogFile, readLogFiles } from './log-file.js';
import { type LogSegment, readSegment, type SegmentDraft, writeSegment } from './log-segment.js';
import { SegmentWriter } from './segment-writer.js';

/** Writes the log of the checkpoints under a prefix. Segments are written before the manifest that lists them, and never changed. */
export class CheckpointLog {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  /** SHA-256 of segments neither copy of which is whole: they stay listed, and are not tried again. */
  readonly #damaged = new Set<string>();
  /** SHA-256 of segments both copies of which were written or looked at in this round. */
  readonly #lookedAt = new Set<string>();

  constructor(store: ObjectStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /**
   * The segments of a log that has those of `base` and then the entries of local files. Small ones are merged; one that cannot
   * be read is not, and stays in its place.
   *
   * @throws RangeError if a line of a file is no entry; the reasons of the signals ({@link inFlight})
   */
  async extend(
    base: readonly LogSegment[],
    fence: number,
    files: readonly LogFile[],
    signals: Partial<FlightSignals> = {},
  ): Promise<readonly LogSegment[]> {
    const parts: (LogSegment | SegmentDraft)[] = [...base];
    for await (const part of this.#drafts(files, fence, signals)) parts.push(part);
    const segments: LogSegment[] = [];
    const planned = parts.map(({ textBytes, sha256 }) => ({ textBytes, fixed: this.#damaged.has(sha256) }));
    for (const { start, end } of planCompaction(planned)) {
      const group = parts.slice(start, end);
      const merged = group.length > 1 ? await this.#merge(group) : undefined;
      for (const part of merged === undefined ? group : [merged])
        segments.push(await this.#written(part, fence, signals));
    }
    return segments;
  }

  /**
   * Looks at both copies of one segment of a log, each in its turn, and writes one that is damaged again from the other. For the
   * holder of the lease. Never fails: what could not be done comes again.
   */
  async mendNext(segments: readonly LogSegment[]): Promise<void> {
    const isDue = ({ sha256 }: LogSegment): boolean => !this.#lookedAt.has(sha256);
    if (!segments.some(isDue)) this.#lookedAt.clear();
    const segment = segments.find(isDue);
    if (segment === undefined) return;
    try {
      await readSegment(this.#store, segment, { mend: true });
      this.#lookedAt.add(segment.sha256);
    } catch {
      // The store could not be asked: the next commit tries again.
    }
  }

  /** The entries of files. What will not be merged is written at once, so that no more than one draft is held. */
  async *#drafts(
    files: readonly LogFile[],
    fence: number,
    signals: Partial<FlightSignals>,
  ): AsyncGenerator<LogSegment | SegmentDraft> {
    let writer = new SegmentWriter();
    try {
      for await (const entries of readLogFiles(files)) {
        const textBytes = entries.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0);
        if (writer.textBytes >= FINAL_TEXT_BYTES && writer.textBytes + textBytes > MAX_SEGMENT_TEXT_BYTES) {
          yield await this.#written(await writer.finish(), fence, signals);
          writer = new SegmentWriter();
        }
        await writer.addLines(entries);
      }
      if (writer.textBytes > 0) yield await writer.finish();
    } finally {
      writer.close();
    }
  }

  /** One of several; undefined if one of them cannot be read now. Merging is for tidiness: no checkpoint fails for it. */
  async #merge(parts: readonly (LogSegment | SegmentDraft)[]): Promise<SegmentDraft | undefined> {
    const writer = new SegmentWriter();
    try {
      for (const part of parts) {
        const bytes = 'bytes' in part ? part.bytes : await this.#read(part);
        if (bytes === undefined) return undefined;
        await writer.addSegment(part, bytes);
      }
      return await writer.finish();
    } finally {
      writer.close();
    }
  }

  async #read(segment: LogSegment): Promise<Uint8Array | undefined> {
    try {
      const { bytes } = await readSegment(this.#store, segment);
      if (bytes === undefined) this.#damaged.add(segment.sha256);
      return bytes;
    } catch {
      // The store could not be asked: the next commit tries again.
      return undefined;
    }
  }

  async #written(
    part: LogSegment | SegmentDraft,
    fence: number,
    { leaving, wanted }: Partial<FlightSignals>,
  ): Promise<LogSegment> {
    wanted?.throwIfAborted();
    if ('keys' in part) return part;
    const segment = await writeSegment(this.#store, this.#prefix, fence, part, { signal: leaving });
    // Else a round would never end, as each commit adds one.
    this.#lookedAt.add(segment.sha256);
    return segment;
  }
}
