import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import { BufferRing } from '../../../streams/buffer-ring.js';
import { onEnd, threadCode } from '../../../streams/thread-code.js';
import type { JpegHeader } from './jpeg-header.js';
import type { Decoded, ImageToDecode, ToDecode } from './jpeg-thread.js';
import type { ColorMode } from './planes.js';

/** A JPEG that is to be decoded. */
export interface JpegFile {
  readonly file: Uint8Array;
  readonly header: JpegHeader;
  readonly colorMode: ColorMode;
  /** Where the image `(channel, height, width)` goes. */
  readonly image: Uint8Array;
}

/**
 * Threads that decode plain JPEGs for all streams of this one, several images a message. One is started when there is something to decode and those that run have something in hand
 * already; while they have nothing to do, they keep no process from its end. Once one has ended by itself, those that are left go on.
 */
export class JpegThreads {
  readonly #most: number;
  /** Those that run. */
  readonly #threads = new Set<JpegThread>();
  /** One has ended by itself: no others are started, as they might end too. */
  #hasOneEnded = false;
  /** What was asked for since the last turn of the event loop. */
  #asked: Asked[] = [];
  /** Messages that are to be sent. */
  readonly #parts: Asked[][] = [];
  readonly #ring = new BufferRing();

  /** @param most how many threads there are at most; default as many as the process may use processors, but no more than 8, as each takes 25 MB */
  constructor(most = Math.min(availableParallelism(), 8)) {
    this.#most = most;
  }

  /** Whether the image was written; where not, the file may be damaged, or the threads have ended. The file is not to be changed until then. */
  decode(jpeg: JpegFile): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#asked.push({ ...jpeg, resolve }) > 1) return;
      queueMicrotask(() => {
        this.#parts.push(...partsOf(this.#asked, this.#most));
        this.#asked = [];
        this.#send();
      });
    });
  }

  #send(): void {
    while (this.#parts.length > 0) {
      const thread = this.#free();
      if (thread === undefined) break;
      thread.decode(this.#parts.shift() ?? []);
    }
    if (this.#threads.size > 0) return;
    for (const { resolve } of this.#parts.splice(0).flat()) resolve(false);
  }

  /** The one with the least to do, or a new one; undefined while all have enough. */
  #free(): JpegThread | undefined {
    const [first] = [...this.#threads].toSorted((one, other) => one.inHand - other.inHand);
    if (first?.inHand === 0) return first;
    if (this.#threads.size < this.#most && !this.#hasOneEnded) return this.#start();
    return first === undefined || first.inHand >= MOST_IN_HAND ? undefined : first;
  }

  #start(): JpegThread {
    const thread = new JpegThread(this.#ring, {
      isFree: () => this.#send(),
      hasEnded: () => {
        this.#threads.delete(thread);
        this.#hasOneEnded = true;
        this.#send();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

/** So many messages a thread has in hand: it begins the next one while the last one comes back. */
const MOST_IN_HAND = 2;
/** Images of so many pixels together make a message, or one image that has more. */
const MOST_PIXELS = 2 ** 18;
/** Of small images there are as many in a message as make its way worth while. */
const LEAST_PIXELS = 2 ** 14;
/** Whole words are written to the image. */
const ALIGNMENT = 8;

/** What was asked for, and whoever waits for it. */
interface Asked extends JpegFile {
  readonly resolve: (isDecoded: boolean) => void;
}

/** Images in their order, some for each message: no more than gives all threads some. */
function partsOf(asked: readonly Asked[], threads: number): Asked[][] {
  const pixels = asked.reduce((sum, { header }) => sum + header.height * header.width, 0);
  const wanted = Math.min(MOST_PIXELS, Math.max(LEAST_PIXELS, pixels / (MOST_IN_HAND * threads)));
  const parts: Asked[][] = [];
  let part: Asked[] = [];
  let size = 0;
  for (const image of asked) {
    part.push(image);
    size += image.header.height * image.header.width;
    if (size < wanted) continue;
    parts.push(part);
    [part, size] = [[], 0];
  }
  return part.length === 0 ? parts : [...parts, part];
}

/** What a thread says to those that have it. */
interface ThreadEvents {
  readonly isFree: () => void;
  readonly hasEnded: () => void;
}

/** One of the threads, as who sends it images has it. */
class JpegThread {
  readonly #worker: Worker;
  /** What it decodes, in order. */
  readonly #parts: (readonly Asked[])[] = [];
  /** What is sent lies in its memory. */
  readonly #ring: BufferRing;

  constructor(ring: BufferRing, { isFree, hasEnded }: ThreadEvents) {
    this.#ring = ring;
    // It needs no options of the process, of which some are for the main thread only.
    this.#worker = new Worker(threadCode('serveJpegs', '@longrun/fuel/jpeg-thread'), {
      workerData: { module: import.meta.url },
      execArgv: [],
    });
    this.#worker.on('message', (decoded: Decoded) => {
      this.#take(decoded);
      isFree();
    });
    onEnd(
      this.#worker,
      'ImagesFromBytes: JPEGs are decoded',
      () => false,
      () => {
        for (const { resolve } of this.#parts.splice(0).flat()) resolve(false);
        hasEnded();
      },
    );
  }

  /** How many messages it has to answer. */
  get inHand(): number {
    return this.#parts.length;
  }

  decode(part: readonly Asked[]): void {
    const files = this.#memory(part.map(({ file }) => file.length));
    const planes = this.#memory(part.map(({ image }) => image.length));
    const images = part.map(({ file, header, colorMode, image }, at): ImageToDecode => {
      const offset = files.offsets[at] ?? 0;
      new Uint8Array(files.buffer, offset, file.length).set(file);
      return {
        header,
        colorMode,
        file: { offset, length: file.length },
        image: { offset: planes.offsets[at] ?? 0, length: image.length },
      };
    });
    const message: ToDecode = { files: files.buffer, planes: planes.buffer, images };
    // The process lives for as long as something is being decoded.
    this.#worker.ref();
    this.#parts.push(part);
    this.#worker.postMessage(message, [files.buffer, planes.buffer]);
  }

  #take({ files, planes, areDecoded }: Decoded): void {
    let offset = 0;
    for (const [at, { image, resolve }] of (this.#parts.shift() ?? []).entries()) {
      const isDecoded = areDecoded[at] === true;
      if (isDecoded) image.set(new Uint8Array(planes, offset, image.length));
      offset += aligned(image.length);
      resolve(isDecoded);
    }
    this.#ring.give(files);
    this.#ring.give(planes);
    if (this.inHand === 0) this.#worker.unref();
  }

  /** One buffer for parts of so many bytes, and where each begins. */
  #memory(lengths: readonly number[]): { readonly buffer: ArrayBuffer; readonly offsets: readonly number[] } {
    const offsets: number[] = [];
    let end = 0;
    for (const length of lengths) {
      offsets.push(end);
      end += aligned(length);
    }
    const { buffer } = this.#ring.take('uint8', [end]).data;
    if (!(buffer instanceof ArrayBuffer))
      throw new Error('JpegThreads: memory that threads share cannot be given away');
    return { buffer, offsets };
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
