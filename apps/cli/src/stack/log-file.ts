import {
  appendFileSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface LogFileOptions {
  /** A log that has grown over this is put aside as `<name>.1`, or the end of it. Default 10 MiB. */
  readonly rotateAtBytes?: number;
  /** How often that is looked at while its service runs. Default 1 000. */
  readonly lookEveryMs?: number;
}

/** What a service writes from one of its starts on, appended to a file that does not grow without end. */
export class LogFile {
  /** For the service to write to; whoever has given it to the service closes it. */
  readonly descriptor: number;
  readonly #path: string;
  readonly #rotateAtBytes: number;
  readonly #looking: NodeJS.Timeout;
  #startsAt: number;

  /** Puts a large one of before aside and opens it. */
  constructor(path: string, { rotateAtBytes = 10 * 2 ** 20, lookEveryMs = 1_000 }: LogFileOptions = {}) {
    this.#path = path;
    this.#rotateAtBytes = rotateAtBytes;
    mkdirSync(dirname(path), { recursive: true });
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > rotateAtBytes) renameSync(path, `${path}.1`);
    this.descriptor = openSync(path, 'a', 0o600);
    this.#startsAt = fstatSync(this.descriptor).size;
    this.#looking = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** What was written since this start: all that is still there, or its last `maxBytes`. */
  read(maxBytes = 64 * 1024): string {
    const descriptor = openSync(this.#path, 'r');
    try {
      const end = fstatSync(descriptor).size;
      return bytesOf(descriptor, Math.max(this.#startsAt, end - maxBytes), end).toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  }

  /** Its service has ended: nothing is written to it any more. */
  end(): void {
    clearInterval(this.#looking);
  }

  #look(): void {
    try {
      if (statSync(this.#path).size > this.#rotateAtBytes) this.#rotate();
    } catch {
      // The disk is full, or somebody has removed it: the next look may find it otherwise.
    }
  }

  /** Copied and emptied: the service goes on writing to the same file, at its end. */
  #rotate(): void {
    const aside = `${this.#path}.1`;
    const descriptor = openSync(this.#path, 'r+');
    try {
      let end = fstatSync(descriptor).size;
      writeFileSync(aside, bytesOf(descriptor, end - this.#rotateAtBytes, end), { mode: 0o600 });
      // What was written meanwhile; a line in the moment between the last look and the emptying is lost.
      for (let size = fstatSync(descriptor).size; size > end; size = fstatSync(descriptor).size) {
        appendFileSync(aside, bytesOf(descriptor, end, size));
        end = size;
      }
      ftruncateSync(descriptor, 0);
      this.#startsAt = 0;
    } finally {
      closeSync(descriptor);
    }
  }
}

function bytesOf(descriptor: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, to - from));
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, from));
}

/** The last `count` lines that are not empty. */
export function lastLines(text: string, count = 12): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}
