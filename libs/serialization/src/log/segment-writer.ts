import { once } from 'node:events';
import { createGunzip, createGzip } from 'node:zlib';

import { sha256Of } from '../sha256.js';
import type { LogSegment, SegmentDraft } from './log-segment.js';

/** A line that says an entry, without its end, and the entry's step. */
export interface SteppedLine {
  readonly line: string;
  readonly step: number;
}

/** Puts a segment together. What it holds in memory is compressed. */
export class SegmentWriter {
  readonly #gzip = createGzip();
  readonly #compressed: Buffer[] = [];
  #firstStep = Infinity;
  #lastStep = 0;
  #rows = 0;
  #textBytes = 0;

  constructor() {
    this.#gzip.on('data', (chunk: Buffer) => this.#compressed.push(chunk));
  }

  /** Size of the lines so far. */
  get textBytes(): number {
    return this.#textBytes;
  }

  async addLines(lines: readonly SteppedLine[]): Promise<void> {
    for (const { step } of lines) this.#count(step, step, 1);
    await this.#write(Buffer.from(lines.map(({ line }) => `${line}\n`).join('')));
  }

  /** Adds all of a segment, of which `bytes` is a copy. */
  async addSegment({ firstStep, lastStep, rows }: SegmentDraft | LogSegment, bytes: Uint8Array): Promise<void> {
    this.#count(firstStep, lastStep, rows);
    for await (const chunk of decompress(bytes)) await this.#write(chunk);
  }

  async finish(): Promise<SegmentDraft> {
    const ended = once(this.#gzip, 'end');
    this.#gzip.end();
    await ended;
    const bytes = Buffer.concat(this.#compressed);
    return {
      firstStep: this.#firstStep,
      lastStep: this.#lastStep,
      rows: this.#rows,
      textBytes: this.#textBytes,
      sizeBytes: bytes.byteLength,
      sha256: sha256Of(bytes),
      bytes,
    };
  }

  /** Lets go of what it holds; to be called in any case. */
  close(): void {
    this.#gzip.destroy();
  }

  #count(firstStep: number, lastStep: number, rows: number): void {
    this.#firstStep = Math.min(this.#firstStep, firstStep);
    this.#lastStep = Math.max(this.#lastStep, lastStep);
    this.#rows += rows;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#textBytes += chunk.byteLength;
    if (!this.#gzip.write(chunk)) await once(this.#gzip, 'drain');
  }
}

/** The text of a segment of which `bytes` is a copy, a chunk at a time. */
export function decompress(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  gunzip.end(bytes);
  return gunzip;
}

const CHUNK_BYTES = 256 << 10;
