import type { VersionedState } from '@longrun/serialization';
import type { DataStream } from '../streams/data-stream.js';
import type { Bookmark, Delivery } from '../streams/delivery.js';
import { Transformer } from './transformer.js';

/**
 * Reads ahead while what it has given is worked on (Fuel: `MultiProcessing`, whose state was lost): for streams that wait, for a disk or for images to be decoded, and compute
 * little in JavaScript. One that computes much is read by another thread: `ThreadStream`. The state is that after what was given, however much was read.
 */
export class Prefetch extends Transformer {
  readonly ahead: number;
  readonly #read: Promise<Delivery | undefined>[] = [];
  #mark: Bookmark;
  /** To where it is to go, once nothing is read any more. */
  #goTo: Bookmark | undefined;

  /** @param ahead batches or examples that are read at most before they are asked for. Default 4 */
  constructor(stream: DataStream, ahead = 4) {
    super(stream);
    if (!Number.isInteger(ahead) || ahead < 1)
      throw new RangeError(`Prefetch: ahead is ${ahead}; give a whole number from 1`);
    this.ahead = ahead;
    this.#mark = stream.bookmark();
  }

  protected override stage(): string {
    return `Prefetch(${this.ahead})`;
  }

  protected override async advance(): Promise<Delivery | undefined> {
    await this.#settle();
    this.#fill();
    const delivery = await this.#read.shift();
    if (delivery === undefined) {
      await this.#drain();
      this.#mark = this.stream.bookmark();
      return undefined;
    }
    this.#fill();
    this.#mark = delivery.bookmark;
    return delivery;
  }

  protected override async startEpoch(): Promise<void> {
    if (this.#read.length > 0) this.#goTo ??= this.#mark;
    await this.#settle();
    await this.stream.nextEpoch();
    this.#mark = this.stream.bookmark();
  }

  protected override mark(): Bookmark {
    return this.#mark;
  }

  /** What is read still is dropped before anything else is. A state that does not fit is refused at once, or, while something is read, when the next batch is asked for. */
  protected override load(state: VersionedState): void {
    if (this.#read.length > 0) {
      this.#mark = () => state;
      this.#goTo = this.#mark;
      return;
    }
    this.stream.restore(state);
    this.#goTo = undefined;
    this.#mark = this.stream.bookmark();
  }

  protected override async release(): Promise<void> {
    await this.#drain();
    await this.stream.close();
  }

  #fill(): void {
    while (this.#read.length <= this.ahead) {
      const next = this.stream.next();
      // Whoever takes it hears of it.
      next.catch(() => undefined);
      this.#read.push(next);
    }
  }

  async #settle(): Promise<void> {
    if (this.#goTo === undefined) return;
    await this.#drain();
    this.stream.restore(this.#goTo());
    this.#goTo = undefined;
  }

  async #drain(): Promise<void> {
    for (const read of await Promise.allSettled(this.#read.splice(0))) {
      if (read.status === 'fulfilled') read.value?.release();
    }
  }
}
