import { Worker } from 'node:worker_threads';

import { checkIdentity, type Json, StateKind, stateIn, type VersionedState } from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';
import { buildMapping, type PlacedMapping } from '../streams/build-stream.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Bookmark, Delivery, Releasable } from '../streams/delivery.js';
import type { Mapped, ToMap } from '../streams/mapping-thread.js';
import type { BufferRing } from '../streams/buffer-ring.js';
import { buffersOf, movableColumns, type SentColumns } from '../streams/movable.js';
import { onEnd, threadCode } from '../streams/thread-code.js';
import type { StreamFactory } from '../streams/thread-protocol.js';
import { Transformer } from './transformer.js';

/** What maps, and how many threads do. */
export interface ParallelMappingOptions extends StreamFactory {
  /** Default 2; 0: none but this one. */
  readonly threads?: number;
  /** Options of Node for the threads. Default: those of this process. */
  readonly execArgv?: readonly string[];
}

/**
 * Maps batches or examples in several threads at once, and gives them in their order: for what computes much, such as decoding. The function is made by one that a module exports, in
 * each thread and here, and depends on nothing but the columns and the place that it is given; so whatever the number of threads, what is given is the same, and a run that
 * was saved with eight goes on with none. Its sources are those of the stream.
 *
 * State: that of the stream after what was given, and the name and the argument of the function.
 */
export class ParallelMapping extends Transformer {
  readonly threads: number;
  readonly #factory: StreamFactory;
  readonly #mapping: PlacedMapping;
  readonly #execArgv: readonly string[] | undefined;
  readonly #workers: MappingThread[] = [];
  /** What was read and is being mapped. */
  readonly #flying: { readonly below: Delivery; readonly mapped: Promise<MappedThere | undefined> }[] = [];
  #sent = 0;
  /** Of the stream, after what was given. */
  #given: Bookmark;

  private constructor(
    stream: DataStream,
    mapping: PlacedMapping,
    options: ParallelMappingOptions & { readonly threads: number },
  ) {
    super(stream);
    const { threads, execArgv, module, factory, argument } = options;
    this.threads = threads;
    this.#mapping = mapping;
    this.#factory = { module, factory, argument };
    this.#execArgv = execArgv;
    this.#given = stream.bookmark();
  }

  /** @throws TypeError where the module exports no such function, or that makes none; what it throws */
  static async start(
    stream: DataStream,
    { module, factory, argument, threads = 2, execArgv }: ParallelMappingOptions,
  ): Promise<ParallelMapping> {
    if (!Number.isInteger(threads) || threads < 0)
      throw new RangeError(`ParallelMapping: threads is ${threads}; give a whole number from 0`);
    const mapping = await buildMapping({ module, factory, argument });
    return new ParallelMapping(stream, mapping, { module, factory, argument, threads, ...(execArgv && { execArgv }) });
  }

  protected override stage(): string {
    return `ParallelMapping(${this.#factory.factory}, ${this.threads} threads)`;
  }

  protected override async advance(): Promise<Delivery | undefined> {
    while (this.#flying.length < 2 * this.threads + 1) {
      const below = await this.stream.next();
      if (below === undefined) break;
      this.#flying.push({ below, mapped: this.#send(below) });
    }
    const first = this.#flying[0];
    if (first === undefined) {
      this.#given = this.stream.bookmark();
      return undefined;
    }
    const { below } = first;
    const mapped = await first.mapped;
    const columns = mapped?.columns ?? (await this.#mapping(below.columns, below));
    this.#flying.shift();
    this.#given = below.bookmark;
    return this.inPlaceOf(below, columns, mapped === undefined ? [] : [mapped]);
  }

  protected override async startEpoch(): Promise<void> {
    if (this.#flying.length > 0) this.stream.restore(this.#given());
    this.#flying.length = 0;
    await this.stream.nextEpoch();
    this.#given = this.stream.bookmark();
  }

  protected override mark(): Bookmark {
    const given = this.#given;
    return () => ({ ...PARALLEL_MAPPING.head, mapping: this.#identity(), stream: given() });
  }

  protected override load(state: VersionedState): void {
    const read = PARALLEL_MAPPING.read(state);
    const below = stateIn(PARALLEL_MAPPING.name, read, 'stream');
    checkIdentity(
      PARALLEL_MAPPING.name,
      read,
      'mapping',
      this.#identity(),
      'build it with the same function as when it was saved',
    );
    this.stream.restore(below);
    this.#flying.length = 0;
    this.#given = this.stream.bookmark();
  }

  protected override async release(): Promise<void> {
    for (const worker of this.#workers.splice(0)) await worker.close();
    await this.stream.close();
  }

  #identity(): { readonly [key: string]: Json } {
    const { factory, argument } = this.#factory;
    return { factory, argument };
  }

  /** Undefined once the thread could not map it: then it is mapped here, and fails as it would. */
  async #send(below: Delivery): Promise<MappedThere | undefined> {
    if (this.threads === 0) return undefined;
    const at = this.#sent % this.threads;
    this.#sent += 1;
    const worker = (this.#workers[at] ??= new MappingThread(this.#factory, this.#execArgv, this.ring));
    return await worker.map(below);
  }
}

const PARALLEL_MAPPING = new StateKind('ParallelMapping');

/** What a thread has made, which goes back to it once it is released. */
interface MappedThere extends Releasable {
  readonly columns: Columns;
}

/** One of the threads, as who sends it batches has it. */
class MappingThread {
  readonly #worker: Worker;
  /** Who waits for what it maps, in order. */
  readonly #waiting: ((mapped: MappedThere | undefined) => void)[] = [];
  /** Where what it is sent lies. */
  readonly #ring: BufferRing;
  /** The memory of what was released, until it goes back. */
  #released: ArrayBuffer[] = [];
  #isGone = false;
  #isClosed = false;

  constructor(factory: StreamFactory, execArgv: readonly string[] | undefined, ring: BufferRing) {
    this.#ring = ring;
    this.#worker = new Worker(threadCode('serveMapping'), {
      workerData: factory,
      ...(execArgv && { execArgv: [...execArgv] }),
    });
    this.#worker.on('message', ({ columns, released }: Mapped) => {
      for (const buffer of released) ring.give(buffer);
      this.#answer(columns === null ? undefined : this.#mapped(columns));
    });
    const gone = (): void => {
      this.#isGone = true;
      while (this.#waiting.length > 0) this.#answer(undefined);
    };
    onEnd(this.#worker, 'ParallelMapping: batches are mapped', () => this.#isClosed, gone);
  }

  async map({ columns, epoch, index }: Delivery): Promise<MappedThere | undefined> {
    if (this.#isGone) return undefined;
    const sent = movableColumns(columns, this.#ring.take);
    const released = this.#released;
    this.#released = [];
    const message: ToMap = { columns: sent.columns, epoch, index, released };
    // The process lives for as long as something is being mapped.
    this.#worker.ref();
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(message, [...sent.buffers, ...released]);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker.terminate();
  }

  #mapped(columns: SentColumns): MappedThere {
    return { columns: new Map(columns), release: () => void this.#released.push(...buffersOf(columns)) };
  }

  #answer(mapped: MappedThere | undefined): void {
    this.#waiting.shift()?.(mapped);
    if (this.#waiting.length === 0) this.#worker.unref();
  }
}
