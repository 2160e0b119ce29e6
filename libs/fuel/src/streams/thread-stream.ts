import { Worker } from 'node:worker_threads';

import type { VersionedState } from '@longrun/serialization';
import { buildStream } from './build-stream.js';
import { DataStream } from './data-stream.js';
import { Delivery, type Bookmark } from './delivery.js';
import { buffersOf, type SentColumns } from './movable.js';
import { onEnd, threadCode } from './thread-code.js';
import type { FromThread, StreamFactory, ThreadStart, ToThread } from './thread-protocol.js';

/** How far a thread reads ahead. */
export interface ThreadStreamOptions extends StreamFactory {
  /** So many batches at most that were not taken. Default 4. */
  readonly ahead?: number;
  /** Options of Node for the thread, of those that a thread can have: not `--max-old-space-size=…`. Default: it has those of this process. */
  readonly execArgv?: readonly string[];
}

/**
 * A stream that another thread reads, some batches ahead (Fuel: `MultiProcessing`, and the streams that a server feeds). What it gives, and its states, are those of the
 * stream itself: the state travels with each batch, and a run that was saved with a thread goes on without one, and the reverse.
 *
 * The stream is made by a function that a module exports, here and in the thread. Here it reads nothing: it says what there is, and what a state is of. The thread
 * is started when the first batch is asked for; what it cannot read is read here, so that it fails as it would without the thread.
 */
export class ThreadStream extends DataStream {
  readonly #stream: DataStream;
  readonly #start: ThreadStart;
  readonly #execArgv: readonly string[] | undefined;
  #thread: StreamThread | undefined;
  #mark: Bookmark;
  /** The end of the epoch was reached. */
  #isOver = false;

  private constructor(stream: DataStream, start: ThreadStart, execArgv: readonly string[] | undefined) {
    super();
    this.#stream = stream;
    this.#start = start;
    this.#execArgv = execArgv;
    this.#mark = stream.bookmark();
  }

  /** @throws TypeError where the module exports no such function, or that makes no stream; what it throws */
  static async start({ module, factory, argument, ahead = 4, execArgv }: ThreadStreamOptions): Promise<ThreadStream> {
    if (!Number.isInteger(ahead) || ahead < 1)
      throw new RangeError(`ThreadStream: ahead is ${ahead}; give a whole number from 1`);
    const start = { module, factory, argument, ahead };
    return new ThreadStream(await buildStream(start), start, execArgv);
  }

  get sources(): readonly string[] {
    return this.#stream.sources;
  }

  get axisLabels(): ReadonlyMap<string, readonly string[]> | null {
    return this.#stream.axisLabels;
  }

  get producesExamples(): boolean {
    return this.#stream.producesExamples;
  }

  get batchesPerEpoch(): number | null {
    return this.#stream.batchesPerEpoch;
  }

  stages(): readonly string[] {
    return [`ThreadStream(ahead ${this.#start.ahead})`, ...this.#stream.stages()];
  }

  protected async advance(): Promise<Delivery | undefined> {
    if (this.#isOver) return undefined;
    this.#thread ??= new StreamThread(this.#start, this.#execArgv, this.#mark());
    const message = await this.#thread.take();
    switch (message?.is) {
      case 'batch': {
        const { columns, epoch, index, state } = message.batch;
        this.#mark = () => state;
        const memory = { release: () => this.#thread?.takeBack(columns) };
        return new Delivery(new Map(columns), { epoch, index }, this.#mark, [memory]);
      }
      case 'end':
        this.#mark = () => message.state;
        this.#isOver = true;
        return undefined;
      default:
        return await this.#readHere();
    }
  }

  protected async startEpoch(): Promise<void> {
    this.#stream.restore(this.#mark());
    await this.#stream.nextEpoch();
    this.#goOn();
  }

  protected load(state: VersionedState): void {
    this.#stream.restore(state);
    this.#goOn();
  }

  protected mark(): Bookmark {
    return this.#mark;
  }

  protected async release(): Promise<void> {
    await this.#thread?.close();
    await this.#stream.close();
  }

  /** What the thread could not read: it fails for the same reason, or not. */
  async #readHere(): Promise<Delivery | undefined> {
    this.#stream.restore(this.#mark());
    const delivery = await this.#stream.next();
    this.#goOn();
    this.#isOver = delivery === undefined;
    return delivery && new Delivery(delivery.columns, delivery, this.#mark, [delivery]);
  }

  /** From where the stream is here. */
  #goOn(): void {
    const state = this.#stream.state();
    this.#mark = () => state;
    this.#isOver = false;
    this.#thread?.goOn(state);
  }
}

/** The thread, as the one that it reads for has it. */
class StreamThread {
  readonly #worker: Worker;
  #course = 0;
  readonly #said: FromThread[] = [];
  /** The memory of what was released, until it goes back. */
  #released: ArrayBuffer[] = [];
  #hear: (() => void) | undefined;
  /** It has ended by itself, and says nothing more. */
  #isGone = false;
  #isClosed = false;

  constructor(start: ThreadStart, execArgv: readonly string[] | undefined, from: VersionedState) {
    this.#worker = new Worker(threadCode('serveStream'), {
      workerData: start,
      // Given as a list, those of a process would be refused, such as the limit of memory that trainers have.
      ...(execArgv && { execArgv: [...execArgv] }),
    });
    this.#worker.on('message', (message: FromThread) => this.#heard(message));
    const gone = (): void => {
      this.#isGone = true;
      this.#hear?.();
    };
    onEnd(this.#worker, 'ThreadStream: batches are read', () => this.#isClosed, gone);
    this.#worker.unref();
    this.goOn(from);
  }

  /** Reads in another course from now on. */
  goOn(from: VersionedState): void {
    this.#course += 1;
    this.#said.length = 0;
    this.#tell({ go: 'on', course: this.#course, from });
  }

  /** What it says next; undefined once it is gone. */
  async take(): Promise<FromThread | undefined> {
    while (this.#said.length === 0 && !this.#isGone) await this.#more();
    const message = this.#said.shift();
    if (message?.is === 'batch') {
      const released = this.#released;
      this.#released = [];
      this.#tell({ go: 'taken', course: this.#course, released }, released);
    }
    return message;
  }

  /** Has it write other batches where these columns lie. */
  takeBack(columns: SentColumns): void {
    this.#released.push(...buffersOf(columns));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isGone) return;
    this.#tell({ go: 'away' });
    while (!this.#isGone) await this.#more();
  }

  /** The process lives for as long as somebody waits. */
  async #more(): Promise<void> {
    this.#worker.ref();
    await new Promise<void>((resolve) => (this.#hear = resolve));
    this.#worker.unref();
  }

  #heard(message: FromThread): void {
    if (message.course !== this.#course) return;
    this.#said.push(message);
    this.#hear?.();
  }

  #tell(message: ToThread, buffers: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, buffers);
  }
}
